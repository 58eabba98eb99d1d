package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"html"
	"maps"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/projections/report"
)

// netOnSurfaces is what the order of TestOneNumberOnAllSurfaces cost, by currency: refunds of 10 dollars and 9,000 yen,
// and a supplier's claim of 25 euros that was accepted.
var netOnSurfaces = map[string]string{"USD": "10.0000", "JPY": "9000.0000", "EUR": "-25.0000"}

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
	const order = `"order_id":"o1","store_id":"s1",`
	for i, e := range [][2]string{
		{"order.placed", `"currency":"USD",` +
			`"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","unit_cost":"60"}]`},
		{"error.reported", `"error_id":"e1","kind":"damaged","found":"after_delivery","detected_by":"customer",` +
			`"vendor_id":"v1"`},
		{"refund.issued", `"error_id":"e1","refund_id":"r1","currency":"USD","net":"10"`},
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

// same holds sums by currency against what the order cost.
func (s *surfaces) same(where string, got map[string]string) {
	s.Helper()
	if !maps.Equal(got, netOnSurfaces) {
		s.Errorf("%s: %v, not %v", where, got, netOnSurfaces)
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
	want := netOnSurfaces[currency]
	var answer report.Leakage
	if err := s.c.get(s.Context(), "/v1/reports/leakage", s.with("currency", currency, "group_by", "case,element"),
		&answer); err != nil {
		s.Fatal(err)
	}
	if answer.Currency != currency || answer.Totals.Net != want || len(answer.Rows) != 1 || answer.Rows[0].Net != want {
		s.Errorf("the report in %s says %+v of %+v in %s", currency, answer.Totals, answer.Rows, answer.Currency)
	}
	table := answered(s.T, s.c, "/v1/reports/leakage", s.with("currency", currency, "group_by", "case", "format", "csv"))
	if got := s.sums(readCSV(s.T, table), "net"); len(got) != 1 || got[currency] != want {
		s.Errorf("the CSV in %s says %v", currency, got)
	}
	book := answered(s.T, s.c, "/v1/reports/leakage", s.with("currency", currency, "group_by", "case", "format", "xlsx"))
	if got := s.sums(readXLSX(s.T, book, ""), "net"); len(got) != 1 || got[currency] != want {
		s.Errorf("the XLSX in %s says %v", currency, got)
	}
}

func (s *surfaces) summary(currency string) {
	s.Helper()
	var m report.Summary
	if err := s.c.get(s.Context(), "/v1/summary", s.with("currency", currency), &m); err != nil {
		s.Fatal(err)
	}
	if want := netOnSurfaces[currency]; m.Currency != currency || m.LeakageShareOfNetSales.Numerator != want ||
		m.CostPerCase.Numerator != want {
		s.Errorf("the summary in %s says %s and %s in %s", currency, m.LeakageShareOfNetSales.Numerator,
			m.CostPerCase.Numerator, m.Currency)
	}
}

// stories are the order's and the case's: their figures, and their lines.
func (s *surfaces) stories() {
	s.Helper()
	for _, path := range []string{"/v1/orders/o1", "/v1/cases/e1"} {
		var story report.Story
		if err := s.c.get(s.Context(), path, nil, &story); err != nil {
			s.Fatal(err)
		}
		figures, lines := map[string]string{story.Currency: story.Net}, sums{}
		for _, f := range story.Others {
			figures[f.Currency] = f.Net
		}
		for _, e := range story.Events {
			for _, l := range e.Lines {
				if l.Element != "" {
					lines.add(s.T, l.Currency, l.Amount)
				}
			}
		}
		s.same(path, figures)
		s.same("the lines of "+path, lines.text())
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
		got := map[string]string{}
		for _, c := range answer.Currencies {
			got[c.Currency] = c.Net
		}
		s.same("the statement of the "+of, got)
		ask := func(more ...string) string {
			q := maps.Clone(query)
			for i := 0; i < len(more); i += 2 {
				q[more[i]] = []string{more[i+1]}
			}
			return answered(s.T, s.c, "/v1/statement", q)
		}
		s.same("its CSV", s.sums(readCSV(s.T, ask("format", "csv", "part", "cases")), "net"))
		s.same("its XLSX", s.sums(slices.DeleteFunc(readXLSX(s.T, ask("format", "xlsx"), "cases"), func(row []string) bool {
			return strings.HasPrefix(row[1], "total")
		}), "net"))
	}
}

// journals have no elements: what the order cost is on two accounts.
func (s *surfaces) journals() {
	s.Helper()
	got := sums{}
	for _, e := range readJournal(s.T, s.c, s.span).Entries {
		for _, l := range e.Lines {
			if l.Account == "4100" || l.Account == "5900" {
				got.add(s.T, e.Currency, cmp.Or(l.Debit, "0"))
				got.add(s.T, e.Currency, "-"+cmp.Or(l.Credit, "0"))
			}
		}
	}
	s.same("the journal", got.text())
}

func (s *surfaces) views() {
	s.Helper()
	db := asFinance(s.T, s.app)
	for _, from := range []string{"(SELECT currency, net FROM finance.orders)",
		"(SELECT currency, net FROM finance.cases)",
		"(SELECT currency, amount AS net FROM finance.journal WHERE element != '')",
		"(SELECT currency, amount AS net FROM makegood.leakage_daily FINAL WHERE part = 'leakage')"} {
		var currencies, nets []string
		if err := db.QueryRow(s.Context(), `SELECT groupArray(currency), groupArray(toDecimalString(net, 4)) FROM (
            SELECT toString(currency) AS currency, sum(net) AS net FROM `+from+` GROUP BY currency)`).Scan(&currencies,
			&nets); err != nil {
			s.Fatal(err)
		}
		got := map[string]string{}
		for i, currency := range currencies {
			got[currency] = nets[i]
		}
		s.same(from, got)
	}
}

// metrics are floats, and say the running month.
func (s *surfaces) metrics() {
	s.Helper()
	sample := regexp.MustCompile(`(?m)^makegood_leakage_amount\{.*currency="([A-Z]+)".*period="month".*\} (\S+)$`)
	got := sums{}
	for _, m := range sample.FindAllStringSubmatch(answered(s.T, s.c, "/metrics", nil), -1) {
		got.add(s.T, m[1], m[2])
	}
	s.same("the metrics", got.text())
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
	for _, page := range []string{show("/order", url.Values{"id": {"o1"}}), show("/case", url.Values{"id": {"e1"}})} {
		for currency, net := range netOnSurfaces {
			if !strings.Contains(page, net+" "+currency) {
				s.Errorf("the page doesn't tell of %s %s:\n%s", net, currency, page)
			}
		}
	}
	for currency, net := range netOnSurfaces {
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
		if !strings.Contains(table, net) || !strings.Contains(table, "in "+currency+",") {
			s.Errorf("report --currency %s doesn't tell of %s:\n%s", currency, net, table)
		}
		summary := strings.Join(strings.Fields(say(s.T, s.c, "", "summary", "--from", s.span.Get("from"), "--until",
			s.span.Get("to"), "--currency", currency)), " ")
		if !strings.Contains(summary, "cost per case "+net+" 1 "+net[:len(net)-2]) || !strings.Contains(summary, currency) {
			s.Errorf("summary --currency %s doesn't tell of %s:\n%s", currency, net, summary)
		}
	}
}

// sums are exact, by currency.
type sums map[string]*big.Rat

func (all sums) add(t *testing.T, currency, amount string) {
	t.Helper()
	x, ok := new(big.Rat).SetString(amount)
	if !ok {
		t.Fatalf("%q is no amount", amount)
	}
	if all[currency] == nil {
		all[currency] = new(big.Rat)
	}
	all[currency].Add(all[currency], x)
}

func (all sums) text() map[string]string {
	text := map[string]string{}
	for currency, sum := range all {
		text[currency] = sum.FloatString(4)
	}
	return text
}

// sums adds up a column of a table by its column currency. The first row is the header.
func (s *surfaces) sums(table [][]string, column string) map[string]string {
	s.Helper()
	if len(table) == 0 {
		s.Fatal("the table is empty")
	}
	of, in := slices.Index(table[0], report.Heading(column)), slices.Index(table[0], report.Heading("currency"))
	if of < 0 || in < 0 {
		s.Fatalf("the table has no column %s and currency: %q", column, table[0])
	}
	all := sums{}
	for _, row := range table[1:] {
		all.add(s.T, row[in], row[of])
	}
	return all.text()
}

func readCSV(t *testing.T, text string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// readXLSX reads a sheet, the first where it is none.
func readXLSX(t *testing.T, text, sheet string) [][]string {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if sheet == "" {
		sheet = book.GetSheetName(0)
	}
	rows, err := book.GetRows(sheet, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
