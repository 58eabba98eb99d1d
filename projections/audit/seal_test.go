package audit_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// closesOf are the closes of a stream that count, and all that its books stream says.
func closesOf(t *testing.T, records []reference.Record) ([]domain.Numbered, *domain.Terms) {
	t.Helper()
	terms, read := domain.NewTerms(time.UTC), decode.Log()
	for _, r := range records {
		if r.Stream != "books" {
			continue
		}
		e, err := read(message.Metadata{"content-type": "application/cloudevents+json"}, r.Event)
		if err != nil {
			t.Fatal(err)
		}
		terms.Apply(&e.Event, bookstest.Mark(r))
	}
	closes := terms.Periods.AllCloses()
	if len(closes) < 3 {
		t.Fatalf("%d closes", len(closes))
	}
	return closes, terms
}

func rootOf(t *testing.T, store *clickhouse.Store, c *domain.Numbered) audit.Root {
	t.Helper()
	root, err := audit.SealClose(t.Context(), store.DB, c)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// TestSealIsAFunctionOfTheLog: a close has the same root when it is sealed at once, after all that came later (late
// events, voids, decisions, reopenings, rebuilds, rates), and in books that met the records in another order, in other
// batches, some twice, with processes that ended half-way.
func TestSealIsAFunctionOfTheLog(t *testing.T) {
	for _, seed := range bookstest.Seeds(t, 2, 1) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(seed), 23))
			records := bookstest.Generated(t, seed)
			slices.SortFunc(records, func(a, b reference.Record) int { return int(a.Seq - b.Seq) })
			closes, _ := closesOf(t, records)

			one := bookstest.Open(t)
			atOnce, from := map[int]audit.Root{}, 0
			for i := range closes {
				to := slices.IndexFunc(records, func(r reference.Record) bool { return r.Seq > closes[i].Mark.Offset })
				if to < 0 {
					to = len(records)
				}
				part := slices.Clone(records[from:to])
				random.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
				bookstest.BookKnowing(t, one, records[:to], part, closes[i].Mark.Offset+1)
				atOnce[i], from = rootOf(t, one, &closes[i]), to
			}
			bookstest.BookKnowing(t, one, records, records[from:], records[len(records)-1].Seq+1)
			same := func(what string, store *clickhouse.Store) {
				events := int64(0)
				for i := range closes {
					c := &closes[i]
					if root := rootOf(t, store, c); root != atOnce[i] {
						t.Errorf("seed %d: %s, close %d: %+v, and %s %+v", seed, c.Period, c.Number, atOnce[i], what, root)
					}
					events += atOnce[i].Events
				}
				if events < 100 {
					t.Errorf("%d events are sealed", events)
				}
			}
			same("after all that came later", one)
			t.Run("other books", func(t *testing.T) {
				other := bookstest.Open(t)
				bookstest.Book(t, other, records, random)
				same("in other books", other)
			})
		})
	}
}

// logOf is a stream as the log has it: one partition each.
func logOf(records []reference.Record) (all []audit.LogPartition) {
	l := &bookstest.Log{Records: records}
	for s := domain.Orders; s <= domain.Books; s++ {
		all = append(all, audit.LogPartition{Topic: s.String(), Stream: s, Booked: records[len(records)-1].Seq + 1,
			Read: func(_ context.Context, end int64, take func(audit.LogRecord) error) error {
				for _, r := range records {
					if r.Stream != s.String() || r.Seq >= end {
						continue
					}
					m := l.Message(r)
					if err := take(audit.LogRecord{Offset: r.Seq, Time: r.RecordedAt, Headers: m.Metadata,
						Value: m.Payload}); err != nil {
						return err
					}
				}
				return nil
			}})
	}
	return all
}

