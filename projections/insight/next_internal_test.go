package insight

import (
	"testing"
	"time"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// TestSpendLeadsToItsCases: what is said of a spend on prevention leads to the cases of its cause and store since it
// began, not to a table.
func TestSpendLeadsToItsCases(t *testing.T) {
	day := func(month time.Month, n int) time.Time { return time.Date(2026, month, n, 0, 0, 0, 0, time.UTC) }
	q := &Query{From: day(11, 1), To: day(12, 1), Currency: "USD"}
	net := estimate.Estimated{Value: 10, Low: 5, High: 20, Level: 0.95, N: 26}.Estimate("test", 2)
	for _, c := range []struct{ store, first, want string }{
		{"", "2026-06-01", "/cases?currency=USD&from=2026-06-01&root_cause=pick_pack&through=2026-11-30"},
		{"s1", "2026-06-01", "/cases?currency=USD&from=2026-06-01&root_cause=pick_pack&selling_store=s1&through=2026-11-30"},
		{"", "2026-12-01", "/v1/prevention?currency=USD&from=2026-11-01&to=2026-12-01"}, // it hasn't begun
	} {
		a := q.adviceOnSpend(Row{"cause": "pick_pack", "store": c.store, "first": c.first, "verdict": "paid",
			"spent_since": "405.0000", "net_value": net})
		if a.link != c.want || a.action != "go_on" {
			t.Errorf("a spend since %s in store %q: %s, %s", c.first, c.store, a.action, a.link)
		}
	}
}

// TestWholeMonth: this month up to today becomes the whole month; any other time stays.
func TestWholeMonth(t *testing.T) {
	for _, c := range []struct{ now, from, to, want string }{
		{"2026-11-28T19:00:00Z", "2026-11-01", "2026-11-29", "2026-12-01"},
		{"2027-01-31T08:00:00Z", "2027-01-01", "2027-02-01", "2027-02-01"},
		{"2026-12-05T08:00:00Z", "2026-12-01", "2026-12-06", "2027-01-01"},
		{"2026-11-28T19:00:00Z", "2026-11-22", "2026-11-29", "2026-11-29"},
		{"2026-11-28T19:00:00Z", "2026-10-01", "2026-11-01", "2026-11-01"},
		{"2026-11-28T19:00:00Z", "2026-11-01", "2026-12-15", "2026-12-15"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		q := &Query{Now: now}
		for text, at := range map[string]*time.Time{c.from: &q.From, c.to: &q.To} {
			if *at, err = time.Parse(time.DateOnly, text); err != nil {
				t.Fatal(err)
			}
		}
		if is := q.wholeMonth().To.Format(time.DateOnly); is != c.want {
			t.Errorf("asked at %s until %s, it is looked at until %s and not %s", c.now, c.to, is, c.want)
		}
	}
}
