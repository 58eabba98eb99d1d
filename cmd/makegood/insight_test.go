package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/report"
)

// planted writes events that are worked out by hand: of one store, each order with an id of its own.
type planted struct {
	store    string
	currency string // USD where none is given
	n        int
	all      []string
}

func (p *planted) tell(kind, at, order, data string) {
	p.n++
	subject := order
	p.all = append(p.all, event(fmt.Sprintf("%s-%d", p.store, p.n), kind, at, subject,
		fmt.Sprintf(`{"order_id":%q,"store_id":%q,"currency":%q,%s}`, order, p.store, cmp.Or(p.currency, "USD"), data)))
}

// sold is an order of one piece of M at 100, which cost 60; more is further members.
func (p *planted) sold(order, at, more string) {
	p.tell("order.placed", at, order,
		`"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","unit_cost":"60"}]`+more)
}

func (p *planted) arrived(order, at string) {
	p.n++
	p.all = append(p.all, event(fmt.Sprintf("%s-%d", p.store, p.n), "order.delivered", at, order,
		fmt.Sprintf(`{"order_id":%q,"store_id":%q}`, order, p.store)))
}

// given is a case of an order, and cash for the customer.
func (p *planted) given(order, kind, at, amount string) {
	p.tell("error.reported", at, order, fmt.Sprintf(`"error_id":"%s-e","kind":%q,"found":"after_delivery",
		"detected_by":"customer"`, order, kind))
	p.tell("concession.granted", at, order, fmt.Sprintf(`"error_id":"%s-e","concession_id":"%[1]s-c","kind":"cash",
		"amount":%[2]q`, order, amount))
}

func until(at string) string { return fmt.Sprintf(`,"promise":{"until":%q}`, at) }

// plantPromises: two orders late by 3 and 24 hours, one kept, one that never comes, one that the customer cancels and
// one that the business cancels, and one that nobody promised a time for.
func plantPromises(p *planted) {
	const due = "2026-01-12T12:00:00Z"
	for _, order := range []string{"kept", "late3", "late24", "never", "given-up", "undone"} {
		p.sold(order, "2026-01-10T09:00:00Z", `,"channel":"web","promise":{"from":"2026-01-12T09:00:00Z","until":"`+due+`"}`)
	}
	p.sold("free", "2026-01-10T09:00:00Z", "")
	p.arrived("kept", "2026-01-12T11:00:00Z")
	p.arrived("late3", "2026-01-12T15:00:00Z")
	p.arrived("late24", "2026-01-13T12:00:00Z")
	p.arrived("free", "2026-01-13T12:00:00Z")
	p.tell("order.cancelled", "2026-01-11T09:00:00Z", "given-up", `"by":"customer"`)
	p.tell("order.cancelled", "2026-01-11T09:00:00Z", "undone", `"by":"business"`)
	p.given("late3", "late", "2026-01-12T16:00:00Z", "5")
	p.given("late24", "late", "2026-01-13T16:00:00Z", "10.01")
	p.given("never", "not_delivered", "2026-01-14T16:00:00Z", "7")
	p.given("free", "billing_error", "2026-01-14T16:00:00Z", "3")
	for i, f := range []struct {
		order, at string
		rating    int
		public    bool
	}{{"kept", "2026-01-13T09:00:00Z", 5, true}, {"kept", "2026-01-13T10:00:00Z", 4, false},
		{"late3", "2026-01-12T15:30:00Z", 1, true}, // before anything was made up for
		{"late3", "2026-01-20T09:00:00Z", 4, false}, {"late24", "2026-01-20T09:00:00Z", 3, true},
		{"never", "2026-01-20T09:00:00Z", 2, true}, {"free", "2026-02-20T09:00:00Z", 1, true}} {
		p.all = append(p.all, event(fmt.Sprintf("f-%d", i), "feedback.received", f.at, f.order, fmt.Sprintf(
			`{"order_id":%q,"store_id":%q,"rating":%d,"public":%t}`, f.order, p.store, f.rating, f.public)))
	}
	// A fix that was promised for 10:00 and came at 12:00, with a part of 60.
	p.tell("redelivery.dispatched", "2026-01-14T09:00:00Z", "late24", `"error_id":"late24-e","redelivery_id":"d",
		"mode":"pickup","lines":[{"sku":"M","quantity":1,"unit_cost":"60"}]`+until("2026-01-14T10:00:00Z"))
	p.tell("redelivery.completed", "2026-01-14T12:00:00Z", "late24",
		`"error_id":"late24-e","redelivery_id":"d","succeeded":true`)
}

