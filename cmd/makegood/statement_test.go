package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections"
)

// TestStatementsAgainstReference: every account of every store opens, moves and closes as the second set of books says,
// and the cases of every store and vendor sum to the leakage report of the month.
func TestStatementsAgainstReference(t *testing.T) {
	for seed := range int64(2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { compareStatements(t, seed) })
	}
}

func compareStatements(t *testing.T, seed int64) {
	store := openStore(t)
	records := withoutVoidedConflicts(t, reference.Generate(seed, reference.Options{Periods: true, Duplicates: true, Conflicts: true, SecondVoids: true, StockFixes: true}))
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
		for _, of := range []projections.StatementQuery{{Store: "s1"}, {Store: "s3"}, {Vendor: "v-acme"}, {Vendor: "v-córdoba"}} {
			of.Period = period
			got, err := projections.ReadStatement(t.Context(), store.DB, of, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if of.Store != "" {
				if g, w := statementText(got), storeAccounts(want, of.Store, month); g != w {
					t.Fatalf("seed %d, %s, %s:\n%s", seed, of.Store, month, difference(g, w))
				}
			}
			for _, c := range got.Currencies {
				report, err := want.Leakage(from, to, []string{"store", "vendor"}, "economic", "posting", c.Currency)
				if err != nil {
					t.Fatal(err)
				}
				net := new(big.Rat)
				for _, row := range report.Rows {
					if of.Store != "" && row.Key["store"] == of.Store || of.Vendor != "" && row.Key["vendor"] == of.Vendor {
						amount, _ := new(big.Rat).SetString(row.Net)
						net.Add(net, amount)
					}
				}
				if net.FloatString(4) != c.Net {
					t.Errorf("seed %d, %s%s, %s: the cases sum to %s %s, the report to %s", seed, of.Store, of.Vendor, month, c.Net, c.Currency, net.FloatString(4))
				}
			}
		}
	}
}

func statementText(s *projections.Statement) string {
	var lines []string
	for _, c := range s.Currencies {
		for _, a := range c.Accounts {
			lines = append(lines, fmt.Sprint(c.Currency, " ", a.Account, " ", a.Opening, " ", a.Debit, " ", a.Credit, " ", a.Closing))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// storeAccounts goes through the reference's entries one by one.
func storeAccounts(b *reference.Books, store, month string) string {
	sums := map[string]*[3]*big.Rat{}
	for i := range b.Entries {
		e := &b.Entries[i]
		if e.StoreID != store || e.PostingPeriod > month {
			continue
		}
		for _, l := range e.Lines {
			key := e.Currency + " " + l.Account
			if sums[key] == nil {
				sums[key] = &[3]*big.Rat{{}, {}, {}}
			}
			s := sums[key]
			switch {
			case e.PostingPeriod < month && l.Account < "4000":
				s[0].Add(s[0], l.Amount)
			case e.PostingPeriod < month:
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
		lines = append(lines, fmt.Sprint(key, " ", s[0].FloatString(4), " ", s[1].FloatString(4), " ", s[2].FloatString(4), " ", closing.FloatString(4)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestStatementFormats reads the truck's statement back from each format.
func TestStatementFormats(t *testing.T) {
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, strings.ReplaceAll(e, `"sku":"M"`, `"sku":"<script>"`))
	}
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask := func(format, part string) []byte {
		var text bytes.Buffer
		if err := c.get(t.Context(), "/v1/statement", url.Values{"vendor": {"v1"}, "period": {"2026-01"}, "format": {format}, "part": {part}}, &text); err != nil {
			t.Fatal(err)
		}
		return text.Bytes()
	}
	rows, err := csv.NewReader(bytes.NewReader(ask("csv", "cases"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	evidence := "urn:till:1 2; urn:till:1 3; urn:till:1 4; urn:till:1 5; urn:till:1 6; urn:till:1 7; urn:till:1 8"
	if want := []string{"USD", "e1", "o1", "wrong_item", "supplier_quality", "supplier", "v1", "true", "88.3500", "25.0000", "63.3500", evidence}; len(rows) != 2 || !slices.Equal(rows[1], want) {
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
	if i := slices.IndexFunc(rows, func(r []string) bool { return r[1] == "5220" }); i < 0 || !slices.Equal(rows[i], []string{"USD", "5220", "truck_roll", "0.0000", "57.1500", "0.0000", "57.1500"}) {
		t.Errorf("accounts in the workbook %q", rows)
	}
	page := string(ask("html", ""))
	for _, want := range []string{"<h1>Statement of vendor v1</h1>", "<td>5220</td><td>truck_roll</td>", "@page", `<td class="n">63.3500</td>`, evidence} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if err := c.get(t.Context(), "/v1/statement", url.Values{"vendor": {"v1"}, "store": {"s1"}, "period": {"2026-01"}}, nil); err == nil {
		t.Error("a statement of a store and a vendor at once was given")
	}
}
