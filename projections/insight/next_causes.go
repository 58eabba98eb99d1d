package insight

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/report"
)

// adviceOnCauses looks for the cause that would save most. It skips cases without a cause, and those that the customer
// caused.
func adviceOnCauses(ctx context.Context, db driver.Conn, q *Query, parts map[string][]Row) ([]*advice, error) {
	rows, more, err := readWhatIf(ctx, db, q.asked(q.From))
	if err != nil {
		return nil, err
	}
	parts[Saved] = more["whole"]
	whole, _ := parts[Saved][0]["year"].(*estimate.Estimate)
	for _, row := range rows {
		cause, _ := row["of"].(string)
		year, _ := row["year"].(*estimate.Estimate)
		cash, _ := row["cash"].(*estimate.Estimate)
		if cause == "" || cause == "unknown" || cause == "customer" || !year.Enough || number(year.Value) <= 0 {
			continue
		}
		a := &advice{question: "what-if", action: "get_right", of: cause, worth: year}
		a.sentence = fmt.Sprintf("Get it right first time where the cause is %q: as the last weeks went, that costs %s a "+
			"year, %s of it cash.", report.Word("root_cause", cause), q.withRange(year), q.money(*cash.Value))
		a.link = q.asked(q.To.AddDate(0, 0, -daysOfWeeks)).casesLink("root_cause", cause)
		return []*advice{a}, nil
	}
	a := &advice{question: "what-if", action: cantTellYet, worth: whole, link: q.answerLink("what-if")}
	if whole.Enough {
		a.worth = cannotYet("cases with a cause are needed", whole.N)
	}
	a.sentence = "Can't tell yet what would save most if it were right first time: " + a.worth.WhyNot + "."
	return []*advice{a}, nil
}

const daysOfWeeks = 364 // of the weeks that what-if reads

// keyOfSeries are the keys of the leakage report that series are told apart by.
var keyOfSeries = map[string]string{"store": "selling_store", "cause": "root_cause", "vendor": "vendor"}

// adviceOnSignals takes, of what the charts called, the store, cause or vendor with the most cases above the expected
// ones; the company only where nothing else called.
func adviceOnSignals(ctx context.Context, db driver.Conn, q *Query, _ map[string][]Row) ([]*advice, error) {
	rows, _, err := readSignals(ctx, db, q.asked(q.From))
	if err != nil {
		return nil, err
	}
	var called Row
	known := uint64(0) // charts that can tell
	for _, row := range rows {
		if row["signal"] != nil {
			known++
		}
		if row["signal"] != true {
			continue
		}
		if called == nil || called["series"] == "company" || row["series"] != "company" && excess(row) > excess(called) {
			called = row
		}
	}
	a := &advice{question: "signals", action: cantTellYet, link: q.answerLink("signals")}
	switch {
	case called != nil:
		return q.adviceOnSignal(ctx, db, called)
	case known > 0:
		a.action, a.worth = nothingToDo, cannotYet("nothing called", known)
		a.sentence = fmt.Sprintf("Nothing has become worse than chance explains: none of %s called.",
			countOf(known, "chart", "charts"))
	default:
		a.worth = cannotYet("cases and orders of the year before are needed", 0)
		a.sentence = "Can't tell yet whether something has become worse: " + a.worth.WhyNot + "."
	}
	return []*advice{a}, nil
}

// excess is how many more cases came than were expected.
func excess(row Row) float64 {
	expected, _ := row["expected"].(string)
	cases, _ := row["cases"].(uint64)
	return float64(cases) - number(&expected)
}

