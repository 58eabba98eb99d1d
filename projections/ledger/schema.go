package ledger

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// CheckSchema holds the tables of the server against how makegood makes them, and the ledger against Columns: each must
// be there under its name with its type. Its error names all that differ. The ledger may have others: those of a newer
// version, which is being installed.
func CheckSchema(ctx context.Context, db driver.Conn) error {
	if err := checkTables(ctx, db); err != nil {
		return err
	}
	rows, err := db.Query(ctx, "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = "+
		"'ledger' ORDER BY position")
	if err != nil {
		return fmt.Errorf("read the columns of the ledger: %w", err)
	}
	defer rows.Close()
	there := map[string]string{}
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return fmt.Errorf("read the columns of the ledger: %w", err)
		}
		there[name] = kind
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the columns of the ledger: %w", err)
	}
	var differ []string
	check := func(name, want string) {
		switch kind, found := there[name]; {
		case !found:
			differ = append(differ, name+" is missing")
		case kind != want:
			differ = append(differ, fmt.Sprintf("%s is %s and not %s", name, kind, want))
		}
	}
	for _, c := range Columns {
		check(c.Name, c.Type)
	}
	for _, g := range Groups {
		check(g.Name, g.Type())
	}
	if len(differ) > 0 {
		return fmt.Errorf("the table ledger is not what this version writes: %s", strings.Join(differ, "; "))
	}
	return nil
}
