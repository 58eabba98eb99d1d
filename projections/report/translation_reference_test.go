package report_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
)

// setExchange is an exchange rate of a generated stream, as the test remembers it.
type setExchange struct {
	currency, day string
	value         *big.Rat
	id            string
	seq, voided   int64 // voided: 0 where nobody did
}

// withExchange spreads exchange rates into dollars over a stream of records, and voids some. The first of each currency
// is there from the beginning, so that there is always one.
func withExchange(t *testing.T, records []reference.Record, random *rand.Rand) ([]reference.Record, []*setExchange) {
	t.Helper()
	const room = 1000 // between two records
	records = slices.Clone(records)
	slices.SortFunc(records, func(a, b reference.Record) int { return int(a.Seq - b.Seq) })
	for i := range records {
		records[i].Seq = int64(i+1) * room
	}
	var sets []*setExchange
	taken := int64(0)
	place := func(first bool) (int64, time.Time) {
		i := 0
		if !first {
			i = random.IntN(len(records))
		}
		taken++ // no two at one place
		return records[i].Seq - taken, records[i].RecordedAt
	}
	var more []reference.Record
	for n := range 40 {
		s := &setExchange{currency: []string{"EUR", "JPY"}[n%2], id: fmt.Sprintf("x%d", n)}
		from := time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC)
		if n > 1 {
			from = from.AddDate(0, 0, 60+random.IntN(160))
		}
		s.day = from.Format(time.DateOnly)
		text := fmt.Sprintf("%d.%06d", random.IntN(3), 1+random.IntN(999_999))
		s.value, _ = new(big.Rat).SetString(text)
		var at time.Time
		s.seq, at = place(n < 2)
		set := bookstest.Event(s.id, "rate.set", s.day+"T00:00:00Z", "",
			fmt.Sprintf(`{"rate":"exchange_rate","key":%q,"value":%q,"currency":"USD","effective_from":%q}`, s.currency, text,
				s.day))
		more = append(more, reference.Record{Stream: "books", Event: json.RawMessage(set), RecordedAt: at, Seq: s.seq})
		if n > 1 && random.IntN(4) == 0 {
			void := bookstest.Event("void of "+s.id, "event.voided", "2026-02-01T00:00:00Z", "",
				fmt.Sprintf(`{"voids":{"source":"urn:till:1","id":%q},"reason":"keyed twice","original":%s}`, s.id, set))
			s.voided, at = place(false)
			more = append(more, reference.Record{Stream: "books", Event: json.RawMessage(void), RecordedAt: at, Seq: s.voided})
		}
		sets = append(sets, s)
	}
	records = append(records, more...)
	slices.SortFunc(records, func(a, b reference.Record) int { return int(a.Seq - b.Seq) })
	for i := 1; i < len(records); i++ {
		if records[i].Seq == records[i-1].Seq {
			t.Fatal("two records stand at one place")
		}
	}
	return records, sets
}

// rateOn looks through all rates for that of a day, of those that stand before a place.
func rateOn(sets []*setExchange, currency, day string, before int64) *setExchange {
	if currency == "USD" {
		return &setExchange{value: big.NewRat(1, 1)}
	}
	var best *setExchange
	for _, s := range sets {
		if s.currency != currency || s.day > day || s.seq >= before || s.voided != 0 && s.voided < before {
			continue
		}
		if best == nil || s.day > best.day || s.day == best.day && s.seq > best.seq {
			best = s
		}
	}
	return best
}

// halfEven writes r with 4 decimals.
func halfEven(r *big.Rat) string {
	tenthousandths := new(big.Rat).Mul(r, big.NewRat(10_000, 1))
	// Euclidean: towards −∞, as denominators are above 0
	floor := new(big.Int).Div(tenthousandths.Num(), tenthousandths.Denom())
	switch rest := new(big.Rat).Sub(tenthousandths, new(big.Rat).SetInt(floor)); {
	case rest.Cmp(big.NewRat(1, 2)) > 0, rest.Cmp(big.NewRat(1, 2)) == 0 && floor.Bit(0) == 1:
		floor.Add(floor, big.NewInt(1))
	}
	return new(big.Rat).SetFrac(floor, big.NewInt(10_000)).FloatString(4)
}

// translatedRow is one row of a translated report, as fractions, by the second set of books.
type translatedRow struct {
	booked, hidden, recoveries big.Rat
	cases, orders              map[string]bool
}

