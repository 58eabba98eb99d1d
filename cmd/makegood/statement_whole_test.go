package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/projections/report"
)

// TestStatementTellsWhatItIs: a statement's cases have every event of theirs, with money or without; every format names
// what it is of and is the same each time; what nobody has heard of is not taken for what had a quiet month.
func TestStatementTellsWhatItIs(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	const second = `"order_id":"o1","store_id":"s1","error_id":"e2"`
	for _, e := range slices.Concat(goldenRates, goldenEvents, []string{
		event("class", "error.classified", "2026-01-12T09:00:00Z", "o1", `{`+goldenCase+`,"root_cause":"pick_pack"}`),
		event("late", "error.reported", "2026-01-13T09:00:00Z", "o1",
			`{`+second+`,"kind":"late","found":"after_delivery","detected_by":"customer"}`),
		event("sorry", "refund.issued", "2026-01-13T10:00:00Z", "o1",
			`{`+second+`,"refund_id":"R","currency":"USD","net":"4"}`),
		event("euros", "refund.issued", "2026-01-13T11:00:00Z", "o1",
			`{`+second+`,"refund_id":"R2","currency":"EUR","net":"3"}`),
		event("no", "error.rejected", "2026-01-14T09:00:00Z", "o1", `{`+second+`,"reason":"it was on time"}`),
		event("other", "error.rejected", "2026-02-14T09:00:00Z", "o1", `{`+second+`,"reason":"said again, in February"}`),
		event("calm", "order.placed", "2026-01-10T09:00:00Z", "o2",
			`{"order_id":"o2","store_id":"s2","currency":"SEK","lines":[{"line_id":"1","sku":"M","vendor_id":"v2",`+
				`"quantity":1,"unit_price":"100","unit_cost":"60"}]}`),
	}) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	say(t, c, "", "close", "2026-01", "--yes")
	ask := func(of, format, part string) string {
		t.Helper()
		name, value, _ := strings.Cut(of, " ")
		return answered(t, c, "/v1/statement", url.Values{name: {value}, "period": {"2026-01"}, "as_of": {"close:2026-01"},
			"format": {format}, "part": {part}})
	}
	var s report.Statement
	if err := c.get(t.Context(), "/v1/statement", url.Values{"store": {"s1"}, "period": {"2026-01"},
		"as_of": {"close:2026-01"}}, &s); err != nil {
		t.Fatal(err)
	}
	var evidence []string
	for _, part := range s.Currencies {
		for i := range part.Cases {
			evidence = append(evidence, fmt.Sprint(part.Currency, " ", part.Cases[i].ErrorID, ": ",
				strings.ReplaceAll(strings.Join(part.Cases[i].Evidence, " "), "urn:till:1 ", "")))
		}
	}
	if got, want := strings.Join(evidence, "; "),
		"EUR e2: late euros no; USD e1: 2 3 4 5 6 7 class 8; USD e2: late sorry no"; got != want {
		t.Errorf("the evidence is\n%s\nnot\n%s", got, want)
	}

	saysWhatItIs(t, &s, ask)

	for of, known := range map[string]bool{"--store=s2": true, "--store=s9": false, "--vendor=v2": true,
		"--vendor=v9": false} {
		code, text := said(t, c, "", "statement", of, "--period", "2025-06")
		name, value, _ := strings.Cut(strings.TrimPrefix(of, "--"), "=")
		if known && (code != 0 || !strings.Contains(text, "Nothing was posted.")) || !known &&
			(code == 0 || !strings.Contains(text, fmt.Sprintf("the books know no %s %q", name, value))) {
			t.Errorf("%s: exit status %d\n%s", of, code, text)
		}
	}
	var p *problem
	if err := c.get(t.Context(), "/v1/statement", url.Values{"store": {"s9"}, "period": {"2026-01"}}, nil); !errors.As(err,
		&p) || p.Status != http.StatusNotFound {
		t.Errorf("of a store that nobody knows: %v", err)
	}
}

// saysWhatItIs: every format names what it is of, and is the same each time.
func saysWhatItIs(t *testing.T, s *report.Statement, ask func(of, format, part string) string) {
	t.Helper()
	as := s.AsOf.Format("2006-01-02T15:04:05.999999999Z07:00")
	for of, part := range map[string]string{"store s1": "accounts", "vendor v1": "cases"} {
		rows, err := csv.NewReader(strings.NewReader(ask(of, "csv", part))).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Fatalf("%s: %q (%v)", of, rows, err)
		}
		for i, want := range [][]string{{"Statement of", "Period", "Period by", "As of"}, {of, "2026-01", "posting", as}} {
			if row := rows[i]; !slices.Equal(row[len(row)-4:], want) {
				t.Errorf("%s, row %d: %q, without %q", of, i, row, want)
			}
		}
	}
	was := ask("store s1", "xlsx", "")
	for n := range 30 {
		if ask("store s1", "xlsx", "") != was {
			t.Fatalf("asked %d times, it is another workbook", n+2)
		}
	}
	book, err := excelize.OpenReader(strings.NewReader(was))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for sheet, want := range map[string]string{
		"accounts": "EUR total   3.0000 3.0000  store s1 2026-01 posting " + as +
			"; USD total   450.3500 450.3500  store s1 2026-01 posting " + as,
		"cases": "EUR total; apart: changed minds 0.0000, unfounded cases 3.0000, customers' changes 0.0000" +
			"           0.0000 0.0000 0.0000  store s1 2026-01 posting " + as +
			"; USD total; apart: changed minds 0.0000, unfounded cases 4.0000, customers' changes 0.0000" +
			"           88.3500 25.0000 63.3500  store s1 2026-01 posting " + as,
	} {
		rows, err := book.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil || len(rows) < 3 {
			t.Fatalf("%s: %q (%v)", sheet, rows, err)
		}
		if got := strings.Join(rows[len(rows)-2], " ") + "; " + strings.Join(rows[len(rows)-1], " "); got != want {
			t.Errorf("%s ends with\n%s\nnot\n%s", sheet, got, want)
		}
	}
	for of, want := range map[string][]string{
		"store s1": {"Statement of store s1", "Posting period 2026-01, as of " + s.AsOf.Format("2006-01-02 15:04:05 MST"),
			"Accounts from 4000 on are profit and loss: they begin every month with nothing.", "Cases in USD"},
		"store s2": {"Accounts in SEK", "No case in SEK had leakage."},
	} {
		page := ask(of, "html", "")
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("the page of %s lacks %s", of, text)
			}
		}
		if strings.Contains(page, "Cases in SEK") {
			t.Error("there is a table of no cases")
		}
	}
}
