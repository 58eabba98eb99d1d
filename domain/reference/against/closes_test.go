package against

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/wire"
)

// TestClosesMoveNothing: what a unit comes to in the end, what is known of its cases and what is flagged don't depend
// on where closes stand among its events. Nobody says anything twice here: of two that say it the one counts that a
// close saw. Nothing of the reference is asked but which events are of one unit.
func TestClosesMoveNothing(t *testing.T) {
	t.Parallel()
	eachOf(t, movedByCloses, func(o *reference.Options, seed int64) {
		o.Periods, o.Rebuilds, o.Twice, o.Misfits = false, false, false, seed%4 == 3
	})
}

// eachOf asks of each random stream what differs in it, as "sort: words"; "" is nothing. A stream that fails is told
// without what isn't needed to fail.
func eachOf(t *testing.T, differs func([]reference.Record) string, of func(*reference.Options, int64)) {
	t.Helper()
	n := *streams
	if !reference.AllStreams() {
		n /= 16
	}
	for seed := *first; seed < *first+int64(n); seed++ {
		o := options(seed)
		of(&o, seed)
		records := reference.Generate(seed, o)
		difference := differs(records)
		if difference == "" {
			continue
		}
		kept := reference.Shrink(records, func(part []reference.Record) bool {
			return sortOf(differs(part)) == sortOf(difference)
		})
		t.Fatalf("seed %d: %s", seed, differs(kept))
	}
}

// movedByCloses answers the first unit that closes move, as "sort: words"; "" where there is none.
func movedByCloses(records []reference.Record) string {
	units, all, err := unitsOf(records)
	if err != nil {
		return "records: " + err.Error()
	}
	open := termsClosed(all)
	for _, events := range units {
		slices.SortFunc(events, func(a, b domain.Recorded) int { return cmp.Compare(a.At.Offset, b.At.Offset) })
		var each []int64 // where a close may stand: before each record but the first
		for _, r := range events[1:] {
			each = append(each, r.At.Offset)
		}
		was := inTheEnd(open, events)
		if strings.Contains(was, " is double") || strings.Contains(was, " is waits") {
			continue
		}
		for _, at := range each {
			if is := inTheEnd(termsClosed(all, at), events); is != was {
				return fmt.Sprintf("a close: before the record %d\n%s\nwithout it:\n%s\n%s", at, is, was, told(events))
			}
		}
		if is := inTheEnd(termsClosed(all, each...), events); is != was {
			return fmt.Sprintf("closes: between all\n%s\nwithout them:\n%s\n%s", is, was, told(events))
		}
	}
	return ""
}

// unitsOf are the events of each unit that is of an order or a case, and all of them.
func unitsOf(records []reference.Record) (units [][]domain.Recorded, all []domain.Recorded, err error) {
	books, err := reference.Run(records, time.UTC)
	if err != nil {
		return nil, nil, err
	}
	recorded := map[reference.Identity]domain.Recorded{}
	for _, r := range records {
		var decoder wire.Decoder
		envelope, err := decoder.Structured(r.Event)
		if err != nil {
			return nil, nil, fmt.Errorf("%w\n%s", err, r.Event)
		}
		event := envelope.Event
		all = append(all, domain.Recorded{Event: &event, At: placed(r), RecordedAt: r.RecordedAt})
		recorded[reference.Identity{Source: event.Source, ID: event.ID}] = all[len(all)-1]
	}
	for _, unit := range books.Units() {
		var events []domain.Recorded
		for _, id := range unit {
			events = append(events, recorded[id])
		}
		if slices.ContainsFunc(events, func(r domain.Recorded) bool { return r.Event.OrderID+r.Event.ErrorID != "" }) {
			units = append(units, events)
		}
	}
	return units, all, nil
}

