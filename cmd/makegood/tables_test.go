package main

import (
	"bytes"
	"encoding/csv"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/report"
)

// TestTheSameTableEverywhere: a report as JSON, CSV and XLSX is the same table, digit by digit.
func TestTheSameTableEverywhere(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range append(goldenRates, goldenEvents...) {
		mustPost(t, c, e)
	}
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	query := url.Values{"group_by": {"element,basis"}}
	var answer report.Leakage
	if err := c.get(t.Context(), "/v1/reports/leakage", query, &answer); err != nil {
		t.Fatal(err)
	}
	want := []string{"What the money went on What the money went on, in words How it is recorded How it is recorded, in " +
		"words Gross Net Booked Hidden Paid back Cases Orders Currency"}
	for _, r := range answer.Rows {
		want = append(want, strings.Join([]string{r.Key["element"], report.Word("element", r.Key["element"]),
			r.Key["basis"], report.Word("basis", r.Key["basis"]), r.Gross, r.Net, r.Booked, r.Hidden,
			r.Recoveries, "1", "1", "USD"}, " "))
	}
	if len(want) != 6 { // goods cost the truck's order nothing: what was owed was sent
		t.Fatalf("the report has %d rows", len(want)-1)
	}

	var file bytes.Buffer
	query.Set("format", "csv")
	if err := c.get(t.Context(), "/v1/reports/leakage", query, &file); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sameRows(t, "csv", rows, want)

	file.Reset()
	query.Set("format", "xlsx")
	if err := c.get(t.Context(), "/v1/reports/leakage", query, &file); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	rows, err = book.GetRows("leakage", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	sameRows(t, "xlsx", rows, want)
}

func sameRows(t *testing.T, format string, rows [][]string, want []string) {
	t.Helper()
	var got []string
	for _, r := range rows {
		got = append(got, strings.Join(r, " "))
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("%s:\n%s\nnot\n%s", format, g, w)
	}
}

// TestImportOfOnlineRetail: the wholesaler's rows, every trap of them among the sample's, end in the books, and the
// same file again changes nothing.
func TestImportOfOnlineRetail(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob("../../infra/pos/onlineretail/testdata/*.csv")
	if err != nil || len(samples) == 0 {
		t.Fatalf("no sample: %v", err)
	}
	dir := t.TempDir()
	for i, want := range []string{"refused 0, new ", "refused 0, new 0"} {
		var out, said bytes.Buffer
		if code := run(t.Context(), []string{"import", "--data-dir", dir, "--format", "online-retail", samples[0]},
			terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &said}); code != 0 {
			t.Fatalf("it ends with %d: %s%s", code, out.String(), said.String())
		}
		if !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "rows accounted for") {
			t.Errorf("import %d says\n%s", i, out.String())
		}
	}
}