func (q *Query) adviceOnSignal(ctx context.Context, db driver.Conn, called Row) ([]*advice, error) {
	series, of := called["series"].(string), called["of"].(string)
	key, cases, expectedText := keyOfSeries[series], called["cases"].(uint64), called["expected"].(string)
	asked := report.LeakageQuery{From: q.From, To: q.To, View: "economic", PeriodBy: "occurred", Currency: q.Currency,
		AsOf: q.AsOf, Only: map[string]string{}, Without: report.Parts{Rows: true, Apart: true}}
	for k, value := range map[string]string{key: of, "store": q.Store} {
		if k != "" && value != "" {
			asked.Only[k] = value
		}
	}
	cost, err := report.ReadLeakage(ctx, db, asked, q.Now)
	if err != nil {
		return nil, fmt.Errorf("read what the signal cost: %w", err)
	}
	a := &advice{question: "signals", action: "look_into", of: of, cases: cases, amount: cost.Totals.Net,
		link: q.casesLink(key, of)}
	low, high := estimate.PoissonInterval(cases, estimate.Level95)
	expected := number(&expectedText)
	a.worth = cannotYet("cases that cost something are needed", cases)
	if cost.Totals.Cases > 0 {
		each := number(&cost.Totals.Net) / float64(cost.Totals.Cases)
		a.worth = estimate.Estimated{Value: each * (float64(cases) - expected), Low: each * (low - expected),
			High: each * (high - expected), Level: estimate.Level95, N: int(cases)}.Estimate("cases_at_their_mean_cost", 2)
	}
	what := map[string]string{"company": "the whole company", "store": "store " + of, "vendor": "supplier " + of,
		"cause": strconv.Quote(report.Word("root_cause", of))}[series]
	since, err := time.Parse(time.DateOnly, called["since"].(string))
	if err != nil {
		return nil, fmt.Errorf("read when the signal began: %w", err)
	}
	a.sentence = fmt.Sprintf("Look at %s: since %s more goes wrong than chance explains, %s where %.0f were to be "+
		"expected.", what, dayInWords(since), countOf(cases, "case", "cases"), expected)
	if a.worth.Enough {
		a.sentence += fmt.Sprintf(" What came on top cost %s.", q.withRange(a.worth))
	}
	return []*advice{a}, nil
}

// adviceOnPrevention says of a spend that can be judged what it brought: of one that did not pay first, then of one
// that paid; of several the largest. Without any it says what is needed to tell.
func adviceOnPrevention(ctx context.Context, db driver.Conn, q *Query, _ map[string][]Row) ([]*advice, error) {
	rows, _, err := readPrevention(ctx, db, q.asked(q.From))
	if err != nil {
		return nil, err
	}
	a := &advice{question: "prevention", action: cantTellYet, link: q.answerLink("prevention")}
	var best Row
	rank := func(row Row) int { return map[string]int{"not_paid": 2, "paid": 1}[row["verdict"].(string)] }
	spent := func(row Row) float64 { text, _ := row["spent_since"].(string); return number(&text) }
	for _, row := range rows {
		if best == nil || rank(row) > rank(best) || rank(row) == rank(best) && spent(row) > spent(best) {
			best = row
		}
	}
	if best == nil {
		a.worth = cannotYet("spends on prevention with their target cause are needed (quality.spent)", 0)
		a.sentence = "Can't tell yet whether prevention pays: " + a.worth.WhyNot + "."
		return []*advice{a}, nil
	}
	return []*advice{q.adviceOnSpend(best)}, nil
}

// adviceOnSpend is what to do about one spend. Its cases are those of the cause since it began.
func (q *Query) adviceOnSpend(best Row) *advice {
	cause, _ := best["cause"].(string)
	store, _ := best["store"].(string)
	net, _ := best["net_value"].(*estimate.Estimate)
	a := &advice{question: "prevention", action: cantTellYet, of: cause, worth: net, amount: best["spent_since"],
		link: q.answerLink("prevention")}
	text, _ := best["first"].(string)
	if first, err := time.Parse(time.DateOnly, text); err == nil && first.Before(q.To) {
		a.link = q.asked(first).casesLink("root_cause", cause, "selling_store", store)
	}
	what := "an unnamed cause"
	if cause != "" {
		what = strconv.Quote(report.Word("root_cause", cause))
	}
	if store != "" {
		what += " in store " + store
	}
	amount := q.money(fmt.Sprint(best["spent_since"]))
	switch best["verdict"] {
	case "paid":
		a.action = "go_on"
		a.sentence = fmt.Sprintf("Go on preventing %s: you spent %s, and saved more than that, by %s.", what, amount,
			q.withRange(net))
	case "not_paid":
		a.action = "rethink"
		a.sentence = fmt.Sprintf("Rethink how you prevent %s: you spent %s and saved less; savings minus spend are %s.",
			what, amount, q.withRange(net))
	default:
		needed, _ := best["needed"].(string)
		a.sentence = fmt.Sprintf("Can't tell yet whether preventing %s pays (%s spent): %s.", what, amount, needed)
	}
	return a
}
