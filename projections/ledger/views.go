package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// CreateViews makes the views (sql/view_*.sql) for people who bring their own tools. They hold no data, so they are
// made when a process starts instead of by a migration; but only those that are missing or were another version's.
// ClickHouse writes a definition to disk, and one that a full disk cuts short keeps the server from ever starting
// again: a process that is started again and again because the disk is full must not be what does that.
func CreateViews(ctx context.Context, db driver.Conn) error {
	views := viewStatements()
	for _, name := range slices.Sorted(maps.Keys(views)) {
		version := fmt.Sprintf("version %x", sha256.Sum256([]byte(views[name])))
		var have []string
		if err := db.QueryRow(ctx, "SELECT groupArray(comment) FROM system.tables WHERE database = currentDatabase() AND "+
			"name = ?", name).Scan(&have); err != nil {
			return fmt.Errorf("look at the view %s: %w", name, err)
		}
		if slices.Contains(have, version) {
			continue
		}
		if err := db.Exec(ctx, "CREATE OR REPLACE VIEW "+name+" AS "+views[name]+" COMMENT '"+version+"'"); err != nil {
			return fmt.Errorf("make the view %s: %w", name, err)
		}
	}
	return nil
}
