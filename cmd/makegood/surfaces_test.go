package main

import (
	"cmp"
	"fmt"
	"html"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/projections/report"
)

// onSurfaces are the figures of the order of TestOneNumberOnAllSurfaces, by currency. Its first case, which was
// avoidable, cost a refund of 10 dollars, half an hour of an agent at 34 (17, hidden), less 4 that the wreck brought;
// 9,000 yen; and a supplier accepted to pay 25 euros. The second one, which was not, cost 5 dollars.
var onSurfaces = map[string]map[string]string{
	"gross":      {"USD": "32.0000", "JPY": "9000.0000", "EUR": "0.0000"},
	"recoveries": {"USD": "4.0000", "JPY": "0.0000", "EUR": "25.0000"},
	"net":        {"USD": "28.0000", "JPY": "9000.0000", "EUR": "-25.0000"},
	"hidden":     {"USD": "17.0000", "JPY": "0.0000", "EUR": "0.0000"},
	"avoidable":  {"USD": "23.0000", "JPY": "9000.0000", "EUR": "-25.0000"},
	"cases":      {"USD": "2", "JPY": "1", "EUR": "1"},
}

var netOnSurfaces = onSurfaces["net"]

// surfaces asks one place after the other what the order cost.
type surfaces struct {
	*testing.T
	app        *server.App
	c          *client
	span       url.Values
	month, day string
}

