package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/projections/report"
)

// TestStatementFormats reads the truck's statement back from each format.
func TestStatementFormats(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, strings.ReplaceAll(e, `"sku":"M"`, `"sku":"<script>"`))
	}
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask := func(format, part string) []byte {
		var text bytes.Buffer
		if err := c.get(t.Context(), "/v1/statement", url.Values{"vendor": {"v1"}, "period": {"2026-01"}, "format": {format},
			"part": {part}}, &text); err != nil {
			t.Fatal(err)
		}
		return text.Bytes()
	}
	rows, err := csv.NewReader(bytes.NewReader(ask("csv", "cases"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	evidence := "urn:till:1 2; urn:till:1 3; urn:till:1 4; urn:till:1 5; urn:till:1 6; urn:till:1 7; urn:till:1 8"
	if want := []string{"USD", "e1", "o1", "wrong_item", "Wrong item", "supplier_quality", "Supplier quality", "supplier",
		"Supplier", "v1", "true", "Founded", "88.3500", "25.0000", "63.3500", evidence}; len(rows) != 2 ||
		!slices.Equal(rows[1][:len(want)], want) {
		t.Errorf("cases\n got %q\nwant %q", rows, want)
	}
	f, err := excelize.OpenReader(bytes.NewReader(ask("xlsx", "")))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err = f.GetRows("accounts", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(rows, func(r []string) bool { return r[1] == "5220" }); i < 0 || !slices.Equal(rows[i][:7],
		[]string{"USD", "5220", "truck_roll", "0.0000", "57.1500", "0.0000", "57.1500"}) {
		t.Errorf("accounts in the workbook %q", rows)
	}
	page := string(ask("html", ""))
	for _, want := range []string{"<h1>Statement of vendor v1</h1>", "<td>5220</td><td>truck_roll</td>", "@page",
		`<td class="n">63.3500</td>`, evidence} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if err := c.get(t.Context(), "/v1/statement", url.Values{"vendor": {"v1"}, "store": {"s1"}, "period": {"2026-01"}},
		nil); err == nil {
		t.Error("a statement of a store and a vendor at once was given")
	}
}

// TestStatementByOccurred: a refund that came after its month was closed is in the month that took it by posting, and
// in its own by occurred; every format says which it is, and by posting none is other than it was.
func TestStatementByOccurred(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	ask := func(month, by, format, part string) string {
		t.Helper()
		q := url.Values{"store": {"s1"}, "period": {month}, "format": {format}, "part": {part}}
		if by != "" {
			q.Set("period_by", by)
		}
		var text bytes.Buffer
		if err := c.get(t.Context(), "/v1/statement", q, &text); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	read := func(month, by string) *report.StatementCurrency {
		t.Helper()
		var s report.Statement
		if err := c.get(t.Context(), "/v1/statement", url.Values{"store": {"s1"}, "period": {month}, "period_by": {by}},
			&s); err != nil {
			t.Fatal(err)
		}
		if len(s.Currencies) != 1 || (s.PeriodBy == "occurred") != (by == "occurred") {
			t.Fatalf("%s by %s: %+v", month, by, s)
		}
		return &s.Currencies[0]
	}
	before := ask("2026-01", "", "csv", "accounts")
	makegood(t, "close", "2026-01", "--yes", "--actor", "ann", "--reason", "month end", "--to", c.base)
	mustPost(t, c, event("late", "refund.issued", "2026-01-20T10:00:00Z", "o1",
		`{`+goldenCase+`,"refund_id":"r","currency":"USD","net":"7.5"}`))
	mustCatchUp(t, c)
	for _, want := range []struct {
		month, by, gross, debit string
		evidence                int
	}{
		{"2026-01", "posting", "88.3500", "446.3500", 7},
		{"2026-01", "occurred", "95.8500", "453.8500", 8},
		{"2026-02", "posting", "7.5000", "7.5000", 8},
	} {
		s := read(want.month, want.by)
		if s.Gross != want.gross || s.Debit != want.debit || s.Credit != want.debit || len(s.Cases) != 1 ||
			len(s.Cases[0].Evidence) != want.evidence {
			t.Errorf("%+v, not %+v", s, want)
		}
	}
	if s := read("2026-02", "occurred"); s.Gross != "0.0000" || s.Debit != "0.0000" || len(s.Cases) != 0 ||
		s.Accounts[0].Account != "1010" || s.Accounts[0].Closing != "97.0700" {
		t.Errorf("nothing happened in February: %+v", s)
	}
	if after := timeless(ask("2026-01", "", "csv", "accounts")); after != timeless(before) ||
		timeless(ask("2026-01", "posting", "csv", "accounts")) != after {
		t.Errorf("by posting it was\n%sand is\n%s", before, after)
	}
	saysHowItCounts(t, c, ask)
}

// saysHowItCounts: every format says whether it counts by posting or by when it happened.
func saysHowItCounts(t *testing.T, c *client, ask func(month, by, format, part string) string) {
	t.Helper()
	for _, part := range []string{"accounts", "cases"} {
		rows, err := csv.NewReader(strings.NewReader(ask("2026-01", "occurred", "csv", part))).ReadAll()
		if err != nil || len(rows) < 2 || rows[0][len(rows[0])-2] != "Period by" || rows[1][len(rows[1])-2] != "occurred" {
			t.Errorf("%s (%v): %q", part, err, rows)
		}
		f, err := excelize.OpenReader(strings.NewReader(ask("2026-01", "occurred", "xlsx", "")))
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := f.GetRows(part, excelize.Options{RawCellValue: true})
		if err != nil || len(sheet) != len(rows)+1 ||
			timeless(fmt.Sprintf("%q", sheet[:len(rows)])) != timeless(fmt.Sprintf("%q", rows)) {
			t.Errorf("the sheet %s (%v) is\n%q\nand the CSV\n%q", part, err, sheet, rows)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	page := ask("2026-01", "occurred", "html", "")
	for _, want := range []string{"What happened in 2026-01, in whichever period it is posted, as of",
		`2026-01, by when it happened"`, `<td class="n">95.8500</td>`, "urn:till:1 late"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if page := ask("2026-01", "", "html", ""); !strings.Contains(page, "<p>Posting period 2026-01, as of") ||
		strings.Contains(page, "happened") || strings.Contains(page, "late") {
		t.Errorf("by posting the page reads %s", page)
	}
	if text := makegood(t, "statement", "--store", "s1", "--period", "2026-01", "--period-by", "occurred", "--format",
		"json", "--to", c.base); !strings.Contains(text, `"period_by":"occurred"`) || !strings.Contains(text, "95.8500") {
		t.Errorf("the command says %s", text)
	}
}

// timeless is a text without the moments in it.
func timeless(text string) string {
	return regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`).ReplaceAllString(text, "then")
}
