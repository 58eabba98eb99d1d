package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// reconcileWith asks for a reconciliation and writes its differences one a line.
func reconcileWith(t *testing.T, c *client, payouts string) (*audit.Reconciliation, string) {
	t.Helper()
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	var r audit.Reconciliation
	if err := c.post(t.Context(), "/v1/reconcile?currency=USD", "text/csv", strings.NewReader(payouts), &r); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, d := range r.Differences {
		lines = append(lines, fmt.Sprintf("%s | %s | %s %s | %s", d.Check, d.What, d.Expected, d.Actual,
			strings.Join(d.Events, ", ")))
	}
	slices.Sort(lines)
	if r.Clean() != (len(lines) == 0) {
		t.Errorf("clean: %t, with %d differences", r.Clean(), len(lines))
	}
	return &r, strings.Join(lines, "\n")
}

// TestReconcile: untouched books agree with the log, duplicates and dead letters included; whatever is changed behind
// makegood's back is found, with its event.
func TestReconcile(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents, goldenEvents[2:5]) {
		mustPost(t, c, e)
	}
	w := &kafkago.Writer{Addr: kafkago.TCP(app.Brokers...), BatchTimeout: time.Millisecond,
		RequiredAcks: kafkago.RequireAll}
	defer w.Close()
	if err := w.WriteMessages(t.Context(), kafkago.Message{Topic: "makegood.orders", Key: []byte("x"),
		Value: []byte("no event")}); err != nil {
		t.Fatal(err)
	}
	r, differences := reconcileWith(t, c, "")
	if differences != "" {
		t.Fatalf("untouched books differ:\n%s", differences)
	}
	var n audit.LogCount
	for _, l := range r.Log {
		n.Records, n.Events, n.Duplicates, n.DeadLetters = n.Records+l.Records, n.Events+l.Events, n.Duplicates+l.Duplicates,
			n.DeadLetters+l.DeadLetters
	}
	if got := fmt.Sprint(n.Records, n.Events, n.Duplicates, n.DeadLetters); got != "17 13 3 1" {
		t.Errorf("records, events, duplicates, dead letters: %s", got)
	}
	var open []string
	for _, b := range r.Balances {
		open = append(open, fmt.Sprint(b.Account, " ", b.Name, " ", b.Reference, " ", b.Balance, " ", b.Currency))
	}
	if got, want := strings.Join(open, "; "),
		"2300 voucher_liability c1 -8.0000 USD; 1300 claims_receivable k1 25.0000 USD"; got != want {
		t.Errorf("open balances\n got %s\nwant %s", got, want)
	}

	for _, change := range []string{
		`ALTER TABLE ledger UPDATE content = 1 WHERE event_id = '5' SETTINGS mutations_sync = 1`,
		`ALTER TABLE ledger DELETE WHERE event_id = '8' SETTINGS mutations_sync = 1`,
		`ALTER TABLE ledger UPDATE amount = arrayMap((x, i) -> if(i = 1, x + 1, x), amount, arrayEnumerate(amount)) WHERE ` +
			`event_id = '3' SETTINGS mutations_sync = 1`,
		`ALTER TABLE leakage_daily UPDATE amount = amount + 1 WHERE account = 5220 SETTINGS mutations_sync = 1`,
	} {
		if err := app.Store.DB.Exec(t.Context(), change); err != nil && !strings.Contains(err.Error(),
			"Cannot UPDATE key column") {
			t.Fatal(err)
		}
	}
	// The key itself can't be updated: the same row with another content instead of its own.
	if err := app.Store.DB.Exec(t.Context(),
		`INSERT INTO ledger SELECT * REPLACE (1 AS content) FROM ledger FINAL WHERE event_id = '5'`); err != nil {
		t.Fatal(err)
	}
	if err := app.Store.DB.Exec(t.Context(),
		`ALTER TABLE ledger DELETE WHERE event_id = '5' AND content != 1 SETTINGS mutations_sync = 1`); err != nil {
		t.Fatal(err)
	}
	_, differences = reconcileWith(t, c, "")
	for _, want := range []string{
		"log and ledger | a row's content is not its record's |",
		"log and ledger | a record that is neither in the ledger nor a dead letter |",
		"every entry sums to zero | an entry that doesn't sum to zero, or that a refused event still has | 0.0000 1.0000 " +
			"| urn:till:1 3",
		"roll-up and journal | 2026-01-10 s1 USD 5220 FLEET IMPUTED, case e1, order o1 | 57.1500 58.1500 |",
		"ledger and failures | a row that stands in one and not alike in the other | 0 in the ledger 1 in failures | " +
			"urn:till:1 8",
	} {
		if !strings.Contains(differences, want) {
			t.Errorf("not found: %s", want)
		}
	}
	if t.Failed() {
		t.Log(differences)
	}
}