type translatedRows map[string]*translatedRow

// add takes a row of a day into that of a name, at the day's rate.
func (all translatedRows) add(name string, row reference.Row, rate *big.Rat) {
	g := all[name]
	if g == nil {
		g = &translatedRow{cases: map[string]bool{}, orders: map[string]bool{}}
		all[name] = g
	}
	for sum, text := range map[*big.Rat]string{&g.booked: row.Booked, &g.hidden: row.Hidden,
		&g.recoveries: row.Recoveries} {
		amount, _ := new(big.Rat).SetString(text)
		sum.Add(sum, amount.Mul(amount, rate))
	}
	if row.Key["case"] != "" && row.Cases > 0 { // a case that is none any more counts nowhere
		g.cases[row.Key["case"]] = true
	}
	if row.Key["order"] != "" && row.Orders > 0 {
		g.orders[row.Key["order"]] = true
	}
}

// inDollars is the translated report by the second set of books: its plain reports day by day, case by case and order
// by order, each figure times that day's rate, and everything summed up as fractions.
func inDollars(t *testing.T, b *reference.Books, sets []*setExchange, q *report.LeakageQuery, before int64) string {
	t.Helper()
	groups, apart, used := translatedRows{}, new(big.Rat), map[string]bool{}
	finest := slices.Clone(q.GroupBy)
	for _, key := range []string{"day", "case", "order"} {
		if !slices.Contains(finest, key) {
			finest = append(finest, key)
		}
	}
	for _, currency := range []string{"USD", "EUR", "JPY"} {
		if q.Currency != "" && q.Currency != currency {
			continue
		}
		for day := q.From; day.Before(q.To); day = day.AddDate(0, 0, 1) {
			from, to := day.Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly)
			answer, err := b.Leakage(from, to, finest, q.View, q.PeriodBy, currency)
			if err != nil {
				t.Fatal(err)
			}
			changed, _ := new(big.Rat).SetString(answer.Apart["changed_mind"])
			// What customers changed, and cases in which nobody had failed, ask for the day's rate as well.
			if len(answer.Rows) == 0 && !slices.ContainsFunc(slices.Collect(maps.Values(answer.Apart)),
				func(amount string) bool { return strings.Trim(amount, "-0.") != "" }) {
				continue
			}
			rate := rateOn(sets, currency, from, before)
			if rate == nil {
				return fmt.Sprintf("missing %s %s", currency, from)
			}
			for _, row := range answer.Rows {
				var name []string
				for _, key := range q.GroupBy {
					name = append(name, row.Key[key])
				}
				groups.add("row "+fmt.Sprintf("%q", name), row, rate.value)
				groups.add("total", row, rate.value)
			}
			used[rate.id] = true
			apart.Add(apart, changed.Mul(changed, rate.value))
		}
	}
	var lines []string
	for name, g := range groups {
		if name != "total" && len(g.cases)+len(g.orders) == 0 && g.booked.Sign() == 0 && g.hidden.Sign() == 0 &&
			g.recoveries.Sign() == 0 {
			continue // of cases that are none any more
		}
		f := report.LeakageFigures{Booked: halfEven(&g.booked), Hidden: halfEven(&g.hidden),
			Recoveries: halfEven(&g.recoveries), Cases: uint64(len(g.cases)), Orders: uint64(len(g.orders))}
		lines = append(lines, fmt.Sprint(name, " ", f.Booked, " ", f.Hidden, " ", f.Recoveries, " ", f.Cases, " ", f.Orders))
	}
	slices.Sort(lines)
	for id := range used {
		if id != "" {
			lines = append(lines, "used "+id)
		}
	}
	slices.Sort(lines)
	return strings.Join(append(lines, "apart "+halfEven(apart)), "\n")
}

