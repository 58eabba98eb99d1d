package reference

import (
	"fmt"
	"math/big"
	"reflect"
	"testing"
)

// goldenTape is the truck of section 6: rates first, then the eight events.
func goldenTape() *tape {
	tp := &tape{}
	for _, r := range []string{
		`"rate":"fleet_hour","key":"*","value":"60.20","currency":"USD"`,
		`"rate":"fleet_km","key":"*","value":0.50,"currency":"USD"`,
		`"rate":"labour_hour","key":"agent","value":"34","currency":"USD"`,
		`"rate":"labour_hour","key":"inspector","value":30,"currency":"USD"`,
		`"rate":"voucher_redemption","key":"*","value":"0.8"`,
	} {
		tp.add("rate.set", "2025-12-31T00:00:00Z", `{`+r+`,"effective_from":"2026-01-01T00:00:00Z"}`)
	}
	about := `"order_id":"o1","store_id":"s1","currency":"USD"`
	fix := about + `,"error_id":"c1"`
	tp.add("order.placed", "2026-01-10T09:00:00Z",
		`{`+about+`,"payment_fee":"3.43","lines":[{"line_id":"1","sku":"part","quantity":1,"unit_price":"100","tax":"8",`+
			`"unit_cost":"60"}]}`)
	tp.add("error.reported", "2026-01-12T09:00:00Z",
		`{`+fix+`,"kind":"wrong_item","found":"after_delivery","detected_by":"customer",`+
			`"lines":[{"sku":"part","quantity":1,"unit_cost":"60","received_unit_cost":"55"}]}`)
	tp.add("redelivery.dispatched", "2026-01-12T09:10:00Z",
		`{`+fix+`,"redelivery_id":"r1","mode":"own_truck","lines":[{"sku":"part","quantity":"1","unit_cost":60}]}`)
	tp.add("redelivery.completed", "2026-01-12T10:00:00Z",
		`{`+fix+`,"redelivery_id":"r1","succeeded":true,"drive_minutes":30,"site_minutes":15,"distance_km":24}`)
	tp.add("labour.spent", "2026-01-12T10:10:00Z", `{`+fix+`,"labour_id":"l1","role":"agent","minutes":18}`)
	tp.add("concession.granted", "2026-01-12T10:20:00Z", `{`+fix+`,"concession_id":"v1","kind":"voucher","amount":"10"}`)
	tp.add("return.received", "2026-01-13T09:00:00Z",
		`{`+fix+`,"return_id":"b1","inspect_minutes":6,"inspect_role":"inspector",`+
			`"lines":[{"sku":"other","quantity":1,"unit_cost":"55","was":"wrong_item","grade":"b_grade","nrv":"45"}]}`)
	tp.add("claim.accepted", "2026-01-20T09:00:00Z", `{`+fix+`,"claim_id":"k1","party":"supplier","amount":"25"}`)
	return tp
}

func TestGoldenCase(t *testing.T) {
	b := goldenTape().run(t)

	wantLines(t, b, "e6", "1010 104.5700", "1200 -60.0000", "2200 -8.0000", "4000 -100.0000", "5000 60.0000",
		"5050 3.4300")
	wantLines(t, b, "e7", "1200 5.0000", "1210 55.0000", "2410 -60.0000")
	wantLines(t, b, "e8", "1200 -60.0000", "2410 60.0000")
	wantLines(t, b, "e9", "5220 57.1500", "6910 -57.1500")
	wantLines(t, b, "e10", "5300 10.2000", "6900 -10.2000")
	wantLines(t, b, "e11", "2300 -8.0000", "4120 8.0000")
	wantLines(t, b, "e12", "1200 45.0000", "1210 -55.0000", "5110 10.0000", "5300 3.0000", "6900 -3.0000")
	wantLines(t, b, "e13", "1300 25.0000", "5900 -25.0000")

	accounts := map[string]string{
		"1010": "104.5700", "1200": "-70.0000", "1210": "0.0000", "1300": "25.0000", "2200": "-8.0000", "2300": "-8.0000",
		"4000": "-100.0000", "4120": "8.0000", "5000": "60.0000", "5050": "3.4300", "2410": "0.0000", "5110": "10.0000",
		"5220": "57.1500", "5300": "13.2000", "5900": "-25.0000", "6900": "-13.2000", "6910": "-57.1500",
	}
	if got := perAccount(b); !reflect.DeepEqual(got, accounts) {
		t.Errorf("accounts\n got %v\nwant %v", got, accounts)
	}

	o := b.Order("o1")
	got := fmt.Sprint(money(o.Perfect), " ", money(o.Gross), " ", money(o.Net), " ", money(o.Hidden), " ",
		money(o.Contribution))
	if want := "36.5700 88.3500 63.3500 70.3500 -26.7800"; got != want {
		t.Errorf("order: got %s want %s", got, want)
	}
	if err := o.Check(); err != nil {
		t.Error(err)
	}
	if o.Unpriced || len(b.Unpriced) != 0 {
		t.Error("unpriced", b.Unpriced)
	}
	c := b.Case("c1")
	if s := new(big.Rat).Quo(c.Net, o.Perfect).FloatString(2); s != "1.73" {
		t.Errorf("orders to earn back %s", s)
	}
	if s := new(big.Rat).Quo(o.Hidden, o.Gross).FloatString(3); s != "0.796" {
		t.Errorf("hidden share %s", s)
	}

	report, err := b.Leakage("2026-01-01", "2026-02-01", []string{"store", "kind"}, "economic", "occurred", "USD")
	if err != nil {
		t.Fatal(err)
	}
	row := Row{
		Key: map[string]string{"store": "s1", "kind": "wrong_item"}, Gross: "88.3500", Net: "63.3500", Booked: "18.0000",
		Hidden: "70.3500", Recoveries: "25.0000", Cases: 1, Orders: 1,
	}
	if !reflect.DeepEqual(report.Rows, []Row{row}) {
		t.Errorf("rows %+v", report.Rows)
	}
	row.Key = nil
	if !reflect.DeepEqual(report.Totals, row) || report.Apart["changed_mind"] != "0.0000" {
		t.Errorf("totals %+v apart %v", report.Totals, report.Apart)
	}

	// What the general ledger alone shows: 18.00 of cost against a credit of 25.00, a gain of 7.00.
	booked, err := b.Leakage("", "", nil, "booked", "posting", "")
	if err != nil {
		t.Fatal(err)
	}
	if r := booked.Totals; r.Gross != "18.0000" || r.Recoveries != "25.0000" || r.Net != "-7.0000" ||
		r.Hidden != "0.0000" {
		t.Errorf("booked view %+v", r)
	}
}
