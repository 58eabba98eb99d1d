package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

func answered(t *testing.T, c *client, path string, query url.Values) string {
	t.Helper()
	var text bytes.Buffer
	if err := c.get(t.Context(), path, query, &text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestFinalJournal: a closed month is exported as final, the same batch whenever and however it is asked for, over HTTP
// and by the command, also after late events, voids, classifications and rates; an open one is refused; and the batch
// that was exported can be had again after the month was reopened and has changed.
func TestFinalJournal(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	january := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "final": {"true"}}
	var p *problem
	if err := c.get(t.Context(), "/v1/journal", january, nil); !errors.As(err, &p) || p.Status != http.StatusConflict ||
		!strings.Contains(p.Detail, "2026-01") {
		t.Fatalf("an open month as final: %v", err)
	}
	preview := readJournal(t, c, url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}})
	say(t, c, "", "close", "2026-01", "--yes", "--actor", "ann")
	was := answered(t, c, "/v1/journal", january)
	final := readJournal(t, c, january)
	if !final.Final || final.BatchID != preview.BatchID || len(final.Entries) != 1 ||
		*final.Control.Debit != *final.Control.Credit {
		t.Errorf("the preview is %s, the final journal %+v", preview.BatchID, final)
	}
	file := filepath.Join(t.TempDir(), "journal.csv")
	export := func(format string) string {
		t.Helper()
		out := say(t, c, "", "journal", "--from", "2026-01-01", "--until", "2026-02-01", "--final", "--format", format, "-o",
			file)
		if !strings.Contains(out, "batch "+final.BatchID+", 1 entries") {
			t.Errorf("the command says %s", out)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	exported := map[string]string{"csv": export("csv"), "json": export("json"), "quickbooks": export("quickbooks")}

	for _, e := range []string{
		event("late", "refund.issued", "2026-01-20T10:00:00Z", "o1",
			`{`+goldenCase+`,"refund_id":"R","currency":"USD","net":"5","tax":"0.4"}`),
		event("class", "error.classified", "2026-01-21T10:00:00Z", "o1",
			`{`+goldenCase+`,"kind":"damaged","root_cause":"carrier","avoidable":false}`),
		event("r6", "rate.set", "2026-01-01T00:00:00Z", "",
			`{"rate":"fleet_hour","key":"*","value":"99","currency":"USD","effective_from":"2026-01-01T00:00:00Z"}`),
	} {
		mustPost(t, c, e)
	}
	say(t, c, "", "void", "urn:till:1", "6", "--reason", "keyed twice", "--yes")
	mustCatchUp(t, c)
	if is := answered(t, c, "/v1/journal", january); is != was {
		t.Errorf("the final journal changed:\n%s\n%s", was, is)
	}
	for format, text := range exported {
		if is := export(format); is != text {
			t.Errorf("the exported %s changed:\n%s\n%s", format, text, is)
		}
	}
	february := readJournal(t, c, url.Values{"from": {"2026-02-01"}, "to": {"2026-03-01"}})
	if text := fmt.Sprint(february.Entries); !strings.Contains(text, "4100 returns") || !strings.Contains(text, "5.40") {
		t.Errorf("what came late is not posted in February: %s", text)
	}

	hadAfterReopening(t, c, january, final)
	for query, want := range map[string]string{"from=2026-01-02&to=2026-02-01": "first days",
		"to=2026-02-01": "from and to", "from=2026-01-01&to=2026-02-01&period_by=occurred": "period_by=posting"} {
		values, _ := url.ParseQuery(query + "&final=true")
		if err := c.get(t.Context(), "/v1/journal", values, nil); !errors.As(err, &p) || p.Status != http.StatusBadRequest ||
			!strings.Contains(p.Detail, want) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// hadAfterReopening: reopened, the month takes the next late event; what was exported is still to be had.
func hadAfterReopening(t *testing.T, c *client, january url.Values, final *report.Journal) {
	t.Helper()
	var p *problem
	say(t, c, "", "reopen", "2026-01", "--yes")
	mustPost(t, c, event("later", "refund.issued", "2026-01-22T10:00:00Z", "o1",
		`{`+goldenCase+`,"refund_id":"R2","currency":"USD","net":"7"}`))
	mustCatchUp(t, c)
	if err := c.get(t.Context(), "/v1/journal", january, nil); !errors.As(err, &p) || p.Status != http.StatusConflict {
		t.Errorf("a reopened month as final: %v", err)
	}
	now := readJournal(t, c, url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}})
	then := readJournal(t, c, url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "as_of": {"close:2026-01"}})
	if now.BatchID == final.BatchID || then.BatchID != final.BatchID ||
		fmt.Sprint(then.Entries) != fmt.Sprint(final.Entries) {
		t.Errorf("exported %s, as of its close %s, now %s", final.BatchID, then.BatchID, now.BatchID)
	}
}