// insightAnswer asks a question.
func insightAnswer(t *testing.T, c *client, name string, query url.Values) *insight.Answer {
	t.Helper()
	var text bytes.Buffer
	if err := c.get(t.Context(), "/v1/"+name, query, &text); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	a, err := insight.QuestionOf(name).Decode(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// hold compares the named columns of a row with what was worked out.
func hold(t *testing.T, what string, row insight.Row, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		got := "null"
		if row[name] != nil {
			text, err := json.Marshal(row[name])
			if err != nil {
				t.Fatal(err)
			}
			got = strings.Trim(string(text), `"`)
		}
		if got != want[name] {
			t.Errorf("%s: %s is %s, worked out %s", what, name, got, want[name])
		}
	}
}

// find is the one row whose columns have these values.
func find(t *testing.T, rows []insight.Row, of map[string]string) insight.Row {
	t.Helper()
	var found []insight.Row
	for _, row := range rows {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(of)), func(name string) bool {
			return fmt.Sprint(row[name]) != of[name]
		}) {
			found = append(found, row)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d rows have %v: %v", len(found), of, rows)
	}
	return found[0]
}

// leakageOf is the net leakage of a store in January, by the leakage report.
func leakageOf(t *testing.T, c *client, store string) string {
	t.Helper()
	var l report.Leakage
	if err := c.get(t.Context(), "/v1/reports/leakage", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"},
		"store": {store}, "currency": {"USD"}}, &l); err != nil {
		t.Fatal(err)
	}
	return l.Totals.Net
}

// TestInsight holds the owner's questions against events that are worked out by hand.
func TestInsight(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	var all []string
	for store, plant := range map[string]func(*planted){"p1": plantPromises, "q1": plantHabits, "v1": plantVendors,
		"n1": plantWeeks, "k1": plantCounter, "g1": plantRise} {
		p := &planted{store: store}
		plant(p)
		all = append(all, p.all...)
	}
	all = slices.Concat(goldenRates, vendorsTerms, spentOnPrevention, all, whoCameBack())
	batch := "[" + strings.Join(all, ",") + "]"
	if status, text := postBody(t, c, "application/cloudevents-batch+json", batch); status != 202 {
		t.Fatalf("%d %s", status, text)
	}
	mustCatchUp(t, c)
	t.Run("next", func(t *testing.T) { nextHolds(t, c) })
	t.Run("promises", func(t *testing.T) { promisesHold(t, c) })
	t.Run("feedback", func(t *testing.T) { feedbackHolds(t, c) })
	t.Run("sources", func(t *testing.T) { sourcesHold(t, c) })
	t.Run("recoverable", func(t *testing.T) { recoverableHolds(t, c) })
	t.Run("vendors", func(t *testing.T) { vendorsHold(t, c) })
	t.Run("counter", func(t *testing.T) { counterHolds(t, c) })
	t.Run("packet", func(t *testing.T) { packetHolds(t, c) })
	t.Run("terms", func(t *testing.T) { termsByCommand(t, c) })
	t.Run("provision", func(t *testing.T) { provisionHolds(t, c) })
	t.Run("budget", func(t *testing.T) { budgetHolds(t, c) })
	t.Run("prevention", func(t *testing.T) { preventionHolds(t, c) })
	t.Run("what-if", func(t *testing.T) { whatIfHolds(t, c) })
	t.Run("links", func(t *testing.T) { linksHold(t, c) })
	t.Run("pages", func(t *testing.T) { answersHavePages(t, c) })
	t.Run("as of a moment", func(t *testing.T) { asOfHolds(t, c) })
	t.Run("signals", func(t *testing.T) { signalsHold(t, c) })
	t.Run("rise", func(t *testing.T) { riseIsSeen(t, c) })
	t.Run("watched", func(t *testing.T) { watchedHold(t, app, c) })
	t.Run("customers", func(t *testing.T) { customersHold(t, c) })
	t.Run("experiment", func(t *testing.T) { experimentHolds(t, c) })
	t.Run("list by command", func(t *testing.T) { listsByCommand(t, app.URL) })
	t.Run("command", func(t *testing.T) { commandsHold(t, app.URL) })
}

