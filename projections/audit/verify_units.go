package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// What later events may still change of an event is in no seal: whether it counts, what is known of its case, what
// can't be right. All of it follows from the events, which the seals prove: so the units of the verified months are
// settled again, and what the ledger says otherwise is named.

// mostVerified is how many units are settled in one go, and looks how often what is otherwise is looked at again: it
// may be under way.
const (
	mostVerified = 2000
	looks        = 5
)

// unitWalk goes through the units of the verified months.
type unitWalk struct {
	v         *Verification
	otherwise func(ctx context.Context, orders, cases []string) ([]*ledger.Row, error)
	closes    map[domain.Period]*Sealable // the last of each month
	named     map[string]bool             // orders and cases of which something deviates already
	told      map[string]bool             // events
}

// compareUnits settles the units of the verified months again. What deviates already makes its whole unit deviate:
// those units are left out.
func (v *Verification) compareUnits(ctx context.Context, db driver.Conn, with *VerifyAgainst) error {
	w := &unitWalk{v: v, otherwise: with.Otherwise, closes: map[domain.Period]*Sealable{}, named: map[string]bool{},
		told: map[string]bool{}}
	for _, d := range v.Deviations {
		w.named[d.OrderID], w.named[d.ErrorID] = true, true
	}
	var sealed []string
	for i := range with.Closes {
		if c := &with.Closes[i]; c.Last {
			w.closes[c.Period] = c
			sealed = append(sealed, ledger.SealedOf(c.Period, &c.Mark))
		}
	}
	if len(sealed) == 0 {
		return nil
	}
	rows, err := statements.Make("seal_units", struct{ Sealed []string }{sealed}).Rows(sparingly(ctx), db)
	if err != nil {
		return fmt.Errorf("list the units of the verified months: %w", err)
	}
	defer rows.Close()
	var orders, cases []string
	for rows.Next() {
		var order, errorID string
		if err := rows.Scan(&order, &errorID); err != nil {
			return fmt.Errorf("list the units of the verified months: %w", err)
		}
		if order != "" {
			orders = append(orders, order)
		} else {
			cases = append(cases, errorID)
		}
		if len(orders)+len(cases) < mostVerified {
			continue
		}
		if err := w.settle(ctx, orders, cases); err != nil {
			return err
		}
		orders, cases = nil, nil
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list the units of the verified months: %w", err)
	}
	return w.settle(ctx, orders, cases)
}

// settle names what stays otherwise of some units.
func (w *unitWalk) settle(ctx context.Context, orders, cases []string) error {
	for look := range looks {
		if len(orders)+len(cases) == 0 {
			return nil
		}
		if look > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(300 * time.Millisecond):
			}
		}
		other, err := w.otherwise(ctx, orders, cases)
		if err != nil {
			return fmt.Errorf("settle the units of the verified months again: %w", err)
		}
		orders, cases = nil, nil
		for _, r := range other {
			c := w.closes[r.Posting]
			name := r.Event.Source + " " + r.Event.ID
			if c == nil || c.Mark.Precedes(r.Position) || w.told[name] || r.Event.Type == domain.TypeBooksSealed ||
				r.Event.OrderID != "" && w.named[r.Event.OrderID] || r.Event.ErrorID != "" && w.named[r.Event.ErrorID] {
				continue
			}
			if look < looks-1 {
				orders, cases = unitOf(r, orders, cases)
				continue
			}
			w.told[name] = true
			w.v.deviate(Deviation{Code: SettledOther, Period: c.Period.String(), Close: c.Number, Source: r.Event.Source,
				ID: r.Event.ID, OrderID: r.Event.OrderID, ErrorID: r.Event.ErrorID,
				Place: placeOf(domain.Partition{Stream: r.Position.Stream, Number: r.Position.Partition}, r.Position.Offset)})
		}
	}
	return nil
}

// unitOf adds the order of a row, or the case that has none.
func unitOf(r *ledger.Row, orders, cases []string) ([]string, []string) {
	switch {
	case r.Event.OrderID != "":
		orders = append(orders, r.Event.OrderID)
	case r.Event.ErrorID != "":
		cases = append(cases, r.Event.ErrorID)
	}
	return orders, cases
}