func readJournal(t *testing.T, c *client, query url.Values) *report.Journal {
	t.Helper()
	var j report.Journal
	if err := json.Unmarshal([]byte(answered(t, c, "/v1/journal", query)), &j); err != nil {
		t.Fatal(err)
	}
	return &j
}

// TestClosedNumbersNeverChange: summary, statements and stories of a closed month, as of its close and as the gateway
// sends them, are byte for byte the same after everything that came later.
func TestClosedNumbersNeverChange(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents,
		[]string{event("d", "order.delivered", "2026-01-10T11:00:00Z", "o1", `{"order_id":"o1","store_id":"s1"}`)}) {
		mustPost(t, c, e)
	}
	say(t, c, "", "close", "2026-01", "--yes")
	var closed struct {
		Periods []struct {
			ClosedAt string `json:"closed_at"`
		} `json:"periods"`
	}
	if err := c.get(t.Context(), "/v1/periods", nil, &closed); err != nil {
		t.Fatal(err)
	}
	all := func() string { return allClosed(t, c, closed.Periods[0].ClosedAt) }
	was := all()
	for _, e := range []string{
		event("late", "refund.issued", "2026-01-20T10:00:00Z", "o1",
			`{`+goldenCase+`,"refund_id":"R","currency":"USD","net":"5","tax":"0.4"}`),
		event("class", "error.classified", "2026-01-21T10:00:00Z", "o1",
			`{`+goldenCase+`,"kind":"damaged","vendor_id":"v2","avoidable":false}`),
		event("rejected", "error.rejected", "2026-01-22T10:00:00Z", "o1", `{`+goldenCase+`,"reason":"mistaken"}`),
		event("d2", "order.delivered", "2026-01-25T11:00:00Z", "o1",
			`{"order_id":"o1","store_id":"s1","documents_ok":false}`),
		event("o2", "order.placed", "2026-01-26T11:00:00Z", "o2",
			`{"order_id":"o2","store_id":"s1","currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,`+
				`"unit_price":"9"}]}`),
		event("r6", "rate.set", "2026-01-01T00:00:00Z", "",
			`{"rate":"fleet_hour","key":"*","value":"99","currency":"USD","effective_from":"2026-01-01T00:00:00Z"}`),
	} {
		mustPost(t, c, e)
	}
	say(t, c, "", "void", "urn:till:1", "6", "--reason", "keyed twice", "--yes")
	say(t, c, "", "void", "urn:till:1", "d", "--reason", "not delivered", "--yes")
	mustCatchUp(t, c)
	if is := all(); is != was {
		t.Errorf("what was closed has changed:\n%s", bookstest.Difference(is, was))
	}
	for _, path := range []string{"/v1/orders/o1", "/v1/cases/e1"} {
		if now := answered(t, c, path, nil); strings.Contains(now, "as_of") || !strings.Contains(now, `"id":"late"`) ||
			!strings.Contains(now, `"kind":"damaged"`) || strings.Contains(was, `"id":"late"`) {
			t.Errorf("the story now: %s", now)
		}
	}
	// It isn't that nothing did.
	var summary report.Summary
	if err := json.Unmarshal([]byte(answered(t, c, "/v1/summary", url.Values{"from": {"2026-01-01"},
		"to": {"2026-02-01"}})), &summary); err != nil {
		t.Fatal(err)
	}
	if got := bookstest.Service(&summary)["cost_per_case"]; got != "0.0000 / 0 = -" ||
		summary.Apart["unfounded"] != "118.3500" { // nobody had failed
		t.Errorf("January by occurrence now costs %s, and apart from that %v", got, summary.Apart)
	}
	if err := json.Unmarshal([]byte(answered(t, c, "/v1/summary", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"},
		"period_by": {"posting"}})), &summary); err != nil {
		t.Fatal(err)
	}
	if got := bookstest.Service(&summary)["cost_per_case"]; got != "0.0000 / 0 = -" ||
		summary.Apart["unfounded"] != "63.3500" {
		t.Errorf("January by posting now costs %s, and apart from that %v", got, summary.Apart)
	}
}

