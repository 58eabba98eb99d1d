package main

import (
	"strings"
	"testing"
)

// atTime is the event at another time.
func (e told) atTime(at string) told {
	e.at = at
	return e
}

// TestCasesOverAMonthsEnd: what waits for its remedy at a month's end makes neither month better or worse; the close
// shows it as goods owed and goods to come back.
func TestCasesOverAMonthsEnd(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	for _, e := range []string{
		sold.on("m1", 1), reported("wrong_item", "after_delivery", expected("55")).atTime("2026-01-31T10:00:00Z").on("m1", 2),
		sold.on("m2", 1), reported("damaged", "after_delivery", "").atTime("2026-01-30T10:00:00Z").on("m2", 2),
		cameBack("M", "60", "sold", "saleable", "").atTime("2026-01-31T10:00:00Z").on("m2", 3),
	} {
		mustPost(t, c, e)
	}
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _, said := command(t, "close", "2026-01", "--yes", "--actor", "ann", "--reason", "month end", "--to",
		c.base); status != 0 {
		t.Fatal(said)
	}
	mustPost(t, c, replacement.atTime("2026-02-01T09:00:00Z").on("m1", 4))
	mustPost(t, c, refunded("100", "8").atTime("2026-02-02T09:00:00Z").on("m2", 4))
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ order, period, account, amount string }{
		{"m1", "2026-01", "2410", "-60"}, {"m1", "2026-01", "1210", "55"}, {"m1", "2026-02", "2410", "60"},
		{"m2", "2026-01", "2410", "-60"}, {"m2", "2026-02", "2410", "60"}, {"m2", "2026-02", "5100", "-60"},
		{"m2", "2026-02", "4100", "100"},
	} {
		var amount string
		if err := app.Store.DB.QueryRow(t.Context(), `SELECT toDecimalString(sum(amount), 4) FROM journal
WHERE order_id = ? AND posting_period = ? AND account = ?`, want.order, want.period,
			want.account).Scan(&amount); err != nil {
			t.Fatal(err)
		}
		if !sameAmount(amount, want.amount) {
			t.Errorf("%s in %s on %s: %s, want %s", want.order, want.period, want.account, amount, want.amount)
		}
	}
	status, report, said := command(t, "report", "--group-by", "order,month", "--format", "csv", "--to", c.base)
	if status != 0 {
		t.Fatal(said)
	}
	nets := map[string]string{}
	for _, row := range strings.Split(strings.TrimSpace(report), "\n")[1:] {
		cells := strings.Split(row, ",")
		nets[cells[0]+" "+cells[1]] = cells[3]
	}
	for _, want := range []struct{ of, net string }{{"m1 2026-01", "0"}, {"m1 2026-02", "0"}, {"m2 2026-01", "0"},
		{"m2 2026-02", "40"}} {
		if !sameAmount(nets[want.of], want.net) {
			t.Errorf("net of %s is %q, want %s", want.of, nets[want.of], want.net)
		}
	}
}
