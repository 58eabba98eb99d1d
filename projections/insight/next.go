package insight

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// next asks the other questions what is worth doing first. It reads what recoverable, what-if, signals, prevention and
// budget read, one after the other, and stops when three can be told.
var next = Question{
	Name: "next",
	About: "What to do next: three things, each in a sentence with what it is worth, by when, and a link to the cases " +
		"or the answer behind it.",
	Method: "First claims that still have time, then the cause that costs most a year, then what changed, what a spend " +
		"on prevention brought, and the budget; what can't be told yet comes last, with what is needed. Each figure is " +
		"that of the question that it names.",
	Heading: "What to do next",
	Columns: []Column{
		{Name: "rank", Unit: Count, About: "1 comes first."},
		{Name: "question", Unit: Text, About: "The question that says more: recoverable, what-if, signals, prevention or " +
			"budget."},
		{Name: "action", Unit: Text, About: "claim, set_terms, get_right, look_into, go_on, rethink, hold_budget, " +
			"nothing_to_do or cant_tell_yet."},
		{Name: "of", Unit: Text, About: "The vendor, cause, store or series that it is about; empty: the company.",
			Of: keyOfAdvice},
		{Name: "sentence", Unit: Text, About: "It in words."},
		{Name: "amount", Unit: Money, About: "What the books have of it: to be claimed, not covered, or spent."},
		{Name: "worth", Unit: Money, About: "What it brings, or what is at stake.", Estimate: true},
		{Name: "cases", Unit: Count, About: "Cases that it is about."},
		{Name: "until", Unit: Day, About: "The last day on which it can be done."},
		{Name: "link", Unit: Text, About: "A page with its cases, or the answer of its question."},
	},
	Parts: []Part{
		{Owed, "What suppliers and carriers owe of the year before the end of the time: recoverable's rows.",
			recoverable.Columns},
		{Saved, "What a year would save if all were right first time: the whole of what-if.", whatIf.Parts[0].Columns},
	},
	Lately: true,
	Read:   readNext,
}

// The parts of next: what it has read anyway for the first two things.
const (
	Owed  = "owed"
	Saved = "saved"
)

const (
	mostNext   = 3
	latelyDays = 30
	// ClaimsBack is how far back claims are looked for, in days: longer than the windows of usual terms.
	ClaimsBack = 365
)

// advice is one thing to do, or what keeps it from being told.
type advice struct {
	question, action, of, sentence string
	amount                         any // text, or nil
	worth                          *estimate.Estimate
	cases                          any // uint64, or nil
	until                          any // text, or nil
	link                           string
}

// tells reports whether it says something to do.
func (a *advice) tells() bool { return Tells(a.action) }

// Tells reports whether an action of next is something to do.
func Tells(action string) bool { return action != cantTellYet && action != nothingToDo }

// What is said where there is nothing to do: that it is known, or what is needed to know it.
const (
	nothingToDo = "nothing_to_do"
	cantTellYet = "cant_tell_yet"
)

func readNext(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	var told, later []*advice
	parts := map[string][]Row{}
	for _, ask := range []func(context.Context, driver.Conn, *Query, map[string][]Row) ([]*advice, error){
		adviceOnClaims, adviceOnCauses, adviceOnSignals, adviceOnPrevention, adviceOnBudget,
	} {
		found, err := ask(ctx, db, q, parts)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range found {
			if a.tells() {
				told = append(told, a)
			} else {
				later = append(later, a)
			}
		}
		if len(told) >= mostNext {
			break
		}
	}
	told = append(told, later...)
	told = told[:min(len(told), mostNext)]
	rows := make([]Row, 0, len(told))
	for i, a := range told {
		rows = append(rows, Row{"rank": uint64(i + 1), "question": a.question, "action": a.action, "of": a.of,
			"sentence": a.sentence, "amount": a.amount, "worth": a.worth, "cases": a.cases, "until": a.until,
			"link": a.link})
	}
	return rows, parts, nil
}