// allClosed is all that the gateway and the commands say of a closed month, as of its close and as of its moment.
func allClosed(t *testing.T, c *client, moment string) string {
	t.Helper()
	var texts []string
	questions := map[string][]string{"close:2026-01": {"json", "html", "csv"}, moment: {"json"}}
	if !reference.AllStreams() { // of few streams, each format once: TestAsOfATime asks as of moments
		questions = map[string][]string{"close:2026-01": {"json", "csv"}, moment: nil}
	}
	for asOf, formats := range questions {
		for _, by := range []string{"occurred", "posting"} {
			texts = append(texts, answered(t, c, "/v1/summary", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"},
				"period_by": {by}, "as_of": {asOf}}))
		}
		for _, format := range formats {
			texts = append(texts, answered(t, c, "/v1/statement", url.Values{"store": {"s1"}, "period": {"2026-01"},
				"format": {format}, "as_of": {asOf}}),
				answered(t, c, "/v1/statement", url.Values{"store": {"s1"}, "period": {"2026-01"}, "period_by": {"occurred"},
					"format": {format}, "as_of": {asOf}}),
				answered(t, c, "/v1/statement", url.Values{"vendor": {"v1"}, "period": {"2026-01"}, "format": {format},
					"as_of": {asOf}, "part": {"cases"}}))
		}
		texts = append(texts, answered(t, c, "/v1/orders/o1", url.Values{"as_of": {asOf}}),
			answered(t, c, "/v1/cases/e1", url.Values{"as_of": {asOf}}),
			say(t, c, "", "explain", "o1", "--as-of", asOf))
		texts = append(texts, say(t, c, "", "summary", "--from", "2026-01-01", "--until", "2026-02-01", "--as-of", asOf),
			say(t, c, "", "statement", "--vendor", "v1", "--period", "2026-01", "--as-of", asOf, "--format", "json"))
	}
	slices.Sort(texts)
	return strings.Join(texts, "\n")
}

// TestExportsRunNoFormula: what a till has called a store, an order or a case is text in every spreadsheet, whatever it
// begins with, and numbers stay numbers.
func TestExportsRunNoFormula(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	bad := []string{"=1+1", "+1", "-1", "@SUM(A1)"}
	for i, name := range bad {
		mustPost(t, c, event(name, "refund.issued", "2026-01-20T10:00:00Z", name,
			fmt.Sprintf(`{"order_id":%q,"store_id":%q,"error_id":%q,"refund_id":"R","currency":"USD","net":"%d"}`, name, name,
				name, i+1)))
		mustPost(t, c, event("s"+name, "salvage.sold", "2026-01-20T10:00:00Z", name,
			fmt.Sprintf(`{"order_id":%q,"store_id":%q,"error_id":%q,"salvage_id":"S","currency":"USD","amount":"%d"}`, name,
				name, name, 10*(i+1))))
	}
	say(t, c, "", "close", "2025-12", "--yes", "--actor", "=ann", "--reason", "@home")
	mustCatchUp(t, c)
	texts := map[string]int{}
	for _, export := range []struct {
		path, query string
		texts       int // cells that would be formulas
	}{
		{"/v1/reports/leakage", "group_by=store,case,order", 12},
		{"/v1/journal", "detail=events", 56},
		{"/v1/journal", "detail=aggregated", 12},
		{"/v1/statement", "store=%3D1%2B1&period=2026-01&part=cases", 2},
		{"/v1/reports/changes", "since_close=2025-12", 0},
		{"/v1/audit", "", 2},
	} {
		query, err := url.ParseQuery(export.query)
		if err != nil {
			t.Fatal(err)
		}
		query.Set("format", "csv")
		rows, err := csv.NewReader(strings.NewReader(answered(t, c, export.path, query))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		escaped := 0
		for _, row := range rows {
			for _, cell := range row {
				if original, is := strings.CutPrefix(cell, "'"); is {
					escaped++
					texts[original]++
				} else if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) &&
					strings.Trim(cell, "-0123456789.") != "" {
					t.Errorf("%s: the cell %q would run", export.path, cell)
				}
			}
		}
		if escaped != export.texts {
			t.Errorf("%s %s: %d cells are made harmless, not %d:\n%q", export.path, export.query, escaped, export.texts, rows)
		}

		query.Set("format", "xlsx")
		noFormula(t, export.path, answered(t, c, export.path, query), append(bad, "=ann", "@home"))
	}
	for _, name := range append(bad, "=ann", "@home") {
		if texts[name] == 0 {
			t.Errorf("%q is in no export as text", name)
		}
	}
}

// noFormula holds a workbook to have none: the texts of the books are texts.
func noFormula(t *testing.T, path, workbook string, texts []string) {
	t.Helper()
	book, err := excelize.OpenReader(strings.NewReader(workbook))
	if err != nil {
		t.Fatal(err)
	}
	for _, sheet := range book.GetSheetList() {
		rows, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for j, value := range row {
				cell, err := excelize.CoordinatesToCellName(j+1, i+1)
				if err != nil {
					t.Fatal(err)
				}
				formula, err := book.GetCellFormula(sheet, cell)
				if err != nil || formula != "" {
					t.Errorf("%s: %s of %s is the formula %q (%v)", path, cell, sheet, formula, err)
				}
				kind, err := book.GetCellType(sheet, cell)
				if slices.Contains(texts, value) && (err != nil || kind != excelize.CellTypeSharedString &&
					kind != excelize.CellTypeInlineString) {
					t.Errorf("%s: %q in %s of %s is of type %v (%v)", path, value, cell, sheet, kind, err)
				}
			}
		}
	}
	if err := book.Close(); err != nil {
		t.Error(err)
	}
}