// asText is the same of a report that was read, whose figures must tie.
func asText(t *testing.T, l *report.Leakage, q *report.LeakageQuery) string {
	t.Helper()
	var lines []string
	add := func(name string, f report.LeakageFigures) {
		sum := func(a, b string, sign int64) string {
			x, _ := new(big.Rat).SetString(a)
			y, _ := new(big.Rat).SetString(b)
			return x.Add(x, y.Mul(y, big.NewRat(sign, 1))).FloatString(4)
		}
		if f.Gross != sum(f.Booked, f.Hidden, 1) || f.Net != sum(f.Gross, f.Recoveries, -1) {
			t.Errorf("%s doesn't tie: %+v", name, f)
		}
		lines = append(lines, fmt.Sprint(name, " ", f.Booked, " ", f.Hidden, " ", f.Recoveries, " ", f.Cases, " ", f.Orders))
	}
	for _, r := range l.Rows {
		var name []string
		for _, key := range q.GroupBy {
			name = append(name, r.Key[key])
		}
		add("row "+fmt.Sprintf("%q", name), r.LeakageFigures)
	}
	if len(l.Rows) > 0 {
		add("total", l.Totals)
	}
	for _, r := range l.Translation.Rates {
		lines = append(lines, "used "+r.ID)
	}
	slices.Sort(lines)
	return strings.Join(append(lines, "apart "+l.Apart["changed_mind"]), "\n")
}

func readTranslated(t *testing.T, store *clickhouse.Store, q report.LeakageQuery,
	terms *domain.Terms) (*report.Leakage, error) {
	t.Helper()
	q.TranslateTo = "USD"
	return report.ReadTranslated(t.Context(), store.DB, q, q.AsOf.Exchange(terms, "USD"), time.Now())
}

func termsOf(t *testing.T, records []reference.Record) *domain.Terms {
	t.Helper()
	known, err := post.ReadTerms(t.Context(), &bookstest.Log{Records: records}, decode.Log(), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return known.Terms
}

// TestTranslationAgainstReference: whatever the order of arrival, a translated report is what the second set of books
// makes of it line by line; as of a close it is that of what stood before the close, rates among it, and stays so byte
// for byte.
func TestTranslationAgainstReference(t *testing.T) {
	t.Parallel()
	for _, seed := range bookstest.Seeds(t, 2, 1) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			compareTranslations(t, seed)
		})
	}
}

func compareTranslations(t *testing.T, seed int64) {
	store := bookstest.Open(t)
	random := rand.New(rand.NewPCG(uint64(seed), 43))
	t.Logf("seed %d", seed)
	records, sets := withExchange(t, bookstest.WithoutVoidedConflicts(t, reference.Generate(seed,
		reference.Options{Orders: bookstest.Everything().Orders, Periods: true, Duplicates: true, Conflicts: true,
			StockFixes: true})), random)
	closing := closeOfJanuary(records)
	until := slices.IndexFunc(records, func(r reference.Record) bool { return r.Seq > closing.Seq })
	asOf := report.AsOf{Close: &report.Close{Period: period(t, "2026-01"), Mark: bookstest.Mark(*closing)}}
	january := report.LeakageQuery{From: asOf.Close.Period.First(), To: (asOf.Close.Period + 1).First(),
		GroupBy: []string{"store", "kind"}, View: "economic", PeriodBy: "posting", AsOf: asOf}
	text := func(records []reference.Record) string {
		t.Helper()
		l, err := readTranslated(t, store, january, termsOf(t, records))
		if err != nil {
			t.Fatal(err)
		}
		all, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		return string(all)
	}
	bookstest.BookKnowing(t, store, records[:until], records[:until], records[until-1].Seq+1)
	was := text(records[:until])
	bookstest.Book(t, store, records, random)
	if is := text(records); is != was {
		t.Fatalf("seed %d: the closed month changed:\n%s\n%s", seed, was, is)
	}

	terms := termsOf(t, records)
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	then, err := reference.Run(records[:until], time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	check := func(q report.LeakageQuery, of *reference.Books, before int64) {
		t.Helper()
		l, err := readTranslated(t, store, q, terms)
		if err != nil {
			t.Fatalf("seed %d: %+v: %v", seed, q, err)
		}
		if got, want := asText(t, l, &q), inDollars(t, of, sets, &q, before); got != want {
			t.Fatalf("seed %d: the report %+v differs:\n%s", seed, q, bookstest.Difference(got, want))
		}
	}
	check(january, then, closing.Seq)
	keys := report.LeakageKeys()
	for n := range 8 {
		random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		from := time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, random.IntN(60))
		q := report.LeakageQuery{From: from, To: from.AddDate(0, 0, 1+random.IntN(60)),
			GroupBy: slices.Clone(keys[:random.IntN(4)]),
			View:    []string{"economic", "booked", "cash"}[random.IntN(3)], PeriodBy: []string{"occurred", "posting"}[n%2],
			Currency: []string{"", "", "EUR"}[random.IntN(3)]}
		check(q, want, records[len(records)-1].Seq+1)
		q.AsOf = asOf
		check(q, then, closing.Seq)
	}
	oneRate(t, store, seed, random)
}

