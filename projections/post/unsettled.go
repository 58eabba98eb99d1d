package post

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// UnsettledConflicts counts the identities of which the books hold two contents at the moment, until the next conflict
// check takes the later one out. A close that is to be quoted for ever waits for that.
func UnsettledConflicts(ctx context.Context, db driver.Conn) (n uint64, err error) {
	ctx, some, err := suspects(ctx, db)
	if err != nil || !some {
		return 0, err
	}
	if err := db.QueryRow(ctx, `
SELECT count() FROM (
    SELECT source, event_id FROM ledger FINAL
    WHERE refused = '' AND cityHash64(source, event_id) IN (SELECT identity FROM suspects)
    GROUP BY source, event_id HAVING count() > 1)`).Scan(&n); err != nil {
		return 0, fmt.Errorf("look for conflicts in the ledger: %w", err)
	}
	return n, nil
}

// placedIdentity is what identities has of an order.placed beside its source and id, to find orders placed twice: the
// migrations write it.
const placedIdentity = "cityHash64('order.placed', order_id)"

// UnsettledDoubles counts the orders that several events place and that were not settled since, until the next check
// for conflicts sees to them: where two projectors booked them, or they came far apart.
func UnsettledDoubles(ctx context.Context, db driver.Conn) (n uint64, err error) {
	ctx, some, err := suspects(ctx, db)
	if err != nil || !some {
		return 0, err
	}
	if err := db.QueryRow(ctx, `
SELECT count() FROM (
    SELECT order_id FROM ledger FINAL
    WHERE refused = '' AND event_type = `+sql.Event("order.placed")+` AND standing = '' AND
        `+placedIdentity+` IN (SELECT identity FROM suspects)
    GROUP BY order_id HAVING count() > 1)`).Scan(&n); err != nil {
		return 0, fmt.Errorf("look for orders placed twice in the ledger: %w", err)
	}
	return n, nil
}

// suspects are the identities that the next check begins with. A statement that is asked with the context can read them
// from the table suspects: there may be more than the text of a statement can hold. Mostly there are none (some is
// false), and the ledger isn't read at all.
func suspects(ctx context.Context, db driver.Conn) (with context.Context, some bool, err error) {
	checked, err := Checked(ctx, db)
	if err != nil {
		return ctx, false, err
	}
	var found []uint64
	if err := db.QueryRow(ctx, `
SELECT groupArray(identity) FROM (
    SELECT identity FROM identities WHERE identity IN (`+seenAt(unchecked(checked))+`)
    GROUP BY identity HAVING min(content) != max(content))`).Scan(&found); err != nil {
		return ctx, false, fmt.Errorf("look for conflicts: %w", err)
	}
	table, err := identityTable("suspects", found)
	if err != nil {
		return ctx, false, err
	}
	return clickhouse.Context(ctx, clickhouse.WithExternalTable(table)), len(found) > 0, nil
}

// identityTable is a table that goes along with a statement, of hashes as identities has them.
func identityTable(name string, identities []uint64) (*ext.Table, error) {
	table, err := ext.NewTable(name, ext.Column("identity", "UInt64"))
	if err != nil {
		return nil, fmt.Errorf("name the %s: %w", name, err)
	}
	for _, identity := range identities {
		if err := table.Append(identity); err != nil {
			return nil, fmt.Errorf("name the %s: %w", name, err)
		}
	}
	return table, nil
}