// TestReconcileClosedMonth: what is posted in a closed month and comes after its close is found, whoever put it
// there; and the open balances are also those of the close, aged to the end of its month.
func TestReconcileClosedMonth(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	voucher := func(id, at, worth string) string {
		return event(id, "concession.granted", at, "o1",
			fmt.Sprintf(
				`{"order_id":"o1","store_id":"s1","error_id":"e1","concession_id":"v-%s","kind":"voucher","currency":"USD",`+
					`"amount":%q}`, id, worth))
	}
	mustPost(t, c, event("r", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"voucher_redemption","key":"*","value":"1","effective_from":"2026-01-01T00:00:00Z"}`))
	mustPost(t, c, voucher("1", "2026-01-10T10:00:00Z", "8"))
	mustPost(t, c, voucher("2", "2026-02-02T10:00:00Z", "5")) // of the next month, though it comes before the close
	mustPost(t, c, event("c", "period.closed", "2026-02-03T10:00:00Z", "", `{"period":"2026-01"}`))
	mustPost(t, c, voucher("3", "2026-01-20T10:00:00Z", "3")) // late: posted in February
	balances := func(asOf string) string {
		t.Helper()
		var r audit.Reconciliation
		if err := c.post(t.Context(), "/v1/reconcile?"+url.Values{"as_of": {asOf}}.Encode(), "text/csv",
			strings.NewReader(""), &r); err != nil {
			t.Fatal(err)
		}
		if !r.Clean() {
			t.Errorf("the books differ: %+v", r.Differences)
		}
		text := ""
		for _, b := range r.Balances {
			text += fmt.Sprint(b.Reference, " ", b.Balance, ", ")
		}
		if asOf != "" {
			text += fmt.Sprint("aged ", r.Balances[0].AgeDays, " at ", r.BalancesAt.Format(time.RFC3339))
		}
		return text
	}
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := balances("close:2026-01"), "v-1 -8.0000, aged 21 at 2026-02-01T00:00:00Z"; got != want {
		t.Errorf("at the end of January %q, not %q", got, want)
	}
	if got, want := balances(""), "v-1 -8.0000, v-3 -3.0000, v-2 -5.0000, "; got != want {
		t.Errorf("now %q, not %q", got, want)
	}
	if got := balances("2200-01-01T00:00:00Z"); !strings.HasSuffix(got, "at 2200-01-01T00:00:00Z") {
		t.Errorf("at a time: %q", got)
	}

	if err := app.Store.DB.Exec(t.Context(),
		`ALTER TABLE ledger UPDATE posting_period = toDate('2026-01-01') WHERE event_id = '3'
		SETTINGS mutations_sync = 1`); err != nil {
		t.Fatal(err)
	}
	// Until whoever put it there has learned of the close, what is final doesn't know of it.
	var journal strings.Builder
	if err := c.get(t.Context(), "/v1/journal", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "final": {"true"},
		"detail": {"events"}}, &journal); err != nil {
		t.Fatal(err)
	}
	if text := journal.String(); strings.Count(text, `"event_id"`) != 1 || !strings.Contains(text, `"event_id":"1"`) {
		t.Errorf("the final journal of January: %s", text)
	}
	_, differences := reconcileWith(t, c, "")
	if want := "closed months and log | an event that is posted in 2026-01, and comes after its close in the log |   " +
		"| urn:till:1 3"; !strings.Contains(differences, want) {
		t.Errorf("got\n%s\nwant\n%s", differences, want)
	}
}

// TestReconcilePayouts: clearing is compared reference by reference with what a processor says it paid.
func TestReconcilePayouts(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	placed := func(id, day, price string) string {
		return event(id, "order.placed", day+"T10:00:00Z", id,
			fmt.Sprintf(
				`{"order_id":%q,"store_id":"s1","currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":%q,`+
					`"unit_cost":"1"}],"payment_fee":"1"}`, id, price))
	}
	for _, e := range []string{
		placed("agrees", "2026-01-05", "100"), placed("refunded", "2026-01-06", "50"), placed("unpaid", "2026-01-07", "20"),
		placed("other", "2026-01-08", "30"), placed("young", "2026-01-30", "70"), placed("early", "2025-12-30", "11"),
		placed("charged", "2026-01-10", "40"),
		event("ch", "order.charged", "2026-01-10T11:00:00Z", "charged",
			`{"order_id":"charged","store_id":"s1","charge_id":"F-1","kind":"payment_fee","currency":"USD","amount":"2"}`),
		event("rf", "refund.issued", "2026-01-09T10:00:00Z", "refunded",
			`{"order_id":"refunded","store_id":"s1","error_id":"e","refund_id":"R-1","currency":"USD","net":"10","tax":"1"}`),
		event("cl", "claim.settled", "2026-01-09T10:00:00Z", "refunded",
			`{"order_id":"refunded","store_id":"s1","error_id":"e","claim_id":"K-1","party":"supplier","currency":"USD",`+
				`"amount":"9"}`),
	} {
		mustPost(t, c, e)
	}
	r, differences := reconcileWith(t, c, "date,id,type,amount\n2026-01-07,agrees,charge,99.00\n"+
		"2026-01-08,refunded,charge,49\n2026-01-11,R-1,refund,-11.00\n"+
		"2026-01-10,other,charge,28.5\n2026-01-11,charged,charge,37\n"+
		"2026-01-12,stranger,charge,5\n2026-01-02,early,charge,10\n2026-01-31,agrees,fee,0\n")
	want := strings.Join([]string{
		"clearing and payouts | another amount: other | 29.0000 28.5000 | urn:till:1 other",
		"clearing and payouts | on clearing, but not in the payouts: unpaid | 19.0000 0.0000 | urn:till:1 unpaid",
		"clearing and payouts | paid, but not on clearing: stranger | 0.0000 5.0000 | ",
	}, "\n")
	if differences != want {
		t.Errorf("got\n%s\nwant\n%s", differences, want)
	}
	if p := r.Payouts; p == nil || fmt.Sprintf("%s %s %s %d", p.Payouts, p.Clearing, p.InTransit,
		p.Matched) != "217.5000 291.0000 69.0000 5" {
		t.Errorf("%+v", p)
	}
	if err := c.post(t.Context(), "/v1/reconcile", "text/csv", strings.NewReader("date,id,amount\n2026-01-07,a,1.00001\n"),
		nil); err == nil {
		t.Error("an amount of five decimals was taken")
	}
}

// TestReconcileNamesWhatDiffers: a row that stands twice is said to, with its lines; a refund that has no row of its
// own is named, though the processor has its order's payment; one that is young enough to be on its way is none.
func TestReconcileNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	placed := func(id, price string) string {
		return event(id, "order.placed", "2026-01-05T10:00:00Z", id,
			fmt.Sprintf(
				`{"order_id":%q,"store_id":"s1","currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":%q,`+
					`"unit_cost":"1"}]}`, id, price))
	}
	refund := func(id, order, day, net string) string {
		return event(id, "refund.issued", day+"T10:00:00Z", order,
			fmt.Sprintf(`{"order_id":%q,"store_id":"s1","error_id":"e-%s","refund_id":"R-%s","currency":"USD","net":%q}`, order,
				order, id, net))
	}
	mistaken := refund("mistaken", "missing", "2026-01-09", "3")
	for _, e := range []string{
		placed("twice", "100"), placed("thrice", "7"), placed("missing", "50"), placed("young", "60"), placed("both", "40"),
		placed("other", "30"),
		refund("a", "missing", "2026-01-09", "11"), mistaken, refund("b", "young", "2026-01-30", "12"),
		refund("c", "both", "2026-01-09", "4"),
		refund("d", "other", "2026-01-09", "5"),
		event("void", "event.voided", "2026-01-10T10:00:00Z", "missing",
			`{"order_id":"missing","store_id":"s1","error_id":"e-missing","voids":{"source":"urn:till:1","id":"mistaken"},`+
				`"reason":"keyed twice","original":`+mistaken+`}`),
	} {
		mustPost(t, c, e)
	}
	r, differences := reconcileWith(t, c, "date,id,amount\n2026-01-06,twice,100\n2026-01-06,missing,50\n"+
		"2026-01-06,thrice,7\n2026-01-06,young,60\n"+
		"2026-01-07,twice,100\n2026-01-07,thrice,7\n2026-01-07,thrice,7\n2026-01-07,both,40\n2026-01-07,both,40\n"+
		"2026-01-07,other,28\n2026-01-31,other,0\n")
	want := strings.Join([]string{
		"clearing and payouts | a row of 100.0000 stands twice, on lines 2 and 6: twice | 100.0000 200.0000 | urn:till:1 " +
			"twice",
		"clearing and payouts | a row of 40.0000 stands twice, on lines 9 and 10; no row of -4.0000: both | 36.0000 " +
			"80.0000 | urn:till:1 c",
		"clearing and payouts | a row of 7.0000 stands 3 times, on lines 4, 7 and 8: thrice | 7.0000 21.0000 | urn:till:1 " +
			"thrice",
		"clearing and payouts | another amount: other | 25.0000 28.0000 | urn:till:1 other, urn:till:1 d",
		"clearing and payouts | no row of -11.0000: missing | 39.0000 50.0000 | urn:till:1 a",
	}, "\n")
	if differences != want {
		t.Errorf("got\n%s\nwant\n%s", differences, want)
	}
	if p := r.Payouts; p == nil || p.InTransit != "-12.0000" || p.Matched != 1 {
		t.Errorf("%+v", p)
	}
}

// TestSummaryOfTheTruck is the golden case in the summary's words.
func TestSummaryOfTheTruck(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents, []string{
		event("d", "order.delivered", "2026-01-10T11:00:00Z", "o1", `{"order_id":"o1","store_id":"s1"}`)}) {
		mustPost(t, c, e)
	}
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	var m report.Summary
	if err := c.get(t.Context(), "/v1/summary", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}}, &m); err != nil {
		t.Fatal(err)
	}
	s := bookstest.Service(&m)
	for name, want := range map[string]string{
		"right_first_time": "0 / 1 = 0.000000", "perfect_order": "0 / 1 = 0.000000", "silent_failures": "0 / 1 = 0.000000",
		"hidden_share": "70.3500 / 88.3500 = 0.796265", "cost_per_case": "63.3500 / 1 = 63.350000",
		"orders_to_earn_back":        "63.3500 / 36.5700 = 1.732294",
		"leakage_share_of_net_sales": "63.3500 / 100.0000 = 0.633500", "avoidable_share": "63.3500 / 63.3500 = 1.000000",
		"cash": "0.0000", "profit": "-63.3500", "paf external": "63.3500 / 63.3500 = 1.000000",
	} {
		if s[name] != want {
			t.Errorf("%s: got %s want %s", name, s[name], want)
		}
	}
}
