package against

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/wire"
)

var (
	streams = flag.Int("streams", 400, "how many random streams TestSettle compares, where all are drawn")
	first   = flag.Int64("first", 0, "the first stream's seed")
	history = flag.String("history", "", "the file of a failing history that TestReplay compares")
)

// TestSettle holds domain's settling of every unit of random streams against the reference: the same lines of every
// event, the same standings, cases and flags; and to what must hold of any books (see holds). A stream that fails is
// cut down to what is needed to fail, and kept.
func TestSettle(t *testing.T) {
	t.Parallel()
	n := *streams
	if !reference.AllStreams() {
		n /= 8
	}
	for seed := *first; seed < *first+int64(n); seed++ {
		records := reference.Generate(seed, options(seed))
		difference := compare(records, seed)
		if difference == "" {
			continue
		}
		kept := reference.Shrink(records, func(part []reference.Record) bool {
			return sortOf(compare(part,
				seed)) == sortOf(difference)
		})
		path, err := reference.KeepHistory(fmt.Sprintf("settle-%d", seed), kept)
		if err != nil {
			t.Error(err)
		}
		t.Fatalf("seed %d: %s\nkept: "+
			"go test ./domain/reference/against ./projections/post -run '^TestReplay$' -history %s", seed,
			compare(kept, seed), path)
	}
}

// sortOf is what sort of difference it is, so that a history isn't cut down to another one.
func sortOf(difference string) string {
	kind, _, _ := strings.Cut(difference, ":")
	return kind
}

// options vary with the seed: small streams, most with every trouble.
func options(seed int64) reference.Options {
	o := reference.Everything
	o.Orders, o.Conflicts, o.Duplicates, o.Knots = 3, false, false, true
	switch seed % 4 {
	case 0:
		o = reference.Options{Orders: 3}
	case 1:
		o.Periods, o.Rebuilds = false, false
	case 3:
		o.Misfits = true
	}
	return o
}

// TestReplay compares one history that was kept.
func TestReplay(t *testing.T) {
	if *history == "" {
		return // nothing is asked
	}
	records, err := reference.ReadHistory(*history)
	if err != nil {
		t.Fatal(err)
	}
	if d := compare(records, 0); d != "" {
		t.Fatal(d)
	}
}

// placed is the place of a record in the log: the sequence number is the offset, on every stream, so that a mark
// divides all of them just there.
func placed(r reference.Record) domain.Position {
	return domain.Position{Stream: domain.ParseStream(r.Stream), Offset: r.Seq, Time: r.RecordedAt}
}

func mark(r reference.Record) domain.Mark {
	ends := map[domain.Partition]int64{}
	for s := domain.Orders; s < domain.Books; s++ {
		ends[domain.Partition{Stream: s}] = r.Seq
	}
	return domain.Mark{Offset: r.Seq, Time: r.RecordedAt, Ends: ends}
}

// compare answers the first difference, as "sort: words"; "" where there is none.
func compare(records []reference.Record, seed int64) string {
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		return "reference: " + err.Error()
	}
	terms := domain.NewTerms(time.UTC)
	recorded := map[reference.Identity]domain.Recorded{}
	for _, r := range records {
		var decoder wire.Decoder
		envelope, err := decoder.Structured(r.Event)
		if err != nil {
			return fmt.Sprintf("wire: %v\n%s", err, r.Event)
		}
		if r.Stream == "books" {
			terms.Apply(&envelope.Event, mark(r))
		}
		id := reference.Identity{Source: envelope.Event.Source, ID: envelope.Event.ID}
		if _, again := recorded[id]; !again {
			event := envelope.Event
			recorded[id] = domain.Recorded{Event: &event, At: placed(r), RecordedAt: r.RecordedAt}
		}
	}
	random := rand.New(rand.NewPCG(uint64(seed), 9))
	for n, unit := range want.Units() {
		if d := compareUnit(terms, want, n, unit, recorded, random); d != "" {
			return d
		}
	}
	return ""
}