// TestOneNumberOnAllSurfaces: an order in dollars that cost dollars, yen and euros is told in each of them, with the
// same sums, wherever somebody looks; nothing is summed over two, and no amount stands without its currency.
func TestOneNumberOnAllSurfaces(t *testing.T) {
	t.Parallel()
	app, c := startTestAppWith(t, t.TempDir(), openForFinance)
	now := time.Now().UTC() // metrics tell of the running month
	mustPost(t, c, event("rate", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"labour_hour","key":"agent","value":"34","currency":"USD","effective_from":"2026-01-01"}`))
	const order = `"order_id":"o1","store_id":"s1",`
	for i, e := range [][2]string{
		{"order.placed", `"currency":"USD",` +
			`"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","unit_cost":"60"}]`},
		{"error.reported", `"error_id":"e1","kind":"damaged","found":"after_delivery","detected_by":"customer",` +
			`"vendor_id":"v1","avoidable":true`},
		{"error.reported", `"error_id":"e2","kind":"billing_error","found":"after_delivery","detected_by":"customer",` +
			`"vendor_id":"v1","avoidable":false`},
		{"refund.issued", `"error_id":"e1","refund_id":"r1","currency":"USD","net":"10"`},
		{"refund.issued", `"error_id":"e2","refund_id":"r3","currency":"USD","net":"5"`},
		{"labour.spent", `"error_id":"e1","labour_id":"l1","role":"agent","minutes":30,"currency":"USD"`},
		{"salvage.sold", `"error_id":"e1","salvage_id":"s1","currency":"USD","amount":"4"`},
		{"refund.issued", `"error_id":"e1","refund_id":"r2","currency":"JPY","net":"9000"`},
		{"claim.filed", `"error_id":"e1","claim_id":"k","party":"supplier","currency":"EUR","amount":"30"`},
		{"claim.accepted", `"error_id":"e1","claim_id":"k","party":"supplier","currency":"EUR","amount":"25"`},
	} {
		mustPost(t, c, event(fmt.Sprint(i), e[0], now.Format(time.RFC3339), "o1", "{"+order+e[1]+"}"))
	}
	mustCatchUp(t, c)
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	s := &surfaces{t, app, c, url.Values{"from": {first.Format(time.DateOnly)},
		"to": {first.AddDate(0, 1, 0).Format(time.DateOnly)}}, first.Format("2006-01"), now.Format(time.DateOnly)}
	for currency := range netOnSurfaces {
		s.reports(currency)
		s.summary(currency)
	}
	s.stories()
	s.statements()
	s.journals()
	s.views()
	s.metrics()
	s.pages()
	s.words()
}

// same holds a figure by currency against what it is. Where a place leaves out what is nothing, so does got.
func (s *surfaces) same(where, figure string, got map[string]string) {
	s.Helper()
	want := maps.Clone(onSurfaces[figure])
	for currency, value := range want {
		if _, there := got[currency]; !there && strings.Trim(value, "0.") == "" {
			delete(want, currency)
		}
	}
	if !maps.Equal(got, want) {
		s.Errorf("%s: %s %v, not %v", where, figure, got, want)
	}
}

// all holds several figures.
func (s *surfaces) all(where string, got map[string]map[string]string) {
	s.Helper()
	for figure, by := range got {
		s.same(where, figure, by)
	}
}

// isOf holds what one place tells of one currency.
func (s *surfaces) isOf(where, currency string, got map[string]string) {
	s.Helper()
	for figure, value := range got {
		if want := onSurfaces[figure][currency]; !sameAmount(value, want) {
			s.Errorf("%s in %s: %s %s, not %s", where, currency, figure, value, want)
		}
	}
}

// with is the span's question with more.
func (s *surfaces) with(more ...string) url.Values {
	q := maps.Clone(s.span)
	for i := 0; i < len(more); i += 2 {
		q[more[i]] = []string{more[i+1]}
	}
	return q
}

// reports asks for one currency, as JSON, CSV and XLSX.
func (s *surfaces) reports(currency string) {
	s.Helper()
	for _, by := range []string{"case", "avoidable"} {
		var answer report.Leakage
		if err := s.c.get(s.Context(), "/v1/reports/leakage", s.with("currency", currency, "group_by", by),
			&answer); err != nil {
			s.Fatal(err)
		}
		t := answer.Totals
		s.isOf("the report by "+by, answer.Currency, map[string]string{"gross": t.Gross, "net": t.Net, "hidden": t.Hidden,
			"recoveries": t.Recoveries, "cases": fmt.Sprint(t.Cases)})
		for i := range answer.Rows {
			if r := &answer.Rows[i]; r.Key["avoidable"] == "true" {
				s.isOf("the report's row", currency, map[string]string{"avoidable": r.Net})
			}
		}
		if answer.Currency != currency || len(answer.Rows) == 0 {
			s.Errorf("the report in %s says %+v in %s", currency, answer.Rows, answer.Currency)
		}
	}
	query := s.with("currency", currency, "group_by", "case", "format", "csv")
	tables := map[string][][]string{"CSV": readCSV(s.T, answered(s.T, s.c, "/v1/reports/leakage", query))}
	query.Set("format", "xlsx")
	tables["XLSX"] = readXLSX(s.T, answered(s.T, s.c, "/v1/reports/leakage", query), "")
	for name, table := range tables {
		for _, figure := range []string{"gross", "net", "hidden", "recoveries", "cases"} {
			got := s.sums(table, figure)
			if len(got) != 1 {
				s.Errorf("the %s in %s is of %v", name, currency, got)
			}
			s.isOf("the "+name, currency, map[string]string{figure: got[currency]})
		}
	}
}

func (s *surfaces) summary(currency string) {
	s.Helper()
	var m report.Summary
	if err := s.c.get(s.Context(), "/v1/summary", s.with("currency", currency), &m); err != nil {
		s.Fatal(err)
	}
	s.isOf("the summary", m.Currency, map[string]string{"net": m.LeakageShareOfNetSales.Numerator,
		"hidden": m.HiddenShare.Numerator, "gross": m.HiddenShare.Denominator, "avoidable": m.AvoidableShare.Numerator,
		"cases": m.CostPerCase.Denominator})
	for _, net := range []string{m.CostPerCase.Numerator, m.AvoidableShare.Denominator} {
		s.isOf("the summary", m.Currency, map[string]string{"net": net})
	}
	if m.Currency != currency {
		s.Errorf("the summary in %s is in %s", currency, m.Currency)
	}
}

// stories are the order's, and those of its cases together: their figures, and their lines.
func (s *surfaces) stories() {
	s.Helper()
	for _, paths := range [][]string{{"/v1/orders/o1"}, {"/v1/cases/e1", "/v1/cases/e2"}} {
		gross, net, hidden := sums{}, sums{}, sums{}
		lines := map[string]sums{"gross": {}, "net": {}, "hidden": {}, "recoveries": {}}
		for _, path := range paths {
			var story report.Story
			if err := s.c.get(s.Context(), path, nil, &story); err != nil {
				s.Fatal(err)
			}
			for _, f := range append(story.Others, report.StoryFigures{Currency: story.Currency, Gross: story.Gross,
				Net: story.Net, Hidden: story.Hidden}) {
				gross.add(s.T, f.Currency, f.Gross)
				net.add(s.T, f.Currency, f.Net)
				hidden.add(s.T, f.Currency, f.Hidden)
			}
			for _, e := range story.Events {
				for _, l := range e.Lines {
					countLine(s.T, lines, l)
				}
			}
			if got, want := len(story.Cases), 3-len(paths); got != want {
				s.Errorf("%s has %d cases, not %d", path, got, want)
			}
		}
		where := strings.Join(paths, " and ")
		s.all(where, map[string]map[string]string{"gross": gross.text(), "net": net.text(), "hidden": hidden.text()})
		for figure, by := range lines {
			s.same("the lines of "+where, figure, by.text())
		}
	}
}

// countLine adds a line to the figures that it is of.
func countLine(t *testing.T, to map[string]sums, l report.StoryLine) {
	t.Helper()
	if l.Element == "" {
		return
	}
	to["net"].add(t, l.Currency, l.Amount)
	if l.Element == "RECOVERY" || l.Element == "SALVAGE" {
		to["recoveries"].add(t, l.Currency, strings.TrimPrefix("-"+l.Amount, "--"))
		return
	}
	to["gross"].add(t, l.Currency, l.Amount)
	if l.Basis == "IMPUTED" {
		to["hidden"].add(t, l.Currency, l.Amount)
	}
}

// statements are of the store and of the vendor.
func (s *surfaces) statements() {
	s.Helper()
	for _, of := range []string{"store", "vendor"} {
		query := url.Values{of: {of[:1] + "1"}, "period": {s.month}}
		var answer report.Statement
		if err := s.c.get(s.Context(), "/v1/statement", query, &answer); err != nil {
			s.Fatal(err)
		}
		for _, c := range answer.Currencies {
			s.isOf("the statement of the "+of, c.Currency, map[string]string{"gross": c.Gross, "net": c.Net,
				"recoveries": c.Recoveries, "cases": fmt.Sprint(len(c.Cases))})
		}
		if len(answer.Currencies) != len(netOnSurfaces) {
			s.Errorf("the statement of the %s is of %d currencies", of, len(answer.Currencies))
		}
		ask := func(more ...string) string {
			q := maps.Clone(query)
			for i := 0; i < len(more); i += 2 {
				q[more[i]] = []string{more[i+1]}
			}
			return answered(s.T, s.c, "/v1/statement", q)
		}
		inCSV := readCSV(s.T, ask("format", "csv", "part", "cases"))
		inXLSX := slices.DeleteFunc(readXLSX(s.T, ask("format", "xlsx"), "cases"), func(row []string) bool {
			return strings.HasPrefix(row[1], "total")
		})
		for _, figure := range []string{"gross", "net", "recoveries"} {
			s.same("its CSV", figure, s.sums(inCSV, figure))
			s.same("its XLSX", figure, s.sums(inXLSX, figure))
		}
	}
}

// journals have no elements: what the order cost is on four accounts, one of them for information only.
func (s *surfaces) journals() {
	s.Helper()
	net, hidden := sums{}, sums{}
	journal := readJournal(s.T, s.c, s.span)
	count := func(to sums, entries []report.JournalEntry, accounts ...string) {
		for i := range entries {
			for _, l := range entries[i].Lines {
				if slices.Contains(accounts, l.Account) {
					to.add(s.T, entries[i].Currency, cmp.Or(l.Debit, "0"))
					to.add(s.T, entries[i].Currency, "-"+cmp.Or(l.Credit, "0"))
				}
			}
		}
	}
	count(net, journal.Entries, "4100", "5120", "5900")
	count(net, journal.Memo, "5300")
	count(hidden, journal.Memo, "5300")
	s.same("the journal", "net", net.text())
	s.same("the journal's memo", "hidden", hidden.text())
	if c := journal.Control; c.Debit != nil || c.Credit != nil || *c.Currency != "" || len(c.Currencies) != 3 {
		s.Errorf("the control totals of three currencies: %+v", c)
	}
	for currency := range netOnSurfaces {
		c := readJournal(s.T, s.c, s.with("currency", currency)).Control
		if *c.Currency != currency || *c.Debit != c.Currencies[0].Debit {
			s.Errorf("the control totals in %s: %+v of %s", currency, c, *c.Currency)
		}
	}
}

// views are what people ask with tools of their own, and what the boards ask.
func (s *surfaces) views() {
	s.Helper()
	db := asFinance(s.T, s.app)
	const lines = "sumIf(%[1]s, element NOT IN ('', 'RECOVERY', 'SALVAGE')), sumIf(%[1]s, element != ''), " +
		"sumIf(%[1]s, basis = 'IMPUTED' AND element != ''), -sumIf(%[1]s, element IN ('RECOVERY', 'SALVAGE'))"
	amounts := fmt.Sprintf(lines, "amount")
	for _, v := range []struct{ from, figures, columns string }{
		{"finance.orders", "gross net hidden", "sum(gross), sum(net), sum(hidden)"},
		{"finance.cases", "gross net hidden avoidable cases", "sum(gross), sum(net), sum(hidden), " +
			"sumIf(net, avoidable = 'true'), uniqExact(error_id)"},
		{"finance.journal", "gross net hidden recoveries", amounts},
		{"(SELECT * FROM makegood.leakage_daily FINAL WHERE part = 'leakage')",
			"gross net hidden recoveries avoidable cases",
			amounts + ", sumIf(amount, avoidable = 'true'), uniqExact(error_id)"},
	} {
		rows, err := db.Query(s.Context(), `SELECT toString(currency), arrayMap(x -> toString(x), [`+
			regexp.MustCompile(`uniqExact\(error_id\)`).ReplaceAllString(v.columns, "toDecimal128(uniqExact(error_id), 4)")+
			`]) FROM `+v.from+` WHERE currency != '' GROUP BY currency`)
		if err != nil {
			s.Fatal(err)
		}
		seen := 0
		for ; rows.Next(); seen++ {
			var currency string
			var values []string
			if err := rows.Scan(&currency, &values); err != nil {
				s.Fatal(err)
			}
			got := map[string]string{}
			for i, figure := range strings.Fields(v.figures) {
				got[figure] = values[i]
			}
			s.isOf(v.from, currency, got)
		}
		if err := rows.Err(); err != nil || seen != len(netOnSurfaces) {
			s.Fatalf("%s has %d currencies: %v", v.from, seen, err)
		}
	}
}

// metrics are floats, and say the running month.
func (s *surfaces) metrics() {
	s.Helper()
	sample := regexp.MustCompile(`(?m)^makegood_leakage_amount\{(.*)\} (\S+)$`)
	label := regexp.MustCompile(`(\w+)="([^"]*)"`)
	got := map[string]sums{"gross": {}, "net": {}, "hidden": {}, "recoveries": {}}
	for _, m := range sample.FindAllStringSubmatch(answered(s.T, s.c, "/metrics", nil), -1) {
		of := map[string]string{}
		for _, l := range label.FindAllStringSubmatch(m[1], -1) {
			of[l[1]] = l[2]
		}
		if of["period"] == "month" {
			countLine(s.T, got, report.StoryLine{Element: of["element"], Basis: of["basis"], Currency: of["currency"],
				Amount: m[2]})
		}
	}
	for figure, by := range got {
		s.same("the metrics", figure, by.text())
	}
}

