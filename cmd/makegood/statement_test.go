package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/report"
)

// TestStatementsAgainstReference: every account of every store opens, moves and closes as the second set of books says,
// by posting and by occurred, and the cases of every store and vendor sum to the leakage report of the month.
func TestStatementsAgainstReference(t *testing.T) {
	for seed := range int64(2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			compareStatements(t, seed)
		})
	}
}

func compareStatements(t *testing.T, seed int64) {
	store := openStore(t)
	records := withoutVoidedConflicts(t, reference.Generate(seed, reference.Everything))
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	book(t, store, records, rand.New(rand.NewPCG(uint64(seed), 3)))
	for _, month := range []string{"2025-12", "2026-01", "2026-03"} {
		period, err := domain.ParsePeriod(month)
		if err != nil {
			t.Fatal(err)
		}
		from, to := period.First().Format(time.DateOnly), (period + 1).First().Format(time.DateOnly)
		for _, of := range []report.StatementQuery{{Store: "s1"}, {Store: "s3"}, {Vendor: "v-acme"}, {Vendor: "v-córdoba"}} {
			for _, by := range []string{"posting", "occurred"} {
				of.Period, of.PeriodBy = period, by
				got, err := report.ReadStatement(t.Context(), store.DB, of, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				mine := func(l reference.Line) bool {
					if of.Store != "" {
						return l.Store == of.Store
					}
					return want.VendorOf(l) == of.Vendor
				}
				if g, w := statementText(got), accountsOf(want, mine, month, by); g != w {
					t.Errorf("seed %d, %s%s, %s by %s:\n%s", seed, of.Store, of.Vendor, month, by, difference(g, w))
				}
				for _, c := range got.Currencies {
					answer, err := want.Leakage(from, to, []string{"store", "vendor"}, "economic", by, c.Currency)
					if err != nil {
						t.Fatal(err)
					}
					net := new(big.Rat)
					for _, row := range answer.Rows {
						if of.Store != "" && row.Key["store"] == of.Store || of.Vendor != "" && row.Key["vendor"] == of.Vendor {
							amount, _ := new(big.Rat).SetString(row.Net)
							net.Add(net, amount)
						}
					}
					if net.FloatString(4) != c.Net {
						t.Errorf("seed %d, %s%s, %s by %s: the cases sum to %s %s, the report to %s", seed, of.Store, of.Vendor, month,
							by, c.Net, c.Currency, net.FloatString(4))
					}
				}
			}
		}
	}
	tieMonths(t, store, want, seed)
}

// tieMonths: month by month, each opens as the one before has closed, opening + debit − credit = closing, and what the
// two ways of counting differ by is what came late, no more; so all months together move every account by the same.
func tieMonths(t *testing.T, store *clickhouse.Store, want *reference.Books, seed int64) {
	t.Helper()
	first, last := want.Entries[0].OriginPeriod, want.Entries[0].PostingPeriod
	for i := range want.Entries {
		first, last = min(first, want.Entries[i].OriginPeriod), max(last, want.Entries[i].PostingPeriod)
	}
	sums := map[string]map[string]*big.Rat{}
	for _, by := range []string{"posting", "occurred"} {
		closed, moved := map[string]string{}, map[string]*big.Rat{}
		for month := period(t, first); month <= period(t, last); month++ {
			s, err := report.ReadStatement(t.Context(), store.DB, report.StatementQuery{Store: "s1", Period: month,
				PeriodBy: by}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			before := closed
			closed = map[string]string{}
			for _, c := range s.Currencies {
				for _, a := range c.Accounts {
					key := c.Currency + " " + a.Account
					n := figuresOf(t, a.Opening, a.Debit, a.Credit, a.Closing)
					change := new(big.Rat).Sub(n[1], n[2])
					if new(big.Rat).Add(n[0], change).Cmp(n[3]) != 0 {
						t.Errorf("seed %d, %s by %s: %+v doesn't tie", seed, month, by, a)
					}
					if was := before[key]; a.Account < "4000" && was != a.Opening && (was != "" || n[0].Sign() != 0) ||
						a.Account >= "4000" && n[0].Sign() != 0 {
						t.Errorf("seed %d, %s by %s: %s opens with %s and was closed with %q", seed, month, by, key, a.Opening, was)
					}
					delete(before, key)
					closed[key] = a.Closing
					if moved[key] == nil {
						moved[key] = new(big.Rat)
					}
					moved[key].Add(moved[key], change)
					if key = month.String() + " " + key; sums[key] == nil {
						sums[key] = map[string]*big.Rat{}
					}
					sums[key][by] = change
				}
			}
			for key, was := range before {
				if balance := figuresOf(t, was)[0]; strings.Fields(key)[1] < "4000" && balance.Sign() != 0 {
					t.Errorf("seed %d, %s by %s: %s was closed with %s, and is not there", seed, month, by, key, was)
				}
			}
		}
		for key, sum := range moved {
			if sums["all "+key] == nil {
				sums["all "+key] = map[string]*big.Rat{}
			}
			sums["all "+key][by] = sum
		}
	}
	cameLate(t, want, sums, seed)
}

// cameLate: the two ways of counting differ by what came late, which is in the month that took it by posting, and in
// its own by occurred.
func cameLate(t *testing.T, want *reference.Books, sums map[string]map[string]*big.Rat, seed int64) {
	t.Helper()
	late := 0
	difference := map[string]*big.Rat{}
	for i := range want.Entries {
		e := &want.Entries[i]
		if e.OriginPeriod == e.PostingPeriod {
			continue
		}
		for _, l := range e.Lines {
			if l.Store != "s1" {
				continue
			}
			late++
			for month, sign := range map[string]int64{e.PostingPeriod: 1, e.OriginPeriod: -1} {
				key := month + " " + l.Currency + " " + l.Account
				if difference[key] == nil {
					difference[key] = new(big.Rat)
				}
				difference[key].Add(difference[key], new(big.Rat).Mul(l.Amount, big.NewRat(sign, 1)))
			}
		}
	}
	if late == 0 {
		t.Fatalf("seed %d: nothing came late", seed)
	}
	zero := new(big.Rat)
	for key, by := range sums {
		got := new(big.Rat).Sub(cmp.Or(by["posting"], zero), cmp.Or(by["occurred"], zero))
		if wanted := cmp.Or(difference[key], zero); got.Cmp(wanted) != 0 {
			t.Errorf("seed %d, %s: by posting and by occurred differ by %s, and what came late is %s", seed, key,
				got.FloatString(4), wanted.FloatString(4))
		}
		delete(difference, key)
	}
	for key, left := range difference {
		if left.Sign() != 0 {
			t.Errorf("seed %d, %s: %s came late, and no statement has it", seed, key, left.FloatString(4))
		}
	}
}

func figuresOf(t *testing.T, texts ...string) (all []*big.Rat) {
	t.Helper()
	for _, text := range texts {
		r, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("%q is no amount", text)
		}
		all = append(all, r)
	}
	return all
}

func statementText(s *report.Statement) string {
	var lines []string
	for _, c := range s.Currencies {
		for _, a := range c.Accounts {
			lines = append(lines, fmt.Sprint(c.Currency, " ", a.Account, " ", a.Opening, " ", a.Debit, " ", a.Credit, " ",
				a.Closing))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// accountsOf goes through the reference's entries one by one; mine says which lines count.
func accountsOf(b *reference.Books, mine func(reference.Line) bool, month, by string) string {
	sums := map[string]*[3]*big.Rat{}
	for i := range b.Entries {
		e := &b.Entries[i]
		in := e.PostingPeriod
		if by == "occurred" {
			in = e.OriginPeriod
		}
		if in > month {
			continue
		}
		for _, l := range e.Lines {
			if !mine(l) {
				continue
			}
			key := l.Currency + " " + l.Account
			if sums[key] == nil {
				sums[key] = &[3]*big.Rat{{}, {}, {}}
			}
			s := sums[key]
			switch {
			case in < month && l.Account < "4000":
				s[0].Add(s[0], l.Amount)
			case in < month:
			case l.Amount.Sign() > 0:
				s[1].Add(s[1], l.Amount)
			default:
				s[2].Sub(s[2], l.Amount)
			}
		}
	}
	var lines []string
	for key, s := range sums {
		if s[0].Sign() == 0 && s[1].Sign() == 0 && s[2].Sign() == 0 {
			continue
		}
		closing := new(big.Rat).Add(s[0], s[1])
		closing.Sub(closing, s[2])
		lines = append(lines, fmt.Sprint(key, " ", s[0].FloatString(4), " ", s[1].FloatString(4), " ", s[2].FloatString(4),
			" ", closing.FloatString(4)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

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
	if want := []string{"USD", "e1", "o1", "wrong_item", "supplier_quality", "supplier", "v1", "true", "88.3500",
		"25.0000", "63.3500", evidence}; len(rows) != 2 || !slices.Equal(rows[1][:len(want)], want) {
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
		if err != nil || len(rows) < 2 || rows[0][len(rows[0])-2] != "period_by" || rows[1][len(rows[1])-2] != "occurred" {
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
