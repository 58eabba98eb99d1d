package page

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/insight/estimate"
)

// nextThings are the three things to do next.
type nextThings struct {
	Things []thing
	At     string // when they were known, where a newer answer took too long
	Known  bool
	CSV    string
}

// thing is one of them.
type thing struct {
	Sentence, URL, Of string // Of: what the link leads to
	PDF               string // the same as a file to send, where there is one
	Method            string
	Asked             string // what the question that says more is called
	Tells             bool
}

func (p *Page) nextThings(a *ask, got part[*insight.Answer]) *nextThings {
	n := &nextThings{Known: got.Known, At: at(got)}
	if !got.Known {
		return n
	}
	for _, row := range got.Value.Rows {
		text := func(name string) string { s, _ := row[name].(string); return s }
		question := insight.QuestionOf(text("question"))
		t := thing{Sentence: text("sentence"), URL: a.withAsOf(text("link")), Of: "See the answer", Method: question.Method,
			Asked: question.Heading, Tells: insight.Tells(text("action"))}
		switch {
		case strings.HasPrefix(t.URL, "/cases"):
			t.Of = "See the cases"
		case strings.HasPrefix(t.URL, "/v1/claims/"):
			t.Of = "See the claim, with its cases"
			t.PDF = strings.Replace(t.URL, "format=html", "format=pdf", 1)
		case strings.HasPrefix(t.URL, "/v1/"):
			t.URL = a.pageOf(t.URL)
		}
		n.Things = append(n.Things, t)
	}
	return n
}

// withAsOf is a link of an answer, as of the moment that the page is of.
func (a *ask) withAsOf(link string) string {
	u, err := url.Parse(link)
	if err != nil || a.asOf == "" {
		return link
	}
	q := u.Query()
	q.Set("as_of", a.asOfAPI)
	u.RawQuery = q.Encode()
	return u.String()
}

// saving is what a year would save if all were right first time.
type saving struct {
	Known     bool
	Failed    bool   // it could not be read
	Year, Low *money // nil: can't tell yet
	High      *money
	Cash      *money
	WhyNot    string
	At        string
}

func savingOf(a *ask, got part[*insight.Answer]) (*saving, error) {
	s := &saving{Known: got.Known, Failed: got.Failed, At: at(got)}
	if !got.Known {
		return s, nil
	}
	whole := got.Value.Parts[insight.Saved].Rows
	if len(whole) == 0 {
		return nil, errors.New("next doesn't say what would be saved")
	}
	year, _ := whole[0]["year"].(*estimate.Estimate)
	cash, _ := whole[0]["cash"].(*estimate.Estimate)
	if year == nil || !year.Enough || cash == nil || !cash.Enough {
		s.WhyNot = "too little is known"
		if year != nil && year.WhyNot != "" {
			s.WhyNot = year.WhyNot
		}
		return s, nil
	}
	for _, n := range []struct {
		into **money
		text *string
	}{{&s.Year, year.Value}, {&s.Low, year.Low}, {&s.High, year.High}, {&s.Cash, cash.Value}} {
		m, err := read(*n.text, a.query.Currency)
		if err != nil {
			return nil, err
		}
		*n.into = m
	}
	return s, nil
}

func (s *saving) card(a *ask) card {
	c := card{Name: "Right first time would save", Term: "saving", Value: "can't tell yet", Direction: "same", At: s.At,
		URL: a.Link("/", "group", "root_cause") + "#groups", Explained: "A year right first time: " + s.WhyNot + "."}
	if s.Year != nil {
		c.Value, c.Unit, c.Exact = s.Year.Cents(), s.Year.currency+" a year", s.Year.Text()
		c.Change = "95 % sure: " + s.Low.Cents() + " to " + s.High.Cents()
		c.Explained = "If all went right the first time, as the last weeks went; " + s.Cash.Short() + " of it cash."
	}
	switch {
	case s.Failed: // too little isn't the reason
		c.Value, c.Explained = "not known", "It could not be read: the log of makegood says why."
	case !s.Known:
		c.Value, c.Explained = "not yet counted", "Still being counted."
	}
	return c
}

