package post

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// family is an event, its void, the void of that, and so on, each the exact negation of the one before it. The first may be
// a void itself, of what never came.
//
// Mostly the first decides what all of them post. But a void may be recorded before its original, and a month be closed
// between the two: the month's report holds the void as it was posted then, from the original that it carries, and must not
// change. Then the void decides, and its original, which came after the close, takes the exact negation of the void's lines.
type family []*ledger.Stored

// from is the member whose lines member i negates; i itself where its lines are its own.
func (f family) from(i int, periods *domain.Periods) int {
	switch {
	case f[0].Refused != "": // nothing of it is in the books
		return max(i-1, 0)
	case i+1 < len(f) && periods.ClosedBetween(f[i+1].Placed(), f[i].Position):
		return i + 1
	case i > 0 && !periods.ClosedBetween(f[i].Placed(), f[i-1].Position):
		return i - 1
	default:
		return i
	}
}

// Bound is part of a family: those whose lines are the same, up to the sign.
type Bound struct {
	Decides *ledger.Stored
	Others  []*ledger.Stored // in the order in which each can take its lines from one that has them
	from    []*ledger.Stored // of each of the others: whose lines it negates
	With    []domain.Placed  // the places of the others
}

// Bounds divides the family.
func (f family) Bounds(periods *domain.Periods) []Bound {
	var all []Bound
	for i := range f {
		if f.from(i, periods) != i {
			continue
		}
		b := Bound{Decides: f[i]}
		take := func(j, from int) {
			b.Others, b.from, b.With = append(b.Others, f[j]), append(b.from, f[from]), append(b.With, f[j].Placed())
		}
		for j := i + 1; j < len(f) && f.from(j, periods) == j-1; j++ {
			take(j, j-1)
		}
		for j := i - 1; j >= 0 && f.from(j, periods) == j+1; j-- {
			take(j, j+1)
		}
		all = append(all, b)
	}
	return all
}

// Negate gives the others the exact negation of what they follow, and returns those that this changes.
func (b *Bound) Negate() (changed []*ledger.Stored) {
	for i, r := range b.Others {
		want := slices.Clone(b.from[i].Lines)
		domain.Negate(want)
		// What the one who decides lacks, that one says.
		if !slices.Equal(r.Lines, want) || len(r.Unpriced) > 0 {
			r.Lines, r.Unpriced = want, nil
			changed = append(changed, r)
		}
	}
	return changed
}

// settle makes what the family posts what it should be, as things stand in the log, and returns the members that changed.
// Who decides is posted anew only where its lines may not be its own: an original's are, unless a rebuild that would cover it
// doesn't cover its voids; a void's may have been taken from an original that a close has parted it from since.
func (p *Reposter) settle(f family, several bool, terms *domain.Terms) (changed []*ledger.Stored, err error) {
	for _, b := range f.Bounds(terms.Periods) {
		d := b.Decides
		own, together := terms.PricedAt(d.Event.Time, d.Position), terms.PricedAt(d.Event.Time, d.Position, b.With...)
		// What other rules posted, only a rebuild may change.
		suspect := (d.VoidsType != "" || several) && d.Rules == domain.PostingRules()
		if d.Refused == "" && (suspect || own.Stream != together.Stream || own.Offset != together.Offset) {
			is, err := p.Post(&d.Row, terms, together, true)
			if err != nil {
				return nil, err
			}
			if is {
				d.KeepLines()
				changed = append(changed, d)
			}
		}
		others := b.Negate()
		for _, r := range others {
			// Its place too is what is known of it now: another may have corrected that since the row was read.
			if _, err := p.Post(&r.Row, terms, r.Position, false); err != nil {
				return nil, err
			}
		}
		changed = append(changed, others...)
	}
	return changed, nil
}

// kin is what the ledger holds of some families.
type kin struct {
	Families []family
	several  []bool           // of each family: something of it was voided more than once
	again    []*ledger.Stored // voids of what was voided before, by a void recorded earlier
	rows     map[ledger.Ref]*ledger.Stored
	refused  []*ledger.Stored // left the books before
}

