package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/pos/onlineretail"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/projections/report"
)

// TestYearClosedMonthByMonth keeps the books of Online Retail as a company would: month after month comes in and is
// closed, every ninth cancellation only after the close of its month. In the end every closed month is as it was
// closed, the late ones stand in the month after with their origin kept, the months sum to the whole, the general
// ledger's entries tie to the lines, the log agrees with the books, and all of it with what the import says of the
// file. Where all streams are drawn there is a sample and the year, of that one customer of four: another one of them
// each day that it is run; else the sample. (That the import takes every row of the year is for its own tests.)
func TestYearClosedMonthByMonth(t *testing.T) {
	t.Parallel()
	const year = "../../../shared/data/online_retail/online_retail_all.csv.gz"
	files := map[string]string{"sample": "../../infra/pos/onlineretail/testdata/sample.csv", "year": year}
	if _, err := os.Stat(year); errors.Is(err, fs.ErrNotExist) || !reference.AllStreams() {
		delete(files, "year") // it isn't part of the repository; .ci/run says where it is not run
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if name == "year" {
				text = quarterOf(t, text)
			}
			y := readYear(t, text)
			y.keep(t)
			y.checkMonths(t)
			y.checkLate(t)
			y.checkTotals(t)
			y.checkLedger(t)
			if _, differences := reconcileWith(t, y.c, ""); differences != "" {
				t.Errorf("log and books differ:\n%s", differences)
			}
		})
	}
}