func promisesHold(t *testing.T, c *client) {
	january := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"p1"}, "currency": {"USD"}}
	a := insightAnswer(t, c, "promises", january)
	if len(a.Rows) != 1 {
		t.Fatalf("%v", a.Rows)
	}
	want := map[string]string{"promised": "6", "kept": "1", "late": "2", "broken": "2", "open": "0", "withdrawn": "1",
		"late_median": "13.50", "late_worst": "24.00", "leakage_late": "75.0100", "price_late": "37.50500000",
		"leakage_broken": "47.0000", "price_broken": "23.50000000", "leakage_kept": "0.0000", "leakage_other": "0.0000"}
	hold(t, "orders", a.Rows[0], want)
	hold(t, "totals", a.Totals, map[string]string{"promised": "6", "leakage_late": "75.0100", "leakage_broken": "47.0000"})
	fixes := a.Parts["fixes"].Rows
	if len(fixes) != 1 {
		t.Fatalf("%v", fixes)
	}
	hold(t, "fixes", fixes[0], map[string]string{"promised": "1", "late": "1", "late_worst": "2.00",
		"leakage_late": "70.0100", "price_late": "70.01000000"})
	for outcome, amount := range map[string]string{"late": "75.0100", "broken": "47.0000", "none": "3.0000"} {
		hold(t, "leakage", find(t, a.Parts["leakage"].Rows, map[string]string{"outcome": outcome}),
			map[string]string{"leakage": amount})
	}
	if got, want := a.Parts["leakage"].Totals["leakage"], leakageOf(t, c, "p1"); got != want || want != "125.0100" {
		t.Errorf("split by promise the leakage is %v, the report has %s", got, want)
	}

	by := func(what string) []insight.Row {
		query := maps.Clone(january)
		query.Set("by", what)
		return insightAnswer(t, c, "promises", query).Rows
	}
	hold(t, "by slot", find(t, by("slot"), map[string]string{"group": "09:00-12:00"}), want)
	hold(t, "by weekday", find(t, by("weekday"), map[string]string{"group": "Monday"}), want)
	hold(t, "by day", find(t, by("day"), map[string]string{"group": "2026-01-12"}), want)
	hold(t, "by channel", find(t, by("how"), map[string]string{"group": "web"}), want)
}

// commandsHold: every question is a command, which prints its table, or writes it as CSV.
func commandsHold(t *testing.T, at string) {
	for i, q := range insight.Questions() {
		if strings.Contains(q.Name, "/") {
			continue // a list, or a command of another name
		}
		for k, format := range []string{"table", "csv"} {
			if k != i%2 && !reference.AllStreams() {
				continue // of few streams, in one of the formats
			}
			var out, said bytes.Buffer
			if status := run(t.Context(), []string{q.Name, "--to", at, "--from", "2026-01-01", "--until", "2026-02-01",
				"--currency", "USD", "--format", format}, terminal.Streams{Out: &out, Err: &said}); status != 0 {
				t.Fatalf("%s: %d %s", q.Name, status, said.String())
			}
			if !strings.Contains(out.String(), report.Heading(q.Columns[0].Name)) ||
				format == "table" && !strings.Contains(out.String(), q.Method) {
				t.Errorf("%s as %s:\n%s", q.Name, format, out.String())
			}
		}
	}
}

// listsByCommand: what is behind a row is asked for by the command of its question.
func listsByCommand(t *testing.T, at string) {
	list := func(command, name, key string) (int, string) {
		var out, said bytes.Buffer
		status := run(t.Context(), []string{command, "--to", at, "--from", "2026-01-01", "--until", "2026-02-01",
			"--currency", "USD", "--store", "p1", "--list", name, "--with", key}, terminal.Streams{Out: &out, Err: &said})
		return status, out.String() + said.String()
	}
	if status, text := list("promises", "orders", "outcome=late"); status != 0 || !strings.Contains(text, "late24") ||
		!strings.Contains(text, "75.0100") || strings.Contains(text, "never") {
		t.Errorf("%d %s", status, text)
	}
	if status, text := list("budget", "orders", "outcome=late"); status == 0 || !strings.Contains(text, "no lists") {
		t.Errorf("%d %s", status, text)
	}
}