// sealAll seals all closes, and says what to verify them against.
func sealAll(t *testing.T, store *clickhouse.Store, records []reference.Record) audit.VerifyAgainst {
	t.Helper()
	closes, terms := closesOf(t, records)
	all := post.NewTerms(&bookstest.Log{Records: records}, decode.Log(), decode.Stored, time.UTC)
	if err := all.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	with := audit.VerifyAgainst{Now: time.Now(), Partitions: logOf(records),
		Place: func(r *ledger.Row) { r.Place(terms.Periods) },
		Otherwise: func(ctx context.Context, orders, cases []string) ([]*ledger.Row, error) {
			return all.Otherwise(ctx, store.DB, orders, cases)
		}}
	last := map[domain.Period]int{}
	for _, c := range closes {
		last[c.Period] = c.Number
	}
	previous := ""
	for _, c := range closes {
		root := rootOf(t, store, &c)
		seal := &domain.Seal{BooksSealed: domain.BooksSealed{Period: c.Period, Close: int64(c.Number),
			Format: domain.SealFormat, Events: root.Events, Root: root.Hash, Previous: previous}}
		with.Closes = append(with.Closes, audit.Sealable{Numbered: c, Seal: seal, Previous: previous,
			Last: c.Number == last[c.Period]})
		previous = seal.Hash()
	}
	return with
}

