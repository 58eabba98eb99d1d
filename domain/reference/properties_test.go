package reference

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"math/big"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// west is a zone whose days and months are not those of UTC.
var west = time.FixedZone("west", -7*3600)

// stream is what a seed draws, and its books: made once for all that look at it, and changed by nobody.
type stream struct {
	opts    Options
	records []Record
	books   *Books
	err     error
}

var streams struct {
	sync.Mutex
	of map[int64]func() stream
}

func streamOf(seed int64) stream {
	streams.Lock()
	made := streams.of[seed]
	if made == nil {
		made = sync.OnceValue(func() (s stream) {
			if seed%3 != 0 {
				s.opts = Everything
			}
			s.records = Generate(seed, s.opts)
			s.books, s.err = Run(s.records, west)
			return s
		})
		if streams.of == nil {
			streams.of = map[int64]func() stream{}
		}
		streams.of[seed] = made
	}
	streams.Unlock()
	return made()
}

// drawn is how many of n random streams are drawn.
func drawn(n int64) int64 {
	if AllStreams() {
		return n
	}
	return max(n/6, 3)
}

func forSeeds(t *testing.T, n int64, check func(t *testing.T, seed int64, records []Record, b *Books)) {
	t.Helper()
	t.Parallel()
	for seed := range drawn(n) {
		s := streamOf(seed)
		if s.err != nil {
			t.Fatal(s.err)
		}
		check(t, seed, s.records, s.books)
		if t.Failed() {
			t.Fatalf("seed %d, %+v", seed, s.opts)
		}
	}
}

func TestEveryEntryBalancesAndIsWholeTo4Decimals(t *testing.T) {
	forSeeds(t, 30, func(t *testing.T, seed int64, _ []Record, b *Books) {
		for _, e := range b.Entries {
			sums := totals{}
			for _, l := range e.Lines {
				sums.add(l.Currency, l.Amount)
				if l.Amount.Sign() == 0 || RoundHalfEven(l.Amount).Cmp(l.Amount) != 0 {
					t.Errorf("seed %d: %v: line %s of %s", seed, e.Identity, l.Account, l.Amount)
				}
				if l.Element != "" && !isProfitAndLoss(l.Account) || l.Currency == "" {
					t.Errorf("seed %d: %v: element on %s, currency %q", seed, e.Identity, l.Account, l.Currency)
				}
			}
			for currency, sum := range sums {
				if sum.Sign() != 0 {
					t.Errorf("seed %d: %v %s is out by %s %s", seed, e.Identity, e.Type, sum, currency)
				}
			}
		}
	})
}

// "Σ entries = position" is how entries are made; what is asked here is that the position is that of the set: told in
// another sequence of the same epochs, it is the same. And no case account is ever on the wrong side.
func TestPositions(t *testing.T) {
	forSeeds(t, 20, func(t *testing.T, seed int64, _ []Record, b *Books) {
		for n, v := range b.units {
			sum := position{}
			for _, e := range b.EntriesOfUnit(n) {
				for _, l := range e.Lines {
					sum.add(place{"", "", l.Case, l.Currency, l.Step, l.Store, l.Order}, half{l.Account, l.Element, l.Amount})
				}
			}
			if lines := v.position.less(sum); len(lines) != 0 {
				t.Errorf("seed %d, unit %d: entries are not the position: %+v", seed, n, lines)
			}
			for at, amount := range v.position {
				switch side := amount.Sign(); at.account {
				case "1210", "1300", "1310":
					if side < 0 {
						t.Errorf("seed %d: %s of case %s is %s", seed, at.account, at.caseID, money(amount))
					}
				case "2300", "2410":
					if side > 0 {
						t.Errorf("seed %d: %s of case %s is %s", seed, at.account, at.caseID, money(amount))
					}
				}
			}
		}
	})
}

func TestContributionIdentityHoldsForEveryOrder(t *testing.T) {
	forSeeds(t, 20, func(t *testing.T, seed int64, _ []Record, b *Books) {
		for _, id := range b.OrderIDs() {
			if err := b.Order(id).Check(); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
		}
	})
}

// A report alone makes neither profit nor loss.
func TestReportAloneCostsNothing(t *testing.T) {
	forSeeds(t, 20, func(t *testing.T, seed int64, records []Record, _ *Books) {
		var some []Record
		for _, r := range records {
			e, err := decodeRecord(r)
			if err != nil {
				t.Fatal(err)
			}
			if r.Stream == "books" || e.kind == "error.reported" || e.kind == "order.placed" || e.kind == "error.classified" {
				some = append(some, r)
			}
		}
		b := mustRun(t, some, west)
		for _, id := range b.CaseIDs() {
			if c := b.Case(id); c != nil && (c.Net.Sign() != 0 || c.Unfounded.Sign() != 0 || c.ChangedMind.Sign() != 0) {
				t.Errorf("seed %d: case %s, only reported, has net %s", seed, id, money(c.Net))
			}
		}
	})
}

