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

// Rounding comes once per journal line: two items of a half each are one whole, not two even zeros.
func TestLinesAreMergedBeforeRounding(t *testing.T) {
	tp := &tape{}
	id := tp.add("goods.scrapped", "2026-01-01T00:00:00Z", `{"error_id":"c","store_id":"s","currency":"USD","lines":[
		{"sku":"a","quantity":"0.5","unit_cost":"0.0001"},{"sku":"b","quantity":"0.5","unit_cost":"0.0001"}]}`)
	wantLines(t, tp.run(t), id, "5110 0.0001", "1200 -0.0001")
}

// Clearing is what makes the entry zero, also where rounding net+tax by itself would say 0.0002.
func TestClearingIsThePlug(t *testing.T) {
	tp := &tape{}
	id := tp.add("order.placed", "2026-01-01T00:00:00Z", `{"order_id":"o1","store_id":"s","currency":"USD","payment_fee":"0.5","lines":[
		{"line_id":"1","sku":"a","quantity":"0.5","unit_price":"0.0001","tax":"0.0001","unit_cost":"0"}]}`)
	wantLines(t, tp.run(t), id, "1010 0.0001", "2200 -0.0001", "5050 0.5000", "1010 -0.5000")
}

// The return asset is the plug of a return: 1200 and 5110 round down to even, and 1210 follows them.
func TestReturnAssetIsThePlug(t *testing.T) {
	tp := &tape{}
	id := tp.add("return.received", "2026-01-01T00:00:00Z", `{"order_id":"o1","error_id":"c","store_id":"s","currency":"USD","lines":[
		{"sku":"a","quantity":1,"unit_cost":"1.00005","was":"wrong_item","grade":"saleable"},
		{"sku":"a","quantity":1,"unit_cost":"2.00005","was":"wrong_item","grade":"scrap"}]}`)
	wantLines(t, tp.run(t), id, "1200 1.0000", "1210 -3.0000", "5110 2.0000")
}