// asOfHolds: as of a moment by which all was recorded, every question has the answer of now.
func asOfHolds(t *testing.T, c *client) {
	for _, q := range insight.Questions() {
		if q.IsList() {
			continue // of the same statements
		}
		query := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "currency": {"USD"}}
		for _, p := range q.Params {
			if p.Must {
				query.Set(p.Name, "acme")
			}
		}
		now := insightAnswer(t, c, q.Name, query)
		query.Set("as_of", now.AsOf.Format(time.RFC3339Nano))
		then := insightAnswer(t, c, q.Name, query)
		for _, a := range []*insight.Answer{now, then} {
			a.Missing = nil
			withoutMoment(t, q, a)
		}
		want, err := json.Marshal(now.Parts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(then.Parts)
		if err != nil {
			t.Fatal(err)
		}
		a, err := json.Marshal(now.Table)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(then.Table)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) || !bytes.Equal(want, got) {
			t.Errorf("%s\n%s %s\nas of then\n%s %s", q.Name, a, want, b, got)
		}
	}
}

// withoutMoment takes the moment out of an answer's links: what is asked of now links to what is of now.
func withoutMoment(t *testing.T, q *insight.Question, a *insight.Answer) {
	t.Helper()
	for _, part := range append([]string{""}, q.PartNames()...) {
		_, of := q.Table(a, part)
		for _, row := range of.Rows {
			link, _ := row["link"].(string)
			u, err := url.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			query := u.Query()
			query.Del("as_of")
			if u.RawQuery = query.Encode(); link != "" {
				row["link"] = u.String()
			}
		}
	}
}

func feedbackHolds(t *testing.T, c *client) {
	a := insightAnswer(t, c, "feedback", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"p1"}})
	if len(a.Rows) != 4 {
		t.Fatalf("%v", a.Rows)
	}
	for of, want := range map[[2]string]map[string]string{
		{"kept", "no_case"}:   {"ratings": "2", "mean": "4.50", "public": "1"},
		{"late", "not_fixed"}: {"ratings": "1", "mean": "1.00", "public": "1"},
		{"late", "fixed"}:     {"ratings": "2", "mean": "3.50", "public": "1"},
		{"broken", "fixed"}:   {"ratings": "1", "mean": "2.00", "public": "1"},
	} {
		hold(t, fmt.Sprint(of), find(t, a.Rows, map[string]string{"promise": of[0], "fix": of[1]}), want)
	}
	low, _ := find(t, a.Rows, map[string]string{"promise": "broken"})["low"].(*estimate.Estimate)
	// Wilson's interval of 1 in 1 at 95 %.
	if low == nil || *low.Value != "1.000000" || *low.Low != "0.206549" || low.Enough || low.N != 1 {
		t.Errorf("%+v", low)
	}
}

// plantHabits: four orders a day for seven weeks, and then none any more.
func plantHabits(p *planted) {
	last := time.Date(2026, 1, 26, 0, 0, 0, 0, time.UTC)
	for at := last.AddDate(0, 0, -49); !at.After(last); at = at.Add(6 * time.Hour) {
		order := "habit-" + at.Format("0102-15")
		p.all = append(p.all, event(order, "order.placed", at.Format(time.RFC3339), order, fmt.Sprintf(
			`{"order_id":%q,"store_id":%q,"currency":"CHF","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"1"}]}`,
			order, p.store)))
	}
}

// sourcesHold: of seven weeks an order stands at each of four hours of a day seven times, on Monday at midnight eight
// times.
func sourcesHold(t *testing.T, c *client) {
	of := func(to string) insight.Row {
		a := insightAnswer(t, c, "sources", url.Values{"from": {"2025-12-01"}, "to": {to}, "store": {"q1"}})
		return find(t, a.Rows, map[string]string{"what": "store", "name": "q1"})
	}
	hold(t, "after six days", of("2026-02-01"), map[string]string{"orders": "197", "last": "2026-01-26T00:00:00Z",
		"silent_for": "144.00", "expected": "24.14", "silent": "true"})
	hold(t, "after a day", of("2026-01-27"), map[string]string{"silent_for": "24.00", "expected": "4.14",
		"silent": "false"})
	hold(t, "before there are habits", of("2025-12-15"), map[string]string{"expected": "null", "silent": "null"})
}