// Reports add up: rows to totals, gross − recoveries to net, booked and hidden to gross, both clocks to the same sum.
func TestReportsAddUp(t *testing.T) {
	forSeeds(t, 9, func(t *testing.T, seed int64, _ []Record, b *Books) {
		if _, err := b.Leakage("", "", nil, "economic", "occurred", ""); err == nil ||
			!strings.Contains(err.Error(), "EUR, JPY, USD") {
			t.Errorf("seed %d: several currencies must not be summed: %v", seed, err)
		}
		for _, currency := range currencies {
			var wholes []Row
			for _, periodBy := range []string{"occurred", "posting"} {
				for _, key := range Keys {
					r, err := b.Leakage("", "", []string{key, "store"}, "economic", periodBy, currency)
					if err != nil {
						t.Fatal(err)
					}
					net := new(big.Rat)
					for _, row := range append(r.Rows, r.Totals) {
						gross, split := rat(row.Gross), new(big.Rat).Add(rat(row.Booked), rat(row.Hidden))
						if gross.Cmp(split) != 0 || gross.Sub(gross, rat(row.Recoveries)).Cmp(rat(row.Net)) != 0 {
							t.Errorf("seed %d: %+v does not add up", seed, row)
						}
					}
					for _, row := range r.Rows {
						net.Add(net, rat(row.Net))
					}
					if net.Cmp(rat(r.Totals.Net)) != 0 {
						t.Errorf("seed %d: rows by %s are %s, totals %s", seed, key, money(net), r.Totals.Net)
					}
					wholes = append(wholes, r.Totals)
				}
			}
			for _, w := range wholes {
				if !reflect.DeepEqual(w, wholes[0]) {
					t.Errorf("seed %d: totals %+v and %+v", seed, w, wholes[0])
				}
			}
		}
	})
}

// Order of arrival never matters, but for rates (and closings), which act from when they were recorded, and for
// identities that are fought over, where the first counts. So everything is shuffled between two such records, and
// what shares an identity or a void's target keeps its order.
func TestArrivalOrderDoesNotMatter(t *testing.T) {
	forSeeds(t, 15, func(t *testing.T, seed int64, records []Record, b *Books) {
		rng := rand.New(rand.NewPCG(uint64(seed), 7))
		for range 2 {
			shuffled := shuffle(t, rng, records)
			again := mustRun(t, shuffled, west)
			if again.Journal() != b.Journal() {
				t.Errorf("seed %d: another arrival, other books", seed)
			}
			if len(again.Conflicts) != len(b.Conflicts) || len(again.Unpriced) != len(b.Unpriced) {
				t.Errorf("seed %d: another arrival, other lists", seed)
			}
		}
	})
}

func shuffle(t *testing.T, rng *rand.Rand, records []Record) []Record {
	t.Helper()
	var out, segment []Record
	flush := func() {
		claims := make(map[Identity][]int) // places in the segment held by one identity or target, in order
		order := rng.Perm(len(segment))
		mixed := make([]Record, len(segment))
		for to, from := range order {
			mixed[to] = segment[from]
		}
		for i, r := range mixed {
			claims[claim(t, r)] = append(claims[claim(t, r)], i)
		}
		for _, places := range claims {
			held := make([]Record, 0, len(places))
			for _, i := range places {
				held = append(held, mixed[i])
			}
			slices.SortFunc(held, func(a, b Record) int { return int(a.Seq - b.Seq) })
			for n, i := range places {
				mixed[i] = held[n]
			}
		}
		out, segment = append(out, mixed...), nil
	}
	for _, r := range records {
		e, err := decodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		about := e.data.obj("original").str("type")
		if strings.HasPrefix(e.kind, "period.") || e.kind == "rate.set" || e.kind == "books.rebuilt" ||
			about == "makegood.rate.set.v1" {
			flush()
			out = append(out, r)
			continue
		}
		segment = append(segment, r)
	}
	flush()
	for i := range out {
		out[i].Seq = int64(i + 1)
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] }) // Seq alone is the order
	return out
}

func claim(t *testing.T, r Record) Identity {
	t.Helper()
	e, err := decodeRecord(r)
	if err != nil {
		t.Fatal(err)
	}
	return e.Identity
}