// KinOf sorts rows of the ledger into families: all of a target's, or nothing of them, must be there.
func KinOf(rows []ledger.Stored) *kin {
	k := &kin{rows: map[ledger.Ref]*ledger.Stored{}}
	voids := map[ledger.Ref][]*ledger.Stored{}
	for i := range rows {
		r := &rows[i]
		if r.Refused != "" {
			k.refused = append(k.refused, r)
			continue
		}
		k.rows[r.Ref()] = r
		if r.VoidsType != "" {
			voids[r.Voids] = append(voids[r.Voids], r)
		}
	}
	second := map[*ledger.Stored]bool{}
	for _, all := range voids {
		slices.SortFunc(all, (*ledger.Stored).Earlier)
		for _, r := range all[1:] {
			second[r] = true
			k.again = append(k.again, r)
		}
	}
	for i := range rows {
		r := &rows[i]
		if k.rows[r.Ref()] != r || r.VoidsType != "" && k.rows[r.Voids] != nil && !second[r] {
			continue // it isn't the first of its family
		}
		f, several := family{r}, len(voids[r.Voids]) > 1
		for len(voids[f[len(f)-1].Ref()]) > 0 && len(f) < maxFamily {
			all := voids[f[len(f)-1].Ref()]
			f, several = append(f, all[0]), several || len(all) > 1
		}
		k.Families, k.several = append(k.Families, f), append(k.several, several)
	}
	return k
}

// maxFamily bounds voids of voids; the codec allows for four.
const maxFamily = 16

// ReadKin reads the targets, their voids, and where whole is said, all that is bound to them by further voids. It says in
// the targets what that is.
func ReadKin(ctx context.Context, db driver.Conn, targets []ledger.Ref, whole bool) ([]ledger.Stored, []ledger.Ref, error) {
	named := map[ledger.Ref]bool{}
	for _, t := range targets {
		named[t] = true
	}
	for {
		rows, err := ledger.ReadFamilies(ctx, db, targets)
		if err != nil || !whole {
			return rows, targets, err
		}
		before := len(targets)
		for i := range rows {
			if rows[i].VoidsType == "" || rows[i].Refused != "" {
				continue
			}
			for _, t := range []ledger.Ref{rows[i].Voids, rows[i].Ref()} {
				if !named[t] {
					named[t] = true
					targets = append(targets, t)
				}
			}
		}
		if len(targets) == before {
			return rows, targets, nil
		}
	}
}

// DecidingVoids are the voids, by what they take back, whose lines are their own: their originals never came, or came after
// a close that the void stands before.
func DecidingVoids(ctx context.Context, db driver.Conn, terms *domain.Terms) (map[ledger.Ref]bool, error) {
	v := voidSettler{db: db}
	if err := v.load(ctx); err != nil {
		return nil, err
	}
	deciding := make(map[ledger.Ref]bool, len(v.pending))
	for _, r := range v.pending {
		deciding[r] = true
	}
	if len(terms.Periods.EverClosed()) == 0 {
		return deciding, nil
	}
	rows, err := db.Query(ctx, `
SELECT v.order_id, v.voids_source, v.voids_id, v.occurred_at, toUInt8(v.stream), v.partition, v.offset, v.recorded_at, toUInt8(o.stream), o.partition, o.offset, o.recorded_at
FROM (SELECT * FROM ledger FINAL WHERE refused = '' AND voids_id != ''
        AND (order_id, source, event_id) IN (SELECT order_id, source, event_id FROM voids)) AS v
INNER JOIN (SELECT order_id, source, event_id, stream, partition, offset, recorded_at FROM ledger FINAL WHERE refused = ''
        AND (order_id, source, event_id) IN (SELECT order_id, voids_source, voids_id FROM voids)) AS o
    ON v.order_id = o.order_id AND v.voids_source = o.source AND v.voids_id = o.event_id`)
	if err != nil {
		return nil, fmt.Errorf("find the voids that stand before their originals: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var target ledger.Ref
		var void domain.Placed
		var original domain.Position
		var stream, of uint8
		if err := rows.Scan(&target.Order, &target.Source, &target.ID, &void.Occurred, &stream, &void.At.Partition, &void.At.Offset, &void.At.Time,
			&of, &original.Partition, &original.Offset, &original.Time); err != nil {
			return nil, fmt.Errorf("find the voids that stand before their originals: %w", err)
		}
		void.At.Stream, original.Stream = domain.Stream(stream), domain.Stream(of)
		if terms.Periods.ClosedBetween(void, original) {
			deciding[target] = true
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("find the voids that stand before their originals: %w", err)
	}
	return deciding, nil
}
