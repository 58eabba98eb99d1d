package report

import (
	"embed"

	"github.com/makegood/makegood/projections/sql"
)

//go:embed sql/*.sql
var files embed.FS

// statements are the .sql files of this room.
var statements = sql.Parse(files, "sql")

// Statements are the .sql files of this room, for the statements of others to be made with.
func Statements() *sql.Files { return statements }
