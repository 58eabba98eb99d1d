package shops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// failing is what failures cost on one day: of one case, or of an order where there is no case.
type failing struct {
	unit, errorID string
	store         string
	day           time.Time
	net           domain.Amount
}

type caseOf struct{ unit, errorID string }

// settled is what the settler makes of a log, without ClickHouse: net leakage, and the day of each failure.
type settled struct {
	costs  []failing
	failed map[caseOf]time.Time
}

// settle reads a log, settles its units and takes from their lines what the roll-up takes. It is a second way to what
// the statements read, in a second, where ClickHouse takes ten.
func settle(ctx context.Context, log *tape) (*settled, error) {
	read := decode.Log()
	known, err := post.ReadTerms(ctx, log, read, time.UTC)
	if err != nil {
		return nil, err
	}
	rows := make([]ledger.Stored, 0, len(log.records))
	for n := range log.records {
		m := log.message(n)
		d, err := read(m.Metadata, m.Payload)
		if err != nil {
			return nil, fmt.Errorf("read record %d: %w", n, err)
		}
		at, _ := positionOf(m)
		row := ledger.StoredOf(d, at)
		row.Place(known.Terms.Periods)
		rows = append(rows, row)
	}
	s := &settled{failed: map[caseOf]time.Time{}}
	settler := post.Settler{New: decode.Stored, Rebuilds: known.Rebuilds}
	for _, unit := range post.Components(rows, known.Decisions) {
		_, refused, not := settler.Settle(known.Terms, unit)
		if len(refused)+len(not) > 0 {
			return nil, fmt.Errorf("%d events are refused, and not posted: %v", len(refused), not)
		}
		s.take(unit)
	}
	return s, nil
}

// take adds what one unit's events leaked.
func (s *settled) take(rows []*ledger.Stored) {
	slices.SortFunc(rows, func(a, b *ledger.Stored) int { // what is known of a case is what the last event says
		return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), a.Event.Time.Compare(b.Event.Time),
			cmp.Compare(a.Event.Source, b.Event.Source), cmp.Compare(a.Event.ID, b.Event.ID))
	})
	facts := map[caseOf]domain.CaseFacts{}
	for _, r := range rows {
		if e := r.Event; e.ErrorID != "" || r.Settled {
			of := caseOf{r.Unit(), e.ErrorID}
			if first, known := s.failed[of]; !known || r.Day.Before(first) {
				s.failed[of] = r.Day
			}
		}
		for _, f := range r.Facts {
			facts[caseOf{cmp.Or(f.Order, r.Unit()), f.Case}] = f
		}
	}
	for _, r := range rows {
		for _, l := range r.Lines {
			of := caseOf{cmp.Or(l.Order, r.Unit()), l.Case}
			f, known := facts[of]
			if l.Element == domain.NoElement || known && (slices.Contains(domain.NoFailures(), f.Kind) || !f.Founded) {
				continue
			}
			s.costs = append(s.costs, failing{of.unit, of.errorID, l.Store, r.Day, l.Amount})
		}
	}
}

// cohorts are the months of failure of all costs: that of the first thing that was said of each, or of its first cost.
func (s *settled) cohorts() map[caseOf]time.Time {
	first := map[caseOf]time.Time{}
	for _, c := range s.costs {
		of := caseOf{c.unit, c.errorID}
		at, known := first[of]
		if !known {
			if at, known = s.failed[of]; !known {
				at = c.day
			}
		}
		if c.day.Before(at) {
			at = c.day
		}
		first[of] = at
	}
	for of, at := range first {
		first[of] = monthOf(at)
	}
	return first
}

// triangle is what came of each month's failures by age, up to a month that isn't over.
func (s *settled) triangle(end time.Time) [][]float64 {
	n := months(begin, end)
	triangle := make([][]float64, n)
	for i := range triangle {
		triangle[i] = make([]float64, n-i)
	}
	cohorts := s.cohorts()
	for _, c := range s.costs {
		cohort := cohorts[caseOf{c.unit, c.errorID}]
		if row := months(begin, cohort); c.day.Before(end) {
			triangle[row][months(cohort, c.day)] += float64(c.net) / 1e4
		}
	}
	return triangle
}

// after is what came from a day on of failures of the months before it, by month of failure.
func (s *settled) after(end time.Time) []float64 {
	came, cohorts := make([]float64, months(begin, end)), s.cohorts()
	for _, c := range s.costs {
		if cohort := cohorts[caseOf{c.unit, c.errorID}]; cohort.Before(end) && !c.day.Before(end) {
			came[months(begin, cohort)] += float64(c.net) / 1e4
		}
	}
	return came
}

// days are what each day from since to end cost, by store; that of "" is the sum.
func (s *settled) days(since, end time.Time) map[string][]float64 {
	by, n := map[string][]float64{}, int(end.Sub(since).Hours()/24)
	for _, c := range s.costs {
		d := int(c.day.Sub(since).Hours() / 24)
		if c.day.Before(since) || d >= n {
			continue
		}
		for _, store := range []string{c.store, ""} {
			if by[store] == nil {
				by[store] = make([]float64, n)
			}
			by[store][d] += float64(c.net) / 1e4
		}
	}
	return by
}

func monthOf(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }

func months(from, to time.Time) int {
	return 12*(to.Year()-from.Year()) + int(to.Month()) - int(from.Month())
}
