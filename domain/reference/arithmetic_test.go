package reference

import "testing"

func TestRoundHalfEven(t *testing.T) {
	for in, want := range map[string]string{
		"0":                    "0.0000",
		"0.00005":              "0.0000", // tie, 0 is even
		"0.00015":              "0.0002", // tie, 1 is odd
		"0.00025":              "0.0002",
		"0.00035":              "0.0004",
		"-0.00005":             "0.0000",
		"-0.00015":             "-0.0002",
		"-0.00025":             "-0.0002",
		"0.000051":             "0.0001", // just above the tie
		"0.000049":             "0.0000",
		"-0.000051":            "-0.0001",
		"1/3":                  "0.3333",
		"-2/3":                 "-0.6667",
		"1/60":                 "0.0167",
		"12.34565":             "12.3456",
		"12.34575":             "12.3458",
		"99999999999999.99995": "100000000000000.0000",
	} {
		got := RoundHalfEven(rat(in))
		if money(got) != want || got.Cmp(rat(want)) != 0 {
			t.Errorf("%s: got %s want %s", in, money(got), want)
		}
	}
}

// Rounding comes once where an amount enters: two items of a half each are one whole, not two even zeros.
func TestLinesAreMergedBeforeRounding(t *testing.T) {
	tp := &tape{}
	id := tp.add("goods.scrapped", "2026-01-01T00:00:00Z", `{"error_id":"c","store_id":"s","currency":"USD","lines":[
		{"sku":"a","quantity":"0.5","unit_cost":"0.0001"},{"sku":"b","quantity":"0.5","unit_cost":"0.0001"}]}`)
	wantLines(t, tp.run(t), id, "1200 -0.0001", "5110 0.0001")
}

// Clearing is the sum of what was rounded, also where rounding net+tax by itself would say 0.0002: 0.0001 less the fee.
func TestClearingIsThePlug(t *testing.T) {
	tp := &tape{}
	id := tp.add("order.placed", "2026-01-01T00:00:00Z",
		`{"order_id":"o1","store_id":"s","currency":"USD","payment_fee":"0.5","lines":[
		{"line_id":"1","sku":"a","quantity":"0.5","unit_price":"0.0001","tax":"0.0001","unit_cost":"0"}]}`)
	wantLines(t, tp.run(t), id, "1010 -0.4999", "2200 -0.0001", "5050 0.5000")
}