func compareUnit(terms *domain.Terms, want *reference.Books, n int, unit []reference.Identity,
	recorded map[reference.Identity]domain.Recorded, random *rand.Rand) string {
	var events []domain.Recorded
	ofUnit := false
	for _, id := range unit {
		r := recorded[id]
		events = append(events, r)
		ofUnit = ofUnit || r.Event.OrderID != "" || r.Event.ErrorID != ""
	}
	if !ofUnit {
		return "" // rates, closes, rebuilds by themselves
	}
	random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	got, err := terms.Settle(events)
	if err != nil {
		return "settle: " + err.Error()
	}
	if d := holds(terms, events, got); d != "" {
		return d
	}
	settled := map[reference.Identity]*domain.SettledEvent{}
	for i := range got.Events {
		settled[reference.Identity{Source: events[i].Event.Source, ID: events[i].Event.ID}] = &got.Events[i]
	}
	wanted := entriesOf(want, n, unit)
	for _, id := range unit {
		w, g := wanted[id], linesOf(settled[id].Lines, cmp.Or(settled[id].Home, recorded[id].Event.OrderID))
		if a, b := strings.Join(w.lines, "\n"), strings.Join(g, "\n"); a != b {
			return fmt.Sprintf("lines: of %v (%s)\nreference:\n%s\nsettle:\n%s\n%s", id, recorded[id].Event.Type, a, b,
				story(events, settled, wanted))
		}
		if s := settled[id].Standing.String(); s != w.standing {
			return fmt.Sprintf("standing: of %v (%s): reference %s, settle %s\n%s", id, recorded[id].Event.Type, w.standing, s,
				story(events, settled, wanted))
		}
	}
	if dumpAll {
		return "dump: flags " + flagsOf(want, unit) + " / " + flagsText(got.Flags) + "\n" + story(events, settled, wanted)
	}
	if a, b := strings.Join(want.CasesOfUnit(n), "\n"), casesText(got.Cases); a != b {
		return fmt.Sprintf("cases: reference\n%s\nsettle\n%s\n%s", a, b, story(events, settled, wanted))
	}
	if a, b := flagsOf(want, unit), flagsText(got.Flags); a != b {
		return fmt.Sprintf("flags: reference %s, settle %s\n%s", a, b, story(events, settled, wanted))
	}
	return ""
}

// casesText says of cases what reference.CasesOfUnit says.
func casesText(cases []domain.CaseFacts) string {
	var all []string
	for _, c := range cases {
		all = append(all, fmt.Sprintf("%s %s: cause %s, at fault %s, vendor %s, employee %s, severity %s, avoidable %s, "+
			"before delivery %t, founded %t, reported %t, part of %s", c.Case, c.Kind, c.RootCause, c.PartyAtFault, c.VendorID,
			c.EmployeeID, c.Severity, [...]string{"", "true", "false"}[c.Avoidable], c.Internal, c.Founded, c.Reported,
			c.SameAs))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

type wantedEntry struct {
	lines    []string
	standing string
}

// entriesOf are the reference's entries of a unit.
func entriesOf(b *reference.Books, n int, unit []reference.Identity) map[reference.Identity]wantedEntry {
	all := map[reference.Identity]wantedEntry{}
	for _, e := range b.EntriesOfUnit(n) {
		w := wantedEntry{standing: e.Standing}
		for _, l := range e.Lines {
			w.lines = append(w.lines, strings.Join([]string{l.Account, l.Element, l.Basis, l.Step, l.Case, l.Currency, l.Store,
				l.Amount.FloatString(4), l.Order}, " "))
		}
		sort.Strings(w.lines)
		all[e.Identity] = w
	}
	for _, id := range unit {
		if _, there := all[id]; !there {
			all[id] = wantedEntry{standing: "counts"} // a rebuild that changes nothing here
		}
	}
	return all
}

// linesOf writes the lines of an event of an order.
func linesOf(lines []domain.Line, order string) []string {
	var text []string
	for _, l := range lines {
		text = append(text, strings.Join([]string{fmt.Sprint(uint16(l.Account)), l.Element.String(), l.Basis.String(),
			l.Step.String(), l.Case,
			l.Currency, l.Store, l.Amount.String(), cmp.Or(l.Order, order)}, " "))
	}
	sort.Strings(text)
	return text
}

// flagsOf are the codes and events; by how much is another test's.
func flagsOf(b *reference.Books, unit []reference.Identity) string {
	var codes []string
	for _, f := range b.Flags {
		if slices.Contains(unit, f.Event) {
			codes = append(codes, f.Code+" of "+f.Event.Source+" "+f.Event.ID)
		}
	}
	slices.Sort(codes)
	return strings.Join(slices.Compact(codes), " ")
}

func flagsText(flags []domain.Flag) string {
	var codes []string
	for _, f := range flags {
		codes = append(codes, f.Code+" of "+f.Event.Source+" "+f.Event.ID)
	}
	slices.Sort(codes)
	return strings.Join(slices.Compact(codes), " ")
}

// story tells the unit's events in their sequence with what both make of them.
func story(events []domain.Recorded, settled map[reference.Identity]*domain.SettledEvent,
	wanted map[reference.Identity]wantedEntry) string {
	var b strings.Builder
	sort.Slice(events, func(i, j int) bool { return events[i].At.Offset < events[j].At.Offset })
	for _, r := range events {
		id := reference.Identity{Source: r.Event.Source, ID: r.Event.ID}
		fmt.Fprintf(&b, "-- at %d: %s %s %s case %s store %s %s: %+v\n   reference %s %q\n   settle    %s %q\n", r.At.Offset,
			r.Event.Time.UTC().Format(time.RFC3339), r.Event.Type, r.Event.ID, r.Event.ErrorID, r.Event.StoreID,
			r.Event.Currency, r.Event.Data,
			wanted[id].standing, wanted[id].lines, settled[id].Standing, linesOf(settled[id].Lines, r.Event.OrderID))
	}
	return b.String()
}

var dumpAll bool