// pages are what a browser shows: the order's, the case's, and the first page in each currency.
func (s *surfaces) pages() {
	s.Helper()
	plain := strings.NewReplacer(",", "", "−", "-", "\u00a0", " ", "\u202f", " ", "\u2009", " ")
	inAmounts, tags := regexp.MustCompile(`</?(data|span)[^>]*>`), regexp.MustCompile(`<[^>]*>`)
	show := func(path string, query url.Values) string {
		text := inAmounts.ReplaceAllString(answered(s.T, s.c, path, query), "")
		return plain.Replace(html.UnescapeString(tags.ReplaceAllString(text, " ")))
	}
	tells := func(path, id string, figures map[string][]string) {
		page := show(path, url.Values{"id": {id}})
		for currency, amounts := range figures {
			for _, amount := range amounts {
				if !strings.Contains(page, amount+" "+currency) {
					s.Errorf("the page of %s doesn't tell of %s %s:\n%s", id, amount, currency, page)
				}
			}
		}
	}
	of := map[string][]string{}
	for currency := range netOnSurfaces {
		for _, figure := range []string{"gross", "net", "hidden"} {
			if value := onSurfaces[figure][currency]; value != "0.0000" {
				of[currency] = append(of[currency], value)
			}
		}
	}
	tells("/order", "o1", of)
	tells("/case", "e1", map[string][]string{"USD": {onSurfaces["avoidable"]["USD"]}, "JPY": {netOnSurfaces["JPY"]},
		"EUR": {netOnSurfaces["EUR"]}})
	tells("/case", "e2", map[string][]string{"USD": {"5.0000"}})
	for currency, net := range netOnSurfaces {
		first := ""
		for end := time.Now().Add(time.Minute); !strings.Contains(first, "Quality service cost") && time.Now().Before(end); {
			first = strings.Join(strings.Fields(show("/", s.with("currency", currency))), " ") // it comes once it is counted
		}
		cents := func(amount string) string { return strings.TrimSuffix(amount, "00") + " " + currency }
		if !strings.Contains(first, "cost "+cents(net)) ||
			!strings.Contains(first, "paybacks "+cents(onSurfaces["hidden"][currency])) {
			s.Errorf("the first page in %s:\n%s", currency, first)
		}
		if page := show("/cases", s.with("currency", currency)); !strings.Contains(page, net) ||
			!strings.Contains(page, "Amounts in "+currency) {
			s.Errorf("the page of the cases in %s doesn't tell of %s:\n%s", currency, net, page)
		}
	}
}

