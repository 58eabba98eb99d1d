package post

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/makegood/makegood/projections/sql"
)

// leakageColumns are the columns of leakage_daily, each by itself.
type leakageColumns struct {
	texts          [16][]string
	day, posting   []time.Time
	account        []uint16
	amount         []string
	lines, version []uint64
}

// leakageNames are their names: texts, the order once more, and the others.
const leakageNames = "unit, error_id, currency, store_id, element, basis, selling_store, part, vendor_id, kind, " +
	"root_cause, party_at_fault, employee_id, avoidable, category, founded, order_id, day, posting_day, account, " +
	"amount, lines, version"

func newLeakageColumns(rows int) *leakageColumns {
	c := leakageColumns{day: make([]time.Time, 0, rows), posting: make([]time.Time, 0, rows),
		account: make([]uint16, 0, rows), amount: make([]string, 0, rows),
		lines: make([]uint64, 0, rows), version: make([]uint64, 0, rows)}
	for i := range c.texts {
		c.texts[i] = make([]string, 0, rows)
	}
	return &c
}

func (c *leakageColumns) add(o *orderLeakage) {
	for i := range o.sums {
		b := &o.sums[i]
		f := o.facts(&b.bucket)
		for i, text := range [...]string{o.order, b.errorID, b.currency, b.store, b.element.String(), b.basis.String(),
			o.soldBy, f.part, f.vendor, f.kind, f.cause, f.party, f.employee, f.avoidable, f.category, f.founded} {
			c.texts[i] = append(c.texts[i], text)
		}
		c.day, c.posting = append(c.day, b.day), append(c.posting, b.posting)
		c.account, c.amount = append(c.account, uint16(b.account)), append(c.amount, b.amount.String())
		c.lines, c.version = append(c.lines, b.lines), append(c.version, o.version)
	}
}

func (c *leakageColumns) all() (all []any) {
	for i := range c.texts {
		all = append(all, c.texts[i])
	}
	return append(all, c.texts[0], c.day, c.posting, c.account, c.amount, c.lines, c.version)
}

// insertLeakage writes what leakage_daily is to hold of orders.
func (p *Projector) insertLeakage(ctx context.Context, orders []*orderLeakage) error {
	rows := 0
	for _, o := range orders {
		rows += len(o.sums)
	}
	if rows == 0 {
		return nil
	}
	c := newLeakageColumns(rows)
	for _, o := range orders {
		c.add(o)
	}
	// As elsewhere, a batch may hold events of many months.
	ctx = sql.WithSettings(ctx, clickhouse.Settings{"max_partitions_per_insert_block": 0})
	if err := p.insertColumns(ctx, c); err != nil {
		return fmt.Errorf("write the leakage of %d orders: %w", len(orders), err)
	}
	return nil
}

func (p *Projector) insertColumns(ctx context.Context, c *leakageColumns) error {
	batch, err := p.db.PrepareBatch(ctx, "INSERT INTO leakage_daily ("+leakageNames+")")
	if err != nil {
		return err
	}
	defer batch.Close()
	for i, values := range c.all() {
		if err := batch.Column(i).Append(values); err != nil {
			return err
		}
	}
	return batch.Send()
}
