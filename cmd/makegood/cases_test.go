package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/wire"
)

// accountingCase is one case of domain/testdata/postings.md.
type accountingCase struct {
	row, title string
	kind       string
	data       map[string]any
	lines      []string // "4100 REFUND CASH 50.0000", in the order of text
	missing    string   // the rate that isn't there
}

var caseForm = regexp.MustCompile("^When `([a-z_.]+)` says `(\\{.*\\})`, then(:| nothing is posted\\.| nothing is " +
	"posted, and the event is unpriced: no `(.*)`\\.)$")

// cells are those of a row of a table in Markdown.
func cells(row string) []string {
	all := strings.Split(strings.Trim(row, "|"), "|")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// readAccountingCases reads the page as controllers do: rates, rows, cases and their lines.
func readAccountingCases(t *testing.T, text string) (rates []map[string]any, cases []accountingCase) {
	t.Helper()
	var row, title string
	var ours *accountingCase
	for n, line := range strings.Split(text, "\n") {
		switch heading, isRow := strings.CutPrefix(line, "## "); {
		case isRow:
			row, title, ours = heading, "", nil
		case strings.HasPrefix(line, "### "):
			title, ours = strings.TrimPrefix(line, "### "), nil
		case strings.HasPrefix(line, "When "):
			found := caseForm.FindStringSubmatch(line)
			if found == nil || row == "" || title == "" {
				t.Fatalf("line %d is no case: %s", n+1, line)
			}
			cases = append(cases, accountingCase{row: row, title: title, kind: found[1], missing: found[4]})
			ours = &cases[len(cases)-1]
			d := json.NewDecoder(strings.NewReader(found[2]))
			d.UseNumber()
			if err := d.Decode(&ours.data); err != nil {
				t.Fatalf("line %d: %v", n+1, err)
			}
		case strings.HasPrefix(line, "| ---"), strings.HasPrefix(line, "| account |"), strings.HasPrefix(line, "| rate |"):
		case strings.HasPrefix(line, "|") && ours != nil:
			c := cells(line)
			number, name, _ := strings.Cut(c[0], " ")
			sign, amount := "", c[1]
			if amount == "" {
				sign, amount = "-", c[2]
			}
			exact, ok := new(big.Rat).SetString(sign + amount)
			account, err := strconv.ParseUint(number, 10, 16)
			if len(c) != 6 || !ok || err != nil || (c[1] == "") == (c[2] == "") || domain.Account(account).Name() != name {
				t.Fatalf("line %d is no journal line: %s", n+1, line)
			}
			ours.lines = append(ours.lines, fmt.Sprintf("%s %s %s %s", number, c[4], c[3], exact.FloatString(4)))
			sort.Strings(ours.lines)
		case strings.HasPrefix(line, "|") && row == "":
			c := cells(line)
			rate := map[string]any{"rate": c[0], "key": c[1], "value": c[2], "effective_from": "2026-01-01"}
			if c[3] != "" {
				rate["currency"] = c[3]
			}
			rates = append(rates, rate)
		}
	}
	return rates, cases
}

// TestAccountingCases posts what domain/testdata/postings.md says by the rules of domain and by the second set of
// books, and holds both against the numbers there, which were worked out by hand. Every row of the contract's table has
// a case.
func TestAccountingCases(t *testing.T) {
	page, err := os.ReadFile("../../domain/testdata/postings.md")
	if err != nil {
		t.Fatal(err)
	}
	rates, cases := readAccountingCases(t, string(page))
	for _, row := range postingRows(t) {
		if !slices.ContainsFunc(cases, func(c accountingCase) bool { return c.row == row }) {
			t.Errorf("the contract's row %q has no case", row)
		}
	}
	for i, c := range cases {
		if !strings.HasPrefix(c.row, "Beside the table: ") && !slices.Contains(postingRows(t), c.row) {
			t.Errorf("%q is no row of the contract's table", c.row)
		}
		t.Run(fmt.Sprintf("%s, %s", c.row, c.title), func(t *testing.T) { cases[i].check(t, rates) })
	}
}

// postingRows are the rows of the contract's posting table, by what they are about.
func postingRows(t *testing.T) []string {
	t.Helper()
	contract, err := os.ReadFile("../../domain/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(contract), "| event | debit | credit | element | basis |\n| --- | --- | --- "+
		"| --- | --- |\n")
	if !found {
		t.Fatal("the contract has no posting table")
	}
	var rows []string
	for _, line := range strings.Split(table, "\n") {
		if !strings.HasPrefix(line, "|") {
			break
		}
		rows = append(rows, cells(line)[0])
	}
	return rows
}

func (c *accountingCase) check(t *testing.T, rates []map[string]any) {
	t.Helper()
	var records []reference.Record
	add := func(stream domain.Stream, kind, at, subject string, data map[string]any) {
		e := map[string]any{"specversion": "1.0", "id": fmt.Sprint(len(records) + 1), "source": "urn:cases",
			"type": "makegood." + kind + ".v1", "time": at, "data": data}
		if subject != "" {
			e["subject"] = subject
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, reference.Record{Stream: stream.String(), Event: text, RecordedAt: time.Date(2026, 1, 1, 0,
			0, len(records), 0, time.UTC), Seq: int64(len(records) + 1)})
	}
	for _, r := range rates {
		add(domain.Books, "rate.set", "2026-01-01T00:00:00Z", "", r)
	}
	stream := domain.ParseType([]byte("makegood." + c.kind + ".v1")).Stream()
	data, subject := map[string]any{"currency": "USD"}, ""
	if stream != domain.Books {
		data["order_id"], data["store_id"], subject = "o1", "s1", "o1"
		if stream != domain.Orders && stream != domain.AnyStream {
			data["error_id"] = "e1"
		}
	}
	for name, value := range c.data {
		data[name] = value
	}
	if stream == domain.AnyStream {
		stream = domain.Redeliveries
	}
	add(stream, c.kind, "2026-01-15T12:00:00Z", subject, data)

	terms := domain.NewTerms(time.UTC)
	decoder := newDecode()
	var entry domain.Entry
	for _, r := range records {
		envelope, err := decoder(map[string]string{wire.KafkaContentType: wire.ContentTypeEvent}, r.Event)
		if err != nil {
			t.Fatalf("%v\n%s", err, r.Event)
		}
		if envelope.Event.Type == domain.TypeRateSet {
			terms.Apply(&envelope.Event, mark(r))
			continue
		}
		if err := domain.Post(&envelope.Event, terms.Rates, position(r), &entry); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.Join(c.lines, ", ")
	if got := lines(entry.Lines); got != want || !entry.Balanced() {
		t.Errorf("makegood posts\n  %s\nnot\n  %s", got, want)
	}
	if got := strings.Join(entry.Unpriced, " "); got != c.missing {
		t.Errorf("missing is %q, not %q", got, c.missing)
	}

	books, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	second := books.Entries[len(books.Entries)-1]
	var all []string
	for _, l := range second.Lines {
		all = append(all, fmt.Sprintf("%s %s %s %s", l.Account, l.Element, l.Basis, l.Amount.FloatString(4)))
	}
	sort.Strings(all)
	if got := strings.Join(all, ", "); got != want || (len(second.Unpriced) > 0) != (c.missing != "") {
		t.Errorf("the second set of books posts\n  %s (%v)\nnot\n  %s", got, second.Unpriced, want)
	}
}