// lately is the question of the last 30 days up to today, where it was asked without a time: years before the first
// event have no baseline, and years to come no cases.
func (q *Query) lately() *Query {
	other := *q
	if tomorrow := date(q.Now).AddDate(0, 0, 1); date(q.To).After(tomorrow.AddDate(1, 0, 0)) &&
		date(q.From).Before(tomorrow) {
		other.To = tomorrow
	}
	if other.From.Year() == 1970 {
		other.From = date(other.To).AddDate(0, 0, -latelyDays)
	}
	return &other
}

// wholeMonth is the question of the whole month, where it was asked for this month up to today: a budget is of all of
// it.
func (q *Query) wholeMonth() *Query {
	other := *q
	today := date(q.Now)
	first := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, time.UTC)
	if date(q.From).Equal(first) && date(q.To).AddDate(0, 0, -1).Equal(today) {
		other.To = time.Date(today.Year(), today.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	}
	return &other
}

// asked is the question as another one takes it, from another day on.
func (q *Query) asked(from time.Time) *Query {
	other := *q
	other.From, other.Of = from, map[string]string{}
	return &other
}

// values are the parameters of the question, for a link.
func (q *Query) values(more ...string) url.Values {
	v := url.Values{"from": {q.From.Format(time.DateOnly)}, "to": {q.To.Format(time.DateOnly)}}
	for _, p := range []struct{ name, value string }{{"currency", q.Currency}, {"store", q.Store},
		{"as_of", q.asOfText()}} {
		if p.value != "" {
			v.Set(p.name, p.value)
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

// answerLink is the question's answer, as a table that a browser or a spreadsheet opens.
func (q *Query) answerLink(name string) string { return "/v1/" + name + "?" + q.values().Encode() }

// casesLink is the page's list of the cases that have the values of some keys. A key without a name or value is none.
func (q *Query) casesLink(keysAndValues ...string) string {
	v := q.values()
	v.Del("to")
	v.Set("through", q.To.AddDate(0, 0, -1).Format(time.DateOnly))
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		if key, value := keysAndValues[i], keysAndValues[i+1]; key != "" && value != "" {
			v.Set(key, value)
		}
	}
	return "/cases?" + v.Encode()
}

// cannotYet is an estimate that can't be given, for the same reason as another one or for one of its own.
func cannotYet(why string, n uint64) *estimate.Estimate {
	return &estimate.Estimate{Level: "0.95", N: n, Method: "none", WhyNot: why}
}

func adviceOnBudget(ctx context.Context, db driver.Conn, q *Query, _ map[string][]Row) ([]*advice, error) {
	q = q.wholeMonth()
	rows, _, err := readBudget(ctx, db, q.asked(q.From))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	all := rows[len(rows)-1]
	end, _ := all["forecast"].(*estimate.Estimate)
	burn, _ := all["forecast_burn"].(*estimate.Estimate)
	a := &advice{question: "budget", action: cantTellYet, worth: end, amount: all["leakage"], link: q.casesLink()}
	last := q.To.AddDate(0, 0, -1)
	switch {
	case !end.Enough:
		a.sentence = "Can't tell yet what failures will have cost by " + dayInWords(last) + ": " + end.WhyNot + "."
	case !burn.Enough:
		a.sentence = "Can't tell yet whether failures cost more than usual: " + burn.WhyNot + "."
	case !date(q.To).After(date(q.Now)):
		return nil, nil // it is over: there is nothing to hold any more
	case number(burn.Low) > 1:
		a.action = "hold_budget"
		a.sentence = fmt.Sprintf("Hold the budget: by %s failures will have cost %s, %s of what they usually cost.",
			dayInWords(last), q.withRange(end), percentOf(burn.Value))
	default:
		a.action = nothingToDo
		a.sentence = fmt.Sprintf("There is no need to hold the budget: by %s failures will have cost %s, %s of what they "+
			"usually cost.", dayInWords(last), q.withRange(end), percentOf(burn.Value))
	}
	return []*advice{a}, nil
}
