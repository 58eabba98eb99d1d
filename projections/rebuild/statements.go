package rebuild

import (
	"embed"

	"github.com/makegood/makegood/projections/sql"
)

//go:embed sql
var files embed.FS

var statements = sql.Parse(files, "sql")