// "An entry that a close saw never changes."
func TestClosedEntriesNeverChange(t *testing.T) {
	t.Parallel()
	for seed := range drawn(8) {
		records := Generate(seed, Everything)
		kept := make(map[string]bool)
		for _, line := range strings.Split(mustRun(t, records, time.UTC).Journal(), "\n") {
			kept[line] = true
		}
		closes := 0
		for i, r := range records {
			if !strings.Contains(string(r.Event), "makegood.period.closed.v1") {
				continue
			}
			closes++
			then := mustRun(t, records[:i+1], time.UTC)
			for _, line := range strings.Split(then.Journal(), "\n") {
				if line != "" && !kept[line] && epochOf(marksOf(t, records[:i+1]), r.Seq+1) > epochOf(marksOf(t, records[:i+1]),
					r.Seq) {
					t.Fatalf("seed %d: booked at the close at %d, gone or changed later: %s", seed, r.Seq, line)
				}
			}
		}
		if closes < 3 {
			t.Errorf("seed %d: %d closes", seed, closes)
		}
	}
}

func marksOf(t *testing.T, records []Record) []periodMark {
	t.Helper()
	events, err := (&Books{}).firstRecorded(records)
	if err != nil {
		t.Fatal(err)
	}
	terms, err := termsOf(events, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return terms.marks
}

func TestGeneratorIsRepeatableAndWhole(t *testing.T) {
	t.Parallel()
	for seed := range drawn(8) {
		a, b := Generate(seed, Everything), Generate(seed, Everything)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d: two streams of one seed", seed)
		}
		types, kinds := make(map[string]bool), make(map[string]bool)
		for i, r := range a {
			e, err := decodeRecord(r)
			if err != nil {
				t.Fatal(err)
			}
			if r.Seq != int64(i+1) || i > 0 && r.RecordedAt.Before(a[i-1].RecordedAt) || r.Stream == "" {
				t.Fatalf("seed %d: record %d", seed, i)
			}
			types[e.kind] = true
			kinds[e.data.str("kind")] = true
			checkValid(t, e)
		}
		for _, s := range Types {
			types[s] = types[s] || false
		}
		for name, sent := range types {
			if !sent {
				t.Errorf("seed %d: no %s", seed, name)
			}
		}
		for _, k := range Kinds {
			if !kinds[k] {
				t.Errorf("seed %d: no case of %s", seed, k)
			}
		}
		books := mustRun(t, a, time.UTC)
		if len(books.Conflicts) == 0 || len(books.Unpriced) == 0 || len(books.Flags) == 0 {
			t.Errorf("seed %d: %d conflicts, %d unpriced, %d flags", seed, len(books.Conflicts), len(books.Unpriced),
				len(books.Flags))
		}
		for _, standing := range []string{counts, double, waits, taken, discarded, voidsNothing} {
			if len(books.Standing(standing)) == 0 {
				t.Errorf("seed %d: no event is %s", seed, standing)
			}
		}
		plain := mustRun(t, Generate(seed, Options{}), time.UTC)
		if n := len(plain.Conflicts); n != 0 {
			t.Errorf("seed %d: the plain stream has %d conflicts", seed, n)
		}
	}
}

// checkValid looks at what the contract says of every event, and at the decimals of every number.
func checkValid(t *testing.T, e *event) {
	t.Helper()
	books := slices.Contains([]string{"rate.set", "quality.spent", "period.closed", "period.reopened", "books.rebuilt",
		"deadletter.replayed", "deadletter.discarded", "fact.decided", "books.sealed", "person.erased",
		"vendor.terms"}, e.kind)
	order, errorID := e.data.str("order_id"), e.data.str("error_id")
	switch {
	case books, e.kind == "event.voided":
	case e.data.str("store_id") == "":
		t.Errorf("%v: no store_id", e.Identity)
	case order != "" && e.subject != order, order == "" && (errorID == "" || e.subject != errorID):
		t.Errorf("%v %s: subject %q of order %q, case %q", e.Identity, e.kind, e.subject, order, errorID)
	}
	if books && e.subject != "" {
		t.Errorf("%v: a subject on books", e.Identity)
	}
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, w := range v {
				walk(k, w)
			}
		case []any:
			for _, w := range v {
				walk(name, w)
			}
		case string, json.Number:
			if !decimalFields[name] {
				return
			}
			most := 4
			if name == "unit_cost" || name == "unit_price" || name == "received_unit_cost" || name == "value" {
				most = 6
			}
			text := fmt.Sprint(v)
			_, decimals, _ := strings.Cut(text, ".")
			if r := parseDecimal(text); r == nil || r.Sign() < 0 && text != "-2" || len(decimals) > most { // empties
				t.Errorf("%v: %s is %q", e.Identity, name, text)
			}
		}
	}
	walk("", map[string]any(maps.Clone(e.data)))
}

// An oracle that shares code with what it judges would repeat its mistakes.
func TestStandsAlone(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range parsed.Imports {
			if strings.Contains(i.Path.Value, ".") {
				t.Errorf("%s imports %s", f.Name(), i.Path.Value)
			}
		}
	}
}
