package insight

import (
	"embed"

	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/sql"
)

//go:embed sql/*.sql
var files embed.FS

// statements are the .sql files of this room; they may use those of reports.
var statements = sql.Parse(files, "sql", report.Statements())