// quarterOf leaves of the year's file the rows of one customer of four, and of one invoice of four that names none.
func quarterOf(t *testing.T, packed []byte) []byte {
	t.Helper()
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(unpacked).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	quarter := uint32(time.Now().YearDay() % 4)
	t.Logf("quarter %d", quarter)
	of := crc32.ChecksumIEEE
	rows = slices.DeleteFunc(rows, func(row []string) bool {
		invoice, customer := row[0], row[6]
		return invoice != "InvoiceNo" && of([]byte(cmp.Or(customer, invoice)))%4 != quarter
	})
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// retailYear is the year as it comes in: by the month of arrival.
type retailYear struct {
	account  onlineretail.Account
	zone     *time.Location
	first    domain.Period
	months   int
	arriving map[domain.Period][]*domain.Event
	late     map[domain.Period]int // events that come after the close of the month in which they happened

	app    *server.App
	c      *client
	closed map[domain.Period][]string // the reports of a month, as they were when it was closed
}

func readYear(t *testing.T, text []byte) *retailYear {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	y := &retailYear{zone: zone, arriving: map[domain.Period][]*domain.Event{}, late: map[domain.Period]int{},
		closed: map[domain.Period][]string{}}
	var last domain.Period
	cancelled := map[string]int{}
	y.account, err = onlineretail.Import(t.Context(), bytes.NewReader(text), onlineretail.Defaults(),
		func(e *domain.Event) error {
			month := domain.PeriodOf(e.Time, zone)
			if y.first == 0 {
				y.first = month
			}
			last = max(last, month)
			arrives := month
			if e.OrderID != "" && e.ErrorID != "" {
				if _, seen := cancelled[e.ErrorID]; !seen {
					cancelled[e.ErrorID] = len(cancelled)
				}
				if cancelled[e.ErrorID]%9 == 0 {
					arrives++
					y.late[month]++
				}
			}
			y.arriving[arrives] = append(y.arriving[arrives], e)
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	y.months = int(last-y.first) + 1
	return y
}

// keep lets every month come in and closes it.
func (y *retailYear) keep(t *testing.T) {
	t.Helper()
	y.app, y.c = startTestAppWith(t, t.TempDir(), func(c *server.Config) { c.Zone = y.zone.String() })
	for i := range y.months + 1 { // and what comes after the last close
		month := y.first + domain.Period(i)
		y.send(t, y.arriving[month])
		if i == y.months {
			break
		}
		say(t, y.c, "", "close", month.String(), "--yes", "--actor", "ann", "--reason", "month end")
		y.closed[month] = y.reports(t, month)
	}
	mustCatchUp(t, y.c)
}

func (y *retailYear) send(t *testing.T, events []*domain.Event) {
	t.Helper()
	out := newSender(t.Context(), y.c, nil)
	var event []byte
	for _, e := range events {
		event = wire.AppendEvent(event[:0], e)
		if err := out.add(t.Context(), event, e.Stream() == domain.Books, e.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.wait(t.Context()); err != nil || out.refused > 0 {
		t.Fatalf("%d refused, such as %v (%v)", out.refused, out.refusals, err)
	}
}

// reports are what finance has of a closed month.
func (y *retailYear) reports(t *testing.T, month domain.Period) []string {
	t.Helper()
	from, to, close := month.First().Format(time.DateOnly), (month + 1).First().Format(time.DateOnly),
		"close:"+month.String()
	reports := []string{
		answered(t, y.c, "/v1/reports/leakage", url.Values{"from": {from}, "to": {to}, "as_of": {close},
			"period_by": {"posting"}, "group_by": {"day,element,kind,account"}}),
		answered(t, y.c, "/v1/journal", url.Values{"from": {from}, "to": {to}, "final": {"true"}}),
	}
	if (month-y.first)%4 == 0 { // the slower ones, of some months
		reports = append(reports, answered(t, y.c, "/v1/summary", url.Values{"from": {from}, "to": {to}, "as_of": {close},
			"period_by": {"posting"}}),
			answered(t, y.c, "/v1/statement", url.Values{"store": {"uk-web"}, "period": {month.String()}, "as_of": {close}}))
	}
	return reports
}

func (y *retailYear) checkMonths(t *testing.T) {
	t.Helper()
	for month, was := range y.closed {
		if is := y.reports(t, month); !slices.Equal(is, was) {
			for i := range is {
				if is[i] != was[i] {
					t.Errorf("%s: report %d has changed since the close:\n%.2000s\n%.2000s", month, i, was[i], is[i])
				}
			}
		}
	}
}

// checkLate: what came after its month's close, and nothing else, is posted to the month after, and is what the report
// of the changes lists.
func (y *retailYear) checkLate(t *testing.T) {
	t.Helper()
	rows, err := y.app.Store.DB.Query(t.Context(), `
SELECT toString(origin_period), toString(posting_period), count() FROM ledger FINAL
WHERE origin_period != posting_period AND refused = '' GROUP BY 1, 2 ORDER BY 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found, total := map[string]int{}, 0
	for rows.Next() {
		var origin, posting string
		var n uint64
		if err := rows.Scan(&origin, &posting, &n); err != nil {
			t.Fatal(err)
		}
		found[origin[:7]+" in "+posting[:7]] = int(n)
	}
	want := map[string]int{}
	for month, n := range y.late {
		want[fmt.Sprintf("%s in %s", month, month+1)] = n
		total += n
	}
	if fmt.Sprint(found) != fmt.Sprint(want) || total == 0 {
		t.Errorf("late: %v\nsent late: %v", found, want)
	}
	t.Logf("%d events came after the close of their month", total)
	for month, n := range y.late {
		if (month-y.first)%4 != 0 {
			continue
		}
		var changes report.Changes
		if err := y.c.get(t.Context(), "/v1/reports/changes", url.Values{"since_close": {month.String()}},
			&changes); err != nil {
			t.Fatal(err)
		}
		if len(changes.Changes) != n {
			t.Errorf("%s: %d changes are listed, %d came late", month, len(changes.Changes), n)
		}
		for _, e := range changes.Changes {
			if e.Touches != "origin" || e.OriginPeriod != month.String() || e.PostingPeriod != (month+1).String() {
				t.Fatalf("%s: %+v", month, e)
			}
		}
	}
}

// checkTotals: the months sum to the whole, by posting and by occurrence, and the whole is what the import says.
func (y *retailYear) checkTotals(t *testing.T) {
	t.Helper()
	end := (y.first + domain.Period(y.months) + 1).First().Format(time.DateOnly) // the month after holds what came last
	var net [2]*big.Rat
	for i, by := range []string{"posting", "occurred"} {
		leakage := func(from, to string) *big.Rat {
			t.Helper()
			var l report.Leakage
			if err := y.c.get(t.Context(), "/v1/reports/leakage", url.Values{"from": {from}, "to": {to}, "period_by": {by}},
				&l); err != nil {
				t.Fatal(err)
			}
			return rational(t, l.Totals.Net)
		}
		sum := new(big.Rat)
		for m := range y.months + 1 {
			month := y.first + domain.Period(m)
			sum.Add(sum, leakage(month.First().Format(time.DateOnly), (month+1).First().Format(time.DateOnly)))
		}
		net[i] = leakage(y.first.First().Format(time.DateOnly), end)
		if sum.Cmp(net[i]) != 0 {
			t.Errorf("by %s the months sum to %s, the whole is %s", by, sum.FloatString(4), net[i].FloatString(4))
		}
	}
	if net[0].Cmp(net[1]) != 0 || net[0].Sign() <= 0 {
		t.Errorf("by posting %s, by occurrence %s", net[0].FloatString(4), net[1].FloatString(4))
	}
	var sold, refunded, writtenDown string
	if err := y.app.Store.DB.QueryRow(t.Context(), `
SELECT toDecimalString(-sumIf(amount, account = '4000' AND event_type = 'makegood.order.placed.v1'), 4),
toDecimalString(sumIf(amount, account = '4100'), 4),
       toDecimalString(sumIf(amount, account = '5110'), 4) FROM journal`).Scan(&sold, &refunded,
		&writtenDown); err != nil {
		t.Fatal(err)
	}
	a := &y.account
	for what, c := range map[string][2]*big.Rat{
		"sales": {rational(t, sold),
			millionths(a.Of(onlineretail.SoldGoods).Amount + a.Of(onlineretail.DeliveryFees).Amount +
				a.Of(onlineretail.OtherCharges).Amount)},
		"refunds": {rational(t, refunded),
			millionths(-a.Of(onlineretail.CancelledGoods).Amount - a.Of(onlineretail.CancelledCharges).Amount - a.TakenOff)},
		"written down ": {rational(t, writtenDown), millionths(a.WriteOffCost)},
	} {
		if c[0].Cmp(c[1]) != 0 {
			t.Errorf("%s: the books have %s, the file %s", what, c[0].FloatString(4), c[1].FloatString(4))
		}
	}
}

// checkLedger: every month's final journal balances, its control totals are those of its lines, and each of its lines
// is the ledger's sum of that account, off by less than the cent to which it is rounded.
func (y *retailYear) checkLedger(t *testing.T) {
	t.Helper()
	lines, cent := 0, big.NewRat(1, 100)
	for m := range y.months {
		month := y.first + domain.Period(m)
		j := readJournal(t, y.c, url.Values{"from": {month.First().Format(time.DateOnly)},
			"to": {(month + 1).First().Format(time.DateOnly)}, "final": {"true"}})
		exact := y.sums(t, month)
		debit, credit := new(big.Rat), new(big.Rat)
		for _, e := range slices.Concat(j.Entries, j.Memo) {
			balance := new(big.Rat)
			for _, l := range e.Lines {
				d, c := rational(t, l.Debit), rational(t, l.Credit)
				amount := new(big.Rat).Sub(d, c)
				balance.Add(balance, amount)
				if exact[l.Account] == nil {
					t.Fatalf("%s: account %s is in the journal, and not or twice in the ledger", month, l.Account)
				}
				if off := new(big.Rat).Sub(amount, exact[l.Account]); off.Abs(off).Cmp(cent) >= 0 {
					t.Errorf("%s: account %s is %s in the journal, %s in the ledger", month, l.Account, amount.FloatString(4),
						exact[l.Account].FloatString(4))
				}
				delete(exact, l.Account)
				lines++
			}
			if balance.Sign() != 0 {
				t.Errorf("%s: the entry %s comes to %s", month, e.ID, balance.FloatString(4))
			}
		}
		for _, e := range j.Entries {
			for _, l := range e.Lines {
				debit.Add(debit, rational(t, l.Debit))
				credit.Add(credit, rational(t, l.Credit))
			}
		}
		if len(j.Entries) == 0 || debit.Cmp(rational(t, *j.Control.Debit)) != 0 || credit.Cmp(debit) != 0 ||
			credit.Cmp(rational(t, *j.Control.Credit)) != 0 {
			t.Errorf("%s: %d entries, %s debit, %s credit, and the control totals %+v", month, len(j.Entries),
				debit.FloatString(2), credit.FloatString(2), j.Control)
		}
		for account, sum := range exact {
			if sum.Abs(sum).Cmp(cent) >= 0 {
				t.Errorf("%s: account %s is missing from the journal, with %s", month, account, sum.FloatString(4))
			}
		}
	}
	t.Logf("%d lines of %d months tie", lines, y.months)
}

// sums are the ledger's, by account, of what is posted in a month.
func (y *retailYear) sums(t *testing.T, month domain.Period) map[string]*big.Rat {
	t.Helper()
	rows, err := y.app.Store.DB.Query(t.Context(),
		`SELECT account, toDecimalString(sum(amount), 4) FROM journal WHERE posting_period = ? GROUP BY account`,
		month.String())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	sums := map[string]*big.Rat{}
	for rows.Next() {
		var account, sum string
		if err := rows.Scan(&account, &sum); err != nil {
			t.Fatal(err)
		}
		sums[account] = rational(t, sum)
	}
	return sums
}

func rational(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

func millionths(d domain.Decimal) *big.Rat { return big.NewRat(int64(d), 1_000_000) }
