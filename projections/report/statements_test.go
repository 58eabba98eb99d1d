package report

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
)

var update = flag.Bool("update", false, "write the statements that are asked now to testdata")

// pinned are questions of every kind, with what they ask. What is written here and in testdata is asked in production.
func pinned() map[string][]sql.Statement {
	day := func(text string) time.Time {
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			panic(err)
		}
		return t
	}
	from, to := day("2026-01-01"), day("2026-02-01")
	at := AsOf{Time: day("2026-01-15")}
	closed := Close{Period: domain.PeriodOf(from, time.UTC), Number: 1, Mark: domain.Mark{Offset: 7, Time: to,
		Ends: map[domain.Partition]int64{{Stream: domain.Orders, Number: 0}: 12, {Stream: domain.Errors, Number: 3}: 4}}}
	asOfClose := AsOf{Close: &closed}

	leakage := LeakageQuery{From: from, To: to, View: "economic", PeriodBy: "occurred"}
	groups := LeakageQuery{From: from, To: to, View: "booked", PeriodBy: "posting", Currency: "USD",
		GroupBy: []string{"month", "store", "day"},
		Only:    map[string]string{"vendor": "v1", "kind": "late"}, Largest: 5}
	translated := LeakageQuery{From: from, To: to, View: "cash", PeriodBy: "occurred", TranslateTo: "USD",
		GroupBy: []string{"account"}, AsOf: at}
	outline := OutlineQuery{LeakageQuery: groups, Earlier: day("2025-12-01")}
	outlined := OutlineQuery{LeakageQuery: leakage, Earlier: day("2025-12-01"), ByMonth: true}
	outlined.AsOf = asOfClose
	summary := SummaryQuery{From: from, To: to, Currency: "USD"}
	posted := SummaryQuery{From: from, To: to, Store: "s1", Currency: "USD", PeriodBy: "posting", AsOf: asOfClose}
	store := StatementQuery{Period: closed.Period, Store: "s1"}
	vendor := StatementQuery{Period: closed.Period, Vendor: "v1", PeriodBy: "occurred", AsOf: asOfClose}
	journal := JournalQuery{From: from, To: to, PeriodBy: "posting", Every: "month", Detail: "aggregated", Final: true,
		Closes: []Close{closed}}
	single := JournalQuery{From: from, To: to, PeriodBy: "occurred", Every: "day", Detail: "events", Currency: "USD",
		AsOf: at}

	trading := TradingDays{From: from, To: to, Store: "s1", AsOf: at}
	ofSummary := func(q *SummaryQuery) []sql.Statement {
		return []sql.Statement{q.currencies(), q.deliveries(), q.fixPromises(), q.trade(), q.apart(), q.failureCost(),
			q.qualitySpent(),
			q.cashAndProfit(),
			q.returning(to)}
	}
	return map[string][]sql.Statement{
		"leakage":            {leakage.Currencies(), leakage.Rows(), leakage.Totals(), leakage.Apart(), leakage.profit()},
		"leakage_groups":     {groups.Rows(), groups.Totals(), groups.profit()},
		"leakage_translated": {translated.Days(), translated.Rows(), translated.Apart()},
		"leakage_outline":    {outline.statement(), outlined.statement()},
		"summary":            ofSummary(&summary),
		"summary_closed":     ofSummary(&posted),
		"statement_store":    append(store.known(), store.accounts(), store.cases(), store.changes()),
		"statement_vendor":   append(vendor.known(), vendor.accounts(), vendor.cases()),
		"journal_final":      {journal.unpriced(), journal.entries()},
		"journal_events":     {single.unpriced(), single.entries()},
		"changes": {closed.changes("changes", sql.Named("limit", 10)), closed.changes("changes_totals"),
			closed.changes("changes_count")},
		"balances":     {agedBalances(AsOf{}), agedBalances(asOfClose)},
		"trading_days": {trading.statement()},
		"cases":        {caseQuery([]string{"e1", "e2"}, at.Sources())},
	}
}

// TestStatements holds what is asked against testdata. A change there is a change of what the books are asked: read it,
// then write it with -update.
func TestStatements(t *testing.T) {
	for name, all := range pinned() {
		var b strings.Builder
		for _, s := range all {
			fmt.Fprintf(&b, "%s;\n-- with %v\n\n", strings.TrimSpace(s.Text), s.Args)
		}
		path := filepath.Join("testdata", name+".sql")
		if *update {
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s asks otherwise than testdata: go test ./projections/report -run TestStatements -update, and read "+
				"the difference", name)
		}
	}
	files, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(files) != len(pinned()) {
		t.Errorf("testdata has %d files for %d questions (%v)", len(files), len(pinned()), err)
	}
}

// TestStatementsNameTheirValues: every placeholder has a value.
func TestStatementsNameTheirValues(t *testing.T) {
	placeholder := regexp.MustCompile(`@\w+`)
	for name, all := range pinned() {
		for i, s := range all {
			values := fmt.Sprint(s.Args)
			for _, p := range placeholder.FindAllString(s.Text, -1) {
				if !strings.Contains(values, "{"+p[1:]+" ") {
					t.Errorf("%s, statement %d: %s has no value in %s", name, i, p, values)
				}
			}
		}
	}
}

// TestEveryFileIsAsked: no .sql file is there that no question is made of.
func TestEveryFileIsAsked(t *testing.T) {
	names, err := filepath.Glob("sql/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	code := ""
	for _, pattern := range []string{"*.go", "sql/*.sql"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			if strings.HasSuffix(p, "_test.go") {
				continue
			}
			text, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			code += string(text)
		}
	}
	for _, n := range names {
		if name := strings.TrimSuffix(filepath.Base(n), ".sql"); !strings.Contains(code, `"`+name+`"`) {
			t.Errorf("%s: nothing asks for it", n)
		}
	}
}
