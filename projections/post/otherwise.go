package post

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// Otherwise settles the units of orders and cases again, and gives the rows of which the ledger says otherwise, as
// they should be: an entry, whether they count, what is known of their cases, what can't be right. Nothing is written.
// Rows that other rules posted are left out: what these would make is not known any more. While units are settled for
// the first time, it gives those as well.
func (t *Terms) Otherwise(ctx context.Context, db driver.Conn, orders, cases []string) (other []*ledger.Row,
	err error) {
	rows, err := ledger.ReadUnits(ctx, db, orders, cases, t.Decisions())
	if err != nil {
		return nil, err
	}
	if err := t.CatchUp(ctx); err != nil {
		return nil, err
	}
	rules := make(map[*ledger.Row]uint32, len(rows))
	for i := range rows {
		rules[&rows[i].Row] = rows[i].Rules
	}
	t.settling.Lock() // of the decoders
	defer t.settling.Unlock()
	t.Use(func(terms *domain.Terms) {
		for _, unit := range Components(rows, t.decisions) {
			changed, refused, _ := t.settler.Settle(terms, unit)
			for _, r := range refused {
				changed = append(changed, &r.Row)
			}
			for _, r := range changed {
				if by, there := rules[r]; there && by == domain.PostingRules() {
					other = append(other, r)
				}
			}
		}
	})
	return other, nil
}
