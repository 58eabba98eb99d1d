package dashboards

import (
	"strings"
	"testing"
)

// plant books what the boards are to show: amounts that no rounding leaves as they are, and words of each kind.
func (e *engine) plant(t *testing.T) {
	t.Helper()
	e.planted.Do(func() {
		for i, row := range [][]any{
			{"o1", "e1", e.from, "REFUND", "CASH", "damaged", "pick_pack", "own", "true", "1234.5670"},
			{"o1", "e1", e.from, "LABOUR", "IMPUTED", "damaged", "pick_pack", "own", "true", "12.5000"},
			{"1001", "e2", e.from, "GOODS", "ACCRUED", "not_as_described", "supplier_quality", "supplier", "", "99.9999"},
			{"1001", "e2", e.from, "RECOVERY", "CASH", "not_as_described", "supplier_quality", "supplier", "", "-1100.1000"},
			{"o3", "e3", e.from.AddDate(0, 0, -2), "FLEET", "IMPUTED", "late", "overpromise", "", "false", "5000000.2500"},
			{"o4", "e4", e.from.AddDate(0, 0, -56), "REFUND", "CASH", "late", "carrier", "carrier", "", "100.0000"},
		} {
			if err := e.store.DB.Exec(t.Context(), `INSERT INTO leakage_daily
(order_id, unit, error_id, day, posting_day, element, basis, kind, root_cause, party_at_fault, avoidable, amount,
    currency, store_id, vendor_id, account, part, founded, category, selling_store, lines)
VALUES (?, ?, ?, toDate(?), toDate(?), ?, ?, ?, ?, ?, ?, toDecimal128(?, 4), 'USD', 's1', 'v1', 4100 + ?, 'leakage',
    'yes', 'external', '', 1)`, row[0], row[0], row[1],
				row[2], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9],
				i); err != nil {
				t.Fatal(err)
			}
		}
		for _, daysBefore := range []int{0, 2} {
			day := e.from.AddDate(0, 0, -daysBefore)
			if err := e.store.DB.Exec(t.Context(), `INSERT INTO ledger
(source, event_id, content, event_type, occurred_at, recorded_at, day, order_id, currency, store_id, account, element,
    basis, step, amount)
VALUES ('till', ?, 1, 'makegood.order.placed.v1', ?, ?, toDate(?), ?, 'USD', 's1', [1010, 4000, 5000, 1200],
    ['', '', '', ''], ['CASH', 'CASH', 'ACCRUED', 'ACCRUED'], ['perfect', 'perfect', 'perfect', 'perfect'],
    [100000, -100000, 39999.5, -39999.5])`,
				daysBefore, day, day, day, []string{"o1", "", "o3"}[daysBefore]); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestTheFirstRows holds what the first board says of the planted books against figures that were worked out by hand.
func TestTheFirstRows(t *testing.T) {
	e := startEngine(t)
	e.plant(t)
	for _, c := range []struct{ currency, title, want string }{
		{"USD", "In a sentence", "Quality service cost USD 246.97 from 14 Mar 2026 to 15 Mar 2026. Of the cost before " +
			"paybacks, USD 12.50 is hidden inside wages and fleet, where no ledger shows it. Getting it right the first time " +
			"would save USD 28,990,108.27 a year, as the last 9 weeks went. There are books of 1 of these 2 days only."},
		{"USD", "Real cost, net", "before: USD 5,000,000.25|USD 246.97"},
		{"USD", "Hidden", "before: USD 5,000,000.25|USD 12.50"},
		{"USD", "Your ledger shows", "before: USD 0.00|USD 234.47"},
		{"USD", "Avoidable", "before: USD 0.00|USD 1,247.07"},
		{"USD", "Paid back", "before: USD 0.00|USD 1,100.10"},
		{"USD", "Share of net sales", "before: 5000 %|0.25%"},
		{"USD", "Without a price", "everything has its price|0"},
		{"EUR", "In a sentence", "Nothing was booked of what is chosen above: choose a longer time, another currency or " +
			"all stores."},
		{"EUR", "Real cost, net", "nothing known before|"},
		{"EUR", "Share of net sales", "nothing known before|"},
	} {
		shown := e.shows(t, "makegood-quality", c.title, chosen{"currency": {c.currency}})
		if got := strings.Join(shown, "|"); got != c.want {
			t.Errorf("%s, %s:\n%s\nwanted:\n%s", c.currency, c.title, got, c.want)
		}
	}
}

// shows is the first row of what a panel of a board shows.
func (e *engine) shows(t *testing.T, uid, title string, c chosen) []string {
	t.Helper()
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			if b.UID != uid || p.Title != title || p.Type == "row" {
				continue
			}
			var frames []frame
			for _, q := range p.Targets {
				f, err := e.answer(q.RefID, expand(q.RawSQL, c, e.from, e.to))
				if err != nil {
					t.Fatal(err)
				}
				frames = append(frames, f)
			}
			fields, err := shownFields(&p, frames)
			if err != nil {
				t.Fatal(err)
			}
			var row []string
			for _, f := range fields {
				row = append(row, f.cell(f.values[0]))
			}
			return row
		}
	}
	t.Fatalf("%s has no %q", uid, title)
	return nil
}
