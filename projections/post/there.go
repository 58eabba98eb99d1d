package post

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
)

// sums are what the ledger holds of an order: how many rows, and their versions summed up, and bit by bit. It holds no
// lower version of a row that was inserted, so it holds other rows or versions where these differ.
type sums struct{ rows, sum, bits uint64 }

func (s *sums) add(version uint64) {
	s.rows++
	s.sum += version
	s.bits ^= version
}

// whatIsThere is what the ledger holds of orders, under which orders it has cases, and which orders have rows in
// leakage_daily.
type whatIsThere struct {
	orders  map[string]sums
	cases   map[string][]string
	leakage map[string]uint64 // the highest version
	twice   map[string]bool   // orders of which somebody else wrote a row at the same version
	recount uint64            // ledger.RollUpVersion from before it was asked; 0 where that doesn't tell enough
}

func newWhatIsThere() *whatIsThere {
	return &whatIsThere{orders: map[string]sums{}, cases: map[string][]string{}, leakage: map[string]uint64{},
		twice: map[string]bool{}}
}

// ask asks for the orders and cases of units.
func (w *whatIsThere) ask(ctx context.Context, db driver.Conn, units [][]*ledger.Stored) error {
	orders, cases := map[string]bool{}, map[string]bool{}
	for _, unit := range units {
		for _, r := range unit {
			orders[r.Event.OrderID] = true
			for _, c := range r.Cases() {
				cases[c] = true
			}
		}
	}
	names := slices.Collect(maps.Keys(orders))
	var err error
	for _, t := range []struct {
		table string
		names []string
	}{{"names", names}, {"named_cases", slices.Collect(maps.Keys(cases))}} {
		if ctx, err = ledger.Texts(ctx, t.table, "name", t.names); err != nil {
			return err
		}
	}
	if err := w.read(ctx, db); err != nil {
		return fmt.Errorf("ask what the ledger holds of %d orders and %d cases: %w", len(names), len(cases), err)
	}
	return nil
}

func (w *whatIsThere) read(ctx context.Context, db driver.Conn) error {
	rows, err := db.Query(ctx, statements.Text("what_is_there", nil))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var what, name, other string
		var s sums
		var copies uint64
		if err := rows.Scan(&what, &name, &other, &s.rows, &s.sum, &s.bits, &copies); err != nil {
			return err
		}
		switch what {
		case "order":
			w.orders[name] = s
			if copies > 1 {
				w.twice[name] = true
			}
		case "case":
			w.cases[name] = append(w.cases[name], other)
		default:
			w.leakage[name] = s.sum
		}
	}
	return rows.Err()
}

// knownBuckets reports whether it is certain which buckets leakage_daily has of an order whose rows are there exactly:
// none, or those of was, which is what this process wrote of it last; nil where it wrote nothing. (Recounts that are
// under way see by themselves that rows came, see rollUpWhere.)
func (w *whatIsThere) knownBuckets(order string, was *orderLeakage) bool {
	version, is := w.leakage[order]
	switch {
	case w.recount == 0 || w.twice[order]:
		return false
	case was == nil || len(was.sums) == 0:
		return !is
	}
	return is && version == was.version
}

// holds reports whether exactly the rows of a unit are there.
func (w *whatIsThere) holds(unit []*ledger.Stored) bool {
	var of [4]orderSums // mostly one
	want := of[:0]
	for _, r := range unit {
		i := slices.IndexFunc(want, func(o orderSums) bool { return o.order == r.Event.OrderID })
		if i < 0 {
			i = len(want)
			want = append(want, orderSums{order: r.Event.OrderID})
		}
		want[i].add(r.Version())
	}
	for i := range want {
		if w.orders[want[i].order] != want[i].sums {
			return false
		}
	}
	for _, r := range unit {
		for _, c := range r.Cases() {
			for _, order := range w.cases[c] {
				if !slices.ContainsFunc(want, func(o orderSums) bool { return o.order == order }) {
					return false
				}
			}
		}
	}
	return true
}

// orderSums are what is to be there of an order.
type orderSums struct {
	order string
	sums
}