// words are what the commands say.
func (s *surfaces) words() {
	s.Helper()
	story := strings.Join(strings.Fields(say(s.T, s.c, "", "explain", "o1")), " ")
	for currency, net := range netOnSurfaces {
		if !strings.Contains(story, net+" "+currency) {
			s.Errorf("explain doesn't tell of %s %s:\n%s", net, currency, story)
		}
		table := strings.Join(strings.Fields(say(s.T, s.c, "", "report", "--from", s.span.Get("from"), "--until",
			s.span.Get("to"), "--currency", currency)), " ")
		for _, told := range []string{onSurfaces["gross"][currency], onSurfaces["recoveries"][currency],
			onSurfaces["hidden"][currency], net, "in " + currency + ","} {
			if !strings.Contains(table, told) {
				s.Errorf("report --currency %s doesn't tell of %s:\n%s", currency, told, table)
			}
		}
		summary := strings.Join(strings.Fields(say(s.T, s.c, "", "summary", "--from", s.span.Get("from"), "--until",
			s.span.Get("to"), "--currency", currency)), " ")
		for _, told := range []string{"cost per case " + net + " " + onSurfaces["cases"][currency] + " ",
			"hidden share " + onSurfaces["hidden"][currency] + " " + onSurfaces["gross"][currency] + " ",
			"avoidable share " + onSurfaces["avoidable"][currency] + " " + net + " ", currency} {
			if !strings.Contains(summary, told) {
				s.Errorf("summary --currency %s doesn't tell of %s:\n%s", currency, told, summary)
			}
		}
	}
}