// owedCard is what suppliers and carriers can still be asked for, of a year.
func owedCard(a *ask, got part[*insight.Answer]) (c card, err error) {
	owed, sums := got.Value.Parts[insight.Owed], map[string]*money{}
	for _, name := range []string{"to_file", "filed", "lapsed"} {
		text, _ := owed.Totals[name].(string)
		if sums[name], err = read(text, a.query.Currency); err != nil {
			return c, wrap("what is owed", err)
		}
	}
	open := sums["to_file"].plus(sums["filed"])
	days := -1 // none is known
	for _, row := range owed.Rows {
		if left, is := row["days_left"].(string); is {
			n, err := strconv.Atoi(left)
			if err != nil {
				return c, wrap("the days that are left", err)
			}
			if days < 0 || n < days {
				days = n
			}
		}
	}
	c = card{Name: "Still to get back", Term: "recovered", Value: open.Cents(), Unit: open.currency, Exact: open.Text(),
		Direction: "same", At: at(got), URL: a.pageOf(a.withAsOf("/v1/recoverable?" + url.Values{
			"from": {a.query.To.AddDate(0, 0, -insight.ClaimsBack).Format(time.DateOnly)}, "to": {got.Value.To},
			"currency": {a.query.Currency}}.Encode()))}
	c.Change = sums["lapsed"].Short() + " lapsed within a year"
	c.Explained = "Of a year: " + sums["to_file"].Short() + " to be claimed, " + sums["filed"].Short() + " claimed and " +
		"not answered."
	switch {
	case days == 0:
		c.Explained += " The first window ends today."
	case days == 1:
		c.Explained += " The first window ends tomorrow."
	case days > 1:
		c.Explained += " The first window ends in " + strconv.Itoa(days) + " days."
	}
	return c, nil
}

// promises are how the promises that fell due were kept.
type promises struct {
	Rows []promised
	At   string
	CSV  string
	All  string // each row of the answer
}

// promised are the promises of orders, or of fixes.
type promised struct {
	Of                                    string
	Promised, Kept, Late, Broken, Open    uint64
	Share, Range                          string
	LeakedLate, LeakedBroken, LeakedOther *money

	list string // the address of all of them
}

// Each is the list of those that came out so.
func (p promised) Each(outcome string) string { return p.list + "&outcome=" + outcome }

func promisesOf(a *ask, got part[*insight.Answer]) (*promises, error) {
	if !got.Known {
		return nil, nil
	}
	p := &promises{At: at(got), CSV: a.withAsOf("/v1/promises?" + url.Values{"from": {got.Value.From},
		"to": {got.Value.To}, "currency": {a.query.Currency}, "format": {"csv"}, "store": {a.query.Only["store"]}}.Encode())}
	p.All = a.pageOf(p.CSV)
	for _, table := range []struct {
		of, list string
		t        insight.Table
	}{{"Orders", "orders", got.Value.Table}, {"Fixes", "redeliveries", got.Value.Parts["fixes"]}} {
		r := promised{Of: table.of, list: strings.Replace(p.All, "/promises?", "/promises/"+table.list+"?", 1)}
		for name, into := range map[string]*uint64{"promised": &r.Promised, "kept": &r.Kept, "late": &r.Late,
			"broken": &r.Broken, "open": &r.Open} {
			*into, _ = table.t.Totals[name].(uint64)
		}
		var err error
		for name, into := range map[string]**money{"leakage_late": &r.LeakedLate, "leakage_broken": &r.LeakedBroken,
			"leakage_kept": &r.LeakedOther} {
			text, _ := table.t.Totals[name].(string)
			if *into, err = read(text, a.query.Currency); err != nil {
				return nil, wrap("the promises", err)
			}
		}
		if due := r.Kept + r.Late + r.Broken; due > 0 {
			e := estimate.Wilson(r.Kept, due, 1, 1)
			p, err := percentsOf(*e.Value, *e.Low, *e.High)
			if err != nil {
				return nil, wrap("the promises", err)
			}
			r.Share, r.Range = p.ShareText(), p.RangeText()
		}
		if r.Promised > 0 {
			p.Rows = append(p.Rows, r)
		}
	}
	return p, nil
}

// traded reports whether orders were placed in the time that is shown.
func (a *ask) traded(days []string) bool {
	from := a.From()
	for _, d := range days {
		if d >= from {
			return true
		}
	}
	return false
}

// unequal says why the time and the one before can't be compared: one of them has orders on far fewer days. Empty where
// they can.
func (a *ask) unequal(days []string) string {
	from := a.From()
	now, then := 0, 0
	for _, d := range days {
		if d >= from {
			now++
		} else {
			then++
		}
	}
	const enough = 0.8
	earlier, end := before(a.query.From, a.query.To)
	of := int(end.Sub(earlier) / (24 * time.Hour))
	switch {
	case now == 0 || then == 0:
		return ""
	case float64(then) < enough*float64(now):
		return fmt.Sprintf("not compared: there is data of only %d of the %d days before", then, of)
	case float64(now) < enough*float64(then):
		return fmt.Sprintf("not compared: there is data of only %s, and of %d days before",
			countOf(uint64(now), "day", "days"), then)
	}
	return ""
}