// closeOfJanuary is the last close of January 2026 in a stream.
func closeOfJanuary(records []reference.Record) (closing *reference.Record) {
	for i := range records {
		// The last but one: something comes after it, and before it.
		if strings.Contains(string(records[i].Event), `makegood.period.closed.v1`) &&
			strings.Contains(string(records[i].Event), `2026-01"`) {
			closing = &records[i]
		}
	}
	return closing
}

// oneRate: at one rate r for all days, a report of one currency is r times the plain one, but for what is rounded; and
// a rate that is set again as it was, from other days on, changes no figure.
func oneRate(t *testing.T, store *clickhouse.Store, seed int64, random *rand.Rand) {
	t.Helper()
	text := fmt.Sprintf("%d.%06d", random.IntN(200), 1+random.IntN(999_999))
	r, _ := new(big.Rat).SetString(text)
	value, err := domain.ParseDecimal([]byte(text), 6)
	if err != nil {
		t.Fatal(err)
	}
	terms, more := domain.NewTerms(time.UTC), domain.NewTerms(time.UTC)
	set := func(terms *domain.Terms, n int64, day time.Time) {
		terms.Apply(&domain.Event{Source: "s", ID: fmt.Sprint(n), Type: domain.TypeRateSet, Currency: "USD",
			Data: &domain.RateSet{Rate: domain.ExchangeRate, Key: "EUR", Value: value, EffectiveFrom: day}},
			domain.Mark{Offset: n})
	}
	first := time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC)
	set(terms, 1, first)
	set(more, 1, first)
	for n := range int64(30) {
		set(more, n+2, first.AddDate(0, 0, random.IntN(200)))
	}
	q := report.LeakageQuery{From: first, To: first.AddDate(1, 0, 0), GroupBy: []string{"store", "element"},
		View: "economic", PeriodBy: "occurred", Currency: "EUR"}
	plain, err := report.ReadLeakage(t.Context(), store.DB, q, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	once, err := readTranslated(t, store, q, terms)
	if err != nil {
		t.Fatal(err)
	}
	often, err := readTranslated(t, store, q, more)
	if err != nil {
		t.Fatal(err)
	}
	if len(plain.Rows) < 5 || len(plain.Rows) != len(once.Rows) || len(once.Translation.Rates) != 1 ||
		len(often.Translation.Rates) < 5 {
		t.Fatalf("seed %d: %d rows are %d, with %d rates and %d", seed, len(plain.Rows), len(once.Rows),
			len(once.Translation.Rates), len(often.Translation.Rates))
	}
	if fmt.Sprint(asRows(once)) != fmt.Sprint(asRows(often)) {
		t.Errorf("seed %d: the same rate set again changes figures:\n%v\n%v", seed, asRows(once), asRows(often))
	}
	units := func(a, b string) *big.Rat { // by how many units of the last decimal b is off r × a
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		x.Sub(x.Mul(x, r), y)
		return x.Abs(x.Mul(x, big.NewRat(10_000, 1)))
	}
	for i := range plain.Rows {
		p, o := plain.Rows[i], once.Rows[i]
		if fmt.Sprint(p.Key) != fmt.Sprint(o.Key) || p.Cases != o.Cases || p.Orders != o.Orders {
			t.Errorf("seed %d: row %v became %v", seed, p, o)
		}
		for _, f := range []struct {
			plain, once string
			halves      int64 // a half for each figure that it is made of
		}{{p.Booked, o.Booked, 1}, {p.Hidden, o.Hidden, 1}, {p.Recoveries, o.Recoveries, 1}, {p.Gross, o.Gross, 2},
			{p.Net, o.Net, 3}} {
			if units(f.plain, f.once).Cmp(big.NewRat(f.halves, 2)) > 0 {
				t.Errorf("seed %d: %v: %s at %s is not %s", seed, p.Key, f.plain, text, f.once)
			}
		}
	}
}

func asRows(l *report.Leakage) (all []string) {
	for _, r := range l.Rows {
		all = append(all, fmt.Sprint(r.Key, r.LeakageFigures))
	}
	return append(all, fmt.Sprint(l.Totals, l.Apart))
}

func period(t *testing.T, text string) domain.Period {
	t.Helper()
	p, err := domain.ParsePeriod(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
