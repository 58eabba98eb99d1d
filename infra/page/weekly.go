package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/makegood/makegood/infra/wire/paper"
	"github.com/makegood/makegood/projections/report"
)

// weekParameters are what the weekly report takes beside week, which is any day of it.
var weekParameters = []string{"store", "currency", "as_of"}

// weekly answers with a week on one page, as PDF; where none is given, with the last one that is over. As of a moment
// it is the same, byte for byte, whenever it is asked.
func (p *Page) weekly(w http.ResponseWriter, r *http.Request) {
	a, text, err := p.week(r)
	if err != nil {
		p.problem(w, r, a, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="makegood-week-`+a.From()+`.pdf"`)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(text) // a reader that went away can't be told
}

// problem says what went wrong in the form of RFC 9457: who asks for a file is more often a command than a person.
func (p *Page) problem(w http.ResponseWriter, r *http.Request, a *ask, err error) {
	status, detail := http.StatusServiceUnavailable, ""
	if counting := (*countingError)(nil); errors.As(err, &counting) {
		detail = counting.Error() + ". Ask again in some seconds."
	} else {
		var v *view
		status, v = p.failure(r, a, err)
		detail = v.Error
	}
	code := map[int]string{http.StatusBadRequest: "bad_query", http.StatusNotFound: "not_found",
		http.StatusServiceUnavailable: "not_ready"}[status]
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable {
		const again = "10" // seconds
		h.Set("Retry-After", again)
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "urn:makegood:problem:" + code,
		"status": status, "title": http.StatusText(status), "detail": detail}) // a reader that went away can't be told
}

// countingError says what took too long, and is there later.
type countingError struct{ parts []string }

func (e *countingError) Error() string { return "Still being counted: " + strings.Join(e.parts, ", ") }

// week is the report of the week, Monday to Sunday, that was asked for.
func (p *Page) week(r *http.Request) (*ask, []byte, error) {
	day := p.now().In(p.zone).AddDate(0, 0, -7)
	values := r.URL.Query()
	if given := values.Get("week"); given != "" {
		var err error
		if day, err = readDay(given); err != nil {
			return nil, nil, err
		}
	}
	for name := range values {
		if name != "week" && !slices.Contains(weekParameters, name) {
			return nil, nil, &badQuery{fmt.Sprintf("a week has no parameter %q", name)}
		}
	}
	values.Del("week")
	monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	values.Set("from", monday.Format(time.DateOnly))
	values.Set("through", monday.AddDate(0, 0, 6).Format(time.DateOnly))
	asked := r.Clone(r.Context())
	asked.URL.RawQuery = values.Encode()
	a, err := p.askForAll(asked)
	if err != nil {
		return a, nil, err
	}
	a.onPaper = true
	b := &overviewBody{Name: "Cause", Before: span(before(a.query.From, a.query.To))}
	got, err := p.askAll(r.Context(), a, b)
	if errors.Is(err, errTooLong) {
		return a, nil, &countingError{[]string{"what it cost"}}
	}
	if err != nil {
		return a, nil, err
	}
	late, broken := got.missing(a)
	if len(broken) > 0 {
		return a, nil, fmt.Errorf("could not be read for the week: %s", strings.Join(broken, ", "))
	}
	if len(late) > 0 {
		return a, nil, &countingError{late}
	}
	if err := p.fill(b, a, got); err != nil {
		return a, nil, err
	}
	if older := got.older(a); len(older) > 0 {
		b.Warnings = append(b.Warnings, warning{Text: "Older than the other numbers: " + strings.Join(older, ", ") + "."})
	}
	text, err := a.weekOnPaper(b, got).PDF(r.Context())
	return a, text, err
}

func (a *ask) weekOnPaper(b *overviewBody, got *answers) *paper.Document {
	d := &paper.Document{Title: "What quality service cost: " + span(a.query.From, a.query.To), OnePage: true,
		Created: got.outline.Value.AsOf, Foot: "makegood, as known on " + b.AsOf}
	add := func(all ...paper.Block) { d.Blocks = append(d.Blocks, all...) }
	if store := a.query.Only["store"]; store != "" {
		add(paper.Text{Text: "Store " + store + " alone."})
	}
	add(paper.Text{Text: b.inWords(a)})
	if !a.past() { // warnings are of now, and as of a moment the report never changes
		for _, w := range b.Warnings {
			add(paper.Text{Text: w.Text})
		}
	}
	add(paper.Heading("What to do next"))
	var methods []string
	if b.Next != nil {
		for i, t := range b.Next.Things {
			add(paper.Text{Text: strconv.Itoa(i+1) + ". " + t.Sentence})
			if said := strings.TrimSuffix(t.Asked, "?") + ": " + t.Method; !slices.Contains(methods, said) {
				methods = append(methods, said)
			}
		}
	}
	if len(methods) == 0 {
		add(paper.Text{Text: "Can't tell yet: no order and no case is known."})
	}
	numbers := paper.Figures{}
	for _, c := range b.Cards {
		numbers = append(numbers, paper.Figure{Name: c.Name, Value: strings.TrimSpace(c.Value + " " + c.Unit),
			Below: c.Change})
	}
	add(paper.Heading("In numbers, compared with "+b.Before), numbers)
	add(paper.Heading("The most expensive causes"), a.causesOnPaper(b))
	if b.Promises != nil && len(b.Promises.Rows) > 0 {
		add(paper.Heading("Promises that fell due, and what they cost in "+a.query.Currency), b.Promises.onPaper())
	}
	if got.next.Known {
		for _, m := range got.next.Value.Missing {
			add(paper.Text{Small: true, Text: fmt.Sprintf("Not known, and not in these numbers: %s %s.", counted(m.N),
				report.Word("missing", m.Code))})
		}
	}
	add(paper.Text{Small: true, Text: "Amounts are exact, shown to the cent; figures with a range are estimates (95 % " +
		"sure) and are added to no amount. Hidden costs are part of wages and fleet costs in the general ledger."})
	for _, said := range methods {
		add(paper.Text{Small: true, Text: said})
	}
	add(paper.Text{Small: true, Text: "More of each is in makegood's dashboards/README.md."})
	return d
}

// causesOnPaper are the most expensive causes, and the sum of all.
func (a *ask) causesOnPaper(b *overviewBody) paper.Table {
	t := paper.Table{Header: []string{"Cause", "Net", "Gross", "Hidden", "Cases"}, Wide: []float64{3, 1, 1, 1, 1},
		Right: []bool{false, true, true, true, true}}
	row := func(name string, f *figures) []string {
		return []string{name, f.Net.Cents(), f.Gross.Cents(), f.Hidden.Cents(), counted(f.Cases)}
	}
	const most = 8
	for _, g := range b.Groups[:min(len(b.Groups), most)] {
		t.Rows = append(t.Rows, paper.Row{Cells: row(g.Text, g.F)})
	}
	t.Total = row("All causes, "+a.query.Currency, b.OfGroups)
	return t
}

func (p *promises) onPaper() paper.Table {
	t := paper.Table{Header: []string{"Promised for", "Kept", "Share", "Late", "Broken", "Late ones cost",
		"Broken ones cost"}, Right: []bool{false, true, true, true, true, true, true}}
	for _, r := range p.Rows {
		t.Rows = append(t.Rows, paper.Row{Cells: []string{r.Of, counted(r.Kept), r.Share, counted(r.Late),
			counted(r.Broken), r.LeakedLate.Cents(), r.LeakedBroken.Cents()}})
	}
	return t
}

// Week is the address of the weekly report, of the last week that is over on the last day that is shown.
func (a *ask) Week() string {
	sunday := a.query.To.AddDate(0, 0, -1)
	v := url.Values{"week": {sunday.AddDate(0, 0, -int(sunday.Weekday())).Format(time.DateOnly)}}
	for name, value := range map[string]string{"store": a.query.Only["store"], "currency": a.query.Currency,
		"as_of": a.asOfAPI} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return "/weekly.pdf?" + v.Encode()
}

// inWords is what the first sentence of the page says.
func (b *overviewBody) inWords(a *ask) string {
	if b.Empty {
		return "Nothing was spent on putting mistakes right: no order and no case is in the books for this week."
	}
	text := fmt.Sprintf("Quality service cost %s %s. Of the cost before paybacks, %s is hidden inside wages and fleet, "+
		"where no ledger shows it: the general ledger alone shows %s.", b.Total.Net.Short(), a.When(), b.Total.Hidden.Short(),
		b.Total.Ledger().Short())
	switch s := b.Save; {
	case s == nil || !s.Known:
	case s.Year != nil:
		text += fmt.Sprintf(" Getting it right the first time would save %s a year (95 %% sure: %s to %s).",
			s.Year.Short(), s.Low.Cents(), s.High.Cents())
	default:
		text += " Can't tell yet what getting it right the first time would save: " + s.WhyNot + "."
	}
	return text
}