func verifies(t *testing.T, store *clickhouse.Store, with audit.VerifyAgainst) *audit.Verification {
	t.Helper()
	v, err := audit.Verify(t.Context(), store.DB, decode.Log(), with)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// another is how a cell of a column is changed, by its type.
func another(name, kind string) string {
	element, isList := strings.CutPrefix(kind, "Array(")
	element = strings.TrimSuffix(element, ")")
	switch {
	case isList && strings.HasPrefix(element, "Tuple("):
		return "arrayPushBack(" + name + ", defaultValueOfTypeName('" + quoted(element) + "'))"
	case isList && element == "String":
		return "arrayPushBack(" + name + ", '~')"
	case isList:
		return "arrayPushBack(" + name + ", CAST(1, '" + quoted(element) + "'))"
	case strings.Contains(kind, "String"):
		return "concat(" + name + ", '~')"
	case strings.HasPrefix(kind, "Enum"):
		return "if(" + name + " = 'orders', 'errors', 'orders')"
	case strings.HasPrefix(kind, "DateTime64"):
		return name + " + toIntervalSecond(1)"
	case kind == "Date":
		return name + " + toIntervalMonth(1)"
	case kind == "Bool":
		return "NOT " + name
	}
	return name + " + 1"
}

func quoted(kind string) string { return strings.ReplaceAll(kind, "'", `\'`) }

// unsealedColumn says of a column why it is in no seal; what is kept as a list of tuples counts as one of its fields.
func unsealedColumn(name string) string {
	lists := map[string]string{"own_lines": "line_case", "facts": "fact_case", "flags": "flag_case"}
	for why, columns := range ledger.Unsealed {
		if slices.Contains(columns, cmp.Or(lists[name], name)) {
			return why
		}
	}
	return ""
}

type storedColumn struct {
	Name string `ch:"name"`
	Kind string `ch:"type"`
}

// storedColumns are those of the ledger that hold something of their own.
func storedColumns(t *testing.T, store *clickhouse.Store) (stored []storedColumn) {
	t.Helper()
	if err := store.DB.Select(t.Context(), &stored, `SELECT name, type FROM system.columns
WHERE database = currentDatabase() AND table = 'ledger' AND default_kind != 'ALIAS'`); err != nil {
		t.Fatal(err)
	}
	return stored
}

// sealedStream books and seals a stream. It gives the statement that selects the rows of its largest close, and their
// ids.
func sealedStream(t *testing.T, stream int64) (*clickhouse.Store, audit.VerifyAgainst, string, []string) {
	t.Helper()
	store := bookstest.Open(t)
	records := bookstest.Generated(t, stream)
	slices.SortFunc(records, func(a, b reference.Record) int { return int(a.Seq - b.Seq) })
	bookstest.BookKnowing(t, store, records, records, records[len(records)-1].Seq+1)
	with := sealAll(t, store, records)
	last := slices.MaxFunc(with.Closes, func(a, b audit.Sealable) int { // of the most events
		return cmp.Or(cmp.Compare(fmt.Sprint(a.Last), fmt.Sprint(b.Last)), cmp.Compare(a.Seal.Events, b.Seal.Events))
	})
	of := `ledger FINAL WHERE ` + ledger.SealedOf(last.Period, &last.Mark) + ` AND order_id != '' AND notEmpty(account)`
	var events []string
	if err := store.DB.QueryRow(t.Context(), `SELECT groupArray(event_id) FROM `+of).Scan(&events); err != nil {
		t.Fatal(err)
	}
	return store, with, of, events
}

// TestEveryCell: whatever cell of an event of a closed month is changed, the event is named, and no other; and where it
// isn't, the column is one that makegood changes by itself. Streams whose months are too small are passed over.
func TestEveryCell(t *testing.T) {
	t.Parallel()
	// With the first one the partition of what a rebuild posted for a unit is changed.
	seeds := []uint64{16686944312839073753}
	if reference.AllStreams() {
		seeds = append(seeds, rand.Uint64())
	}
	for _, seed := range seeds {
		someEveryCell(t, seed)
	}
}

func someEveryCell(t *testing.T, seed uint64) {
	t.Helper()
	for n := range uint64(20) {
		enough := false
		t.Run(fmt.Sprint(seed+n), func(t *testing.T) { enough = everyCell(t, seed+n) })
		if enough || t.Failed() {
			return
		}
	}
	t.Error("no stream has enough events")
}

// everyCell is false where a stream's largest close hasn't two events for each column.
func everyCell(t *testing.T, seed uint64) bool {
	random := rand.New(rand.NewPCG(seed, 1))
	store, with, of, events := sealedStream(t, int64(seed%1000))
	if v := verifies(t, store, with); !v.Clean() || v.Records == 0 {
		t.Fatalf("untouched books deviate: %+v", v.Deviations)
	}
	stored := storedColumns(t, store)
	if len(events) < 2*len(stored) {
		return false
	}
	random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	change := func(only func(column string) bool) map[string]string {
		t.Helper()
		changed := map[string]string{} // the columns, by event
		for _, c := range stored {
			if !only(c.Name) || c.Name == "version" {
				continue // that the version rises is how a changed row takes the place of the one before
			}
			id := events[0]
			changed[id], events = c.Name, events[1:]
			if err := store.DB.Exec(t.Context(), `INSERT INTO ledger SELECT * REPLACE (`+another(c.Name, c.Kind)+` AS `+c.Name+`,
				version + 1 AS version) FROM (SELECT * FROM `+of+` AND event_id = '`+id+`')`); err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
		}
		if len(changed) == 0 {
			t.Error("there is no such column")
		}
		return changed
	}
	own := func(column string) bool { return unsealedColumn(column) == ledger.Own }
	settled := func(column string) bool { return unsealedColumn(column) == ledger.AsSettled }
	// Nothing proves what makegood notes for itself. But with other rates noted than the event was priced with, it may be
	// priced otherwise when its unit is settled again: then it may be named.
	changed := map[string]string{}
	notes := change(own)
	maps.DeleteFunc(notes, func(_, column string) bool { return column != "rated" })
	for _, d := range verifies(t, store, with).Deviations {
		if notes[d.ID] == "" || d.Code != audit.SettledOther {
			t.Errorf("of what makegood notes for itself: %+v", d)
		}
	}
	maps.Copy(changed, notes)
	for _, only := range []func(string) bool{settled, func(c string) bool { return !settled(c) && !own(c) }} {
		maps.Copy(changed, change(only))
		named := map[string]bool{}
		v := verifies(t, store, with)
		for _, d := range v.Deviations {
			if id := strings.TrimRight(d.ID, "~"); id != "" {
				named[id] = true
				if changed[id] == "" {
					t.Errorf("%s is named, and nobody changed it: %+v", id, d)
				}
			}
		}
		for id, column := range changed {
			if !named[id] && !own(column) && (only(column) || !settled(column)) {
				t.Errorf("the %s of %s was changed, and it isn't named", column, id)
			}
		}
	}
	return true
}

// TestTamperedLog: records that are changed, taken out or put in behind makegood's back are named, with their place; so
// is a seal that was left out or changed, and a list of sealed events that doesn't make its root any more.
func TestTamperedLog(t *testing.T) {
	t.Parallel()
	store := bookstest.Open(t)
	records := bookstest.Generated(t, 3)
	slices.SortFunc(records, func(a, b reference.Record) int { return int(a.Seq - b.Seq) })
	bookstest.BookKnowing(t, store, records, records, records[len(records)-1].Seq+1)
	with := sealAll(t, store, records)
	last := with.Closes[len(with.Closes)-1]
	var id, stream string
	var offset int64
	if err := store.DB.QueryRow(t.Context(), `SELECT event_id, toString(stream), offset FROM ledger FINAL WHERE `+
		ledger.SealedOf(last.Period, &last.Mark)+` AND event_type = 'makegood.order.placed.v1' ORDER BY offset LIMIT 1`).Scan(
		&id, &stream, &offset); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(records, func(r reference.Record) bool { return r.Seq == offset })
	named := func(what string, with audit.VerifyAgainst, want ...string) {
		t.Helper()
		var found []string
		for _, d := range verifies(t, store, with).Deviations {
			found = append(found, fmt.Sprintf("%s %s %s", d.Code, d.ID, d.Place))
		}
		if slices.Sort(found); !slices.Equal(found, want) {
			t.Errorf("%s: named %q, wanted %q", what, found, want)
		}
	}
	log := func(change func([]reference.Record) []reference.Record) audit.VerifyAgainst {
		other := with
		other.Partitions = logOf(change(slices.Clone(records)))
		return other
	}
	place := fmt.Sprintf("%s/0@%d", stream, offset)
	named("nothing", with)
	named("a changed record", log(func(all []reference.Record) []reference.Record {
		all[at].Event = []byte(strings.Replace(string(all[at].Event), `"store_id":"`, `"store_id":"x`, 1))
		return all
	}), "record_differs "+id+" "+place)
	named("another moment", log(func(all []reference.Record) []reference.Record {
		all[at].RecordedAt = all[at].RecordedAt.Add(-time.Second)
		return all
	}), "moment_differs "+id+" "+place)
	named("a record less", log(func(all []reference.Record) []reference.Record { return slices.Delete(all, at, at+1) }),
		"record_gone "+id+" "+place)
	free := last.Mark.Offset - 1 // where no record of the stream is
	for slices.ContainsFunc(records, func(r reference.Record) bool { return r.Seq == free && r.Stream == stream }) {
		free--
	}
	named("a record more", log(func(all []reference.Record) []reference.Record {
		more := all[at]
		more.Seq = free
		more.Event = []byte(strings.Replace(string(more.Event), `"id":"`+id, `"id":"new`, 1))
		return slices.Insert(all, slices.IndexFunc(all, func(r reference.Record) bool { return r.Seq > free }), more)
	}), fmt.Sprintf("record_unbooked new %s/0@%d", stream, free))

	tamperedSeals(with, named)
}

// tamperedSeals: a seal that was left out or changed is named.
func tamperedSeals(with audit.VerifyAgainst, named func(string, audit.VerifyAgainst, ...string)) {
	chain := func(change func([]audit.Sealable)) audit.VerifyAgainst {
		other := with
		other.Partitions, other.Closes = nil, slices.Clone(with.Closes)
		change(other.Closes)
		return other
	}
	sealOf := func(c *audit.Sealable, change func(*domain.Seal)) {
		seal := *c.Seal
		change(&seal)
		c.Seal = &seal
	}
	named("another seal before", chain(func(all []audit.Sealable) {
		sealOf(&all[1], func(s *domain.Seal) { s.Previous = strings.Repeat("0", 64) })
	}), "chain_broken  ")
	named("another root", chain(func(all []audit.Sealable) {
		sealOf(&all[1], func(s *domain.Seal) { s.Root = strings.Repeat("0", 64) })
	}), "list_changed  ", "root_differs  ")
	named("another count", chain(func(all []audit.Sealable) {
		sealOf(&all[1], func(s *domain.Seal) { s.Events++ })
	}), "root_differs  ")
	named("no seal", chain(func(all []audit.Sealable) { all[1].Seal = nil }), "not_sealed  ")
	named("a format to come", chain(func(all []audit.Sealable) {
		sealOf(&all[1], func(s *domain.Seal) { s.Format++ })
	}), "format_unknown  ")
}