// TestWhatIsTakenBackIsAsNever: what was voided, decided against or waits changes nothing of what the others come to.
func TestWhatIsTakenBackIsAsNever(t *testing.T) {
	t.Parallel()
	eachOf(t, leftBehind, func(o *reference.Options, _ int64) { o.Periods, o.Rebuilds = false, false })
}

// leftBehind answers the first unit that comes to something else without what doesn't count, as "sort: words".
func leftBehind(records []reference.Record) string {
	units, all, err := unitsOf(records)
	if err != nil {
		return "records: " + err.Error()
	}
	terms := termsClosed(all)
	for _, events := range units {
		s, err := terms.Settle(events)
		if err != nil {
			return "settle: " + err.Error()
		}
		var left []domain.Recorded
		for i, r := range events {
			_, void := r.Event.Data.(*domain.EventVoided)
			is := s.Events[i].Standing
			if !void && (is == domain.Counts || is == domain.Double) {
				left = append(left, r)
			}
		}
		was, is := ofWhatCounts(inTheEnd(terms, events)), ofWhatCounts(inTheEnd(terms, left))
		if is != was {
			return fmt.Sprintf("left:\n%s\nwith what doesn't count:\n%s\n%s", is, was, told(events))
		}
	}
	return ""
}

// ofWhatCounts leaves out the standings, and the flags of what waits.
func ofWhatCounts(text string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool {
		return strings.HasPrefix(l, "standing ") || strings.Contains(l, domain.CaseUnderTwoOrders) ||
			strings.Contains(l, domain.OtherCurrency)
	}), "\n")
}

// termsClosed are the rates that events set, with a close before each of these places in the log.
func termsClosed(all []domain.Recorded, before ...int64) *domain.Terms {
	terms := domain.NewTerms(time.UTC)
	for _, r := range all {
		if r.At.Stream == domain.Books {
			terms.Apply(r.Event, mark(reference.Record{Seq: r.At.Offset, RecordedAt: r.RecordedAt}))
		}
	}
	for i, offset := range before {
		period := domain.Period(i)
		terms.Apply(&domain.Event{Source: "closes", ID: fmt.Sprint(i), Type: domain.TypePeriodClosed,
			Data: &domain.PeriodClosed{Period: period}}, mark(reference.Record{Seq: offset - 1}))
	}
	return terms
}

// inTheEnd is what a unit comes to: a line for each amount, case and flag.
func inTheEnd(terms *domain.Terms, events []domain.Recorded) string {
	s, err := terms.Settle(events)
	if err != nil {
		return "settle: " + err.Error()
	}
	sums := map[string]domain.Amount{}
	for i := range s.Events {
		of := cmp.Or(s.Events[i].Home, events[i].Event.OrderID)
		for _, l := range s.Events[i].Lines {
			sums[fmt.Sprint(uint16(l.Account), " ", l.Element, " ", l.Step, " ", l.Case, " ",
				cmp.Or(l.Currency, events[i].Event.Currency), " ", l.Store, " ", cmp.Or(l.Order, of))] += l.Amount
		}
	}
	var all []string
	for at, amount := range sums {
		if amount != 0 {
			all = append(all, at+" "+amount.String())
		}
	}
	for _, f := range s.Flags {
		all = append(all, fmt.Sprint("flag ", f))
	}
	for i := range s.Events {
		if s.Events[i].Standing != domain.Counts {
			all = append(all, "standing "+events[i].Event.ID+" is "+s.Events[i].Standing.String())
		}
	}
	slices.Sort(all)
	return strings.Join(append(all, casesText(s.Cases)), "\n")
}

func told(events []domain.Recorded) string {
	var b strings.Builder
	for _, r := range events {
		fmt.Fprintf(&b, "-- at %d: %s %s %s order %s case %s %s: %+v\n", r.At.Offset, r.Event.Time.UTC().Format(time.RFC3339),
			r.Event.Type, r.Event.ID, r.Event.OrderID, r.Event.ErrorID, r.Event.Currency, r.Event.Data)
	}
	return b.String()
}
