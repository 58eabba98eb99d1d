package domain

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"
)

const piece = Decimal(one)

func d(text string) Decimal {
	v, err := ParseDecimal([]byte(text), 6)
	if err != nil {
		panic(err)
	}
	return v
}

func goodsLines(quantity, cost string) []GoodsLine {
	return []GoodsLine{{SKU: "p", Quantity: d(quantity), UnitCost: Some(d(cost))}}
}

// TestPostingTable is the contract's §4 row by row: given an event, the lines that it posts, debits first in the
// order of the accounts. Rates: fleet_hour 60.20, fleet_km 0.50, labour_hour agent 34 and * 20, item_cost p 7,
// voucher_redemption 0.8.
func TestPostingTable(t *testing.T) {
	for _, c := range []struct {
		name string
		data Data
		want string
	}{
		{"an order", &OrderPlaced{Lines: []OrderLine{{SKU: "p", Quantity: piece, UnitPrice: d("100"), Tax: d("8"),
			UnitCost: Some(d("60"))}}, PaymentFee: d("3.43")},
			"1010 104.5700 CASH, 5000 60.0000 ACCRUED, 5050 3.4300 CASH, 1200 -60.0000 ACCRUED, 2200 -8.0000 CASH, 4000 -100.0000 CASH"},
		{"an order with a discount and a delivery fee, its cost from the rate", &OrderPlaced{Lines: []OrderLine{{SKU: "p",
			Quantity: d("2"), UnitPrice: d("10"), Discount: d("1")}}, DeliveryFee: d("4"), DeliveryTax: d("0.4")},
			"1010 23.4000 CASH, 5000 14.0000 ACCRUED, 1200 -14.0000 ACCRUED, 2200 -0.4000 CASH, 4000 -23.0000 CASH"},
		{"a customer cancels", &OrderCancelled{By: "customer", Net: Some(d("100")), Tax: Some(d("8")), Cost: Some(d("60"))},
			"1200 60.0000 ACCRUED, 2200 8.0000 CASH, 4000 100.0000 CASH, 1010 -108.0000 CASH, 5000 -60.0000 ACCRUED"},
		{"the business cancels", &OrderCancelled{By: "business", Net: Some(d("100")), Tax: Some(d("8")), Cost: Some(d("60"))},
			"1200 60.0000 ACCRUED, 2200 8.0000 CASH, 4000 100.0000 CASH REFUND, 1010 -108.0000 CASH, 5000 -60.0000 ACCRUED GOODS"},
		{"the wrong item", &ErrorReported{Classification: Classification{Kind: "wrong_item"}, Lines: []ErrorLine{{SKU: "p",
			Quantity: piece, UnitCost: Some(d("60")), ReceivedSKU: "q", ReceivedUnitCost: Some(d("55"))}}},
			"1200 60.0000 ACCRUED, 1210 55.0000 ACCRUED, 1200 -55.0000 ACCRUED, 5100 -60.0000 ACCRUED GOODS"},
		{"a missing item", &ErrorReported{Classification: Classification{Kind: "missing_item"},
			Lines: []ErrorLine{{SKU: "p", Quantity: d("2"), UnitCost: Some(d("60"))}}},
			"1200 120.0000 ACCRUED, 5100 -120.0000 ACCRUED GOODS"},
		{"any other error", &ErrorReported{Classification: Classification{Kind: "damaged"}, Lines: []ErrorLine{{SKU: "p",
			Quantity: piece, UnitCost: Some(d("60"))}}}, ""},
		{"a classification", &ErrorClassified{}, ""},
		{"a rejection", &ErrorRejected{}, ""},
		{"scrap", &GoodsScrapped{Lines: goodsLines("3", "2.5")}, "5110 7.5000 ACCRUED WRITE_DOWN, 1200 -7.5000 ACCRUED"},
		{"a dispatch", &RedeliveryDispatched{Lines: goodsLines("1", "60"), CarrierCharge: d("9")},
			"5100 60.0000 ACCRUED GOODS, 5200 9.0000 ACCRUED FREIGHT_OUT, 1200 -60.0000 ACCRUED, 2400 -9.0000 ACCRUED"},
		{"our truck", &RedeliveryCompleted{DriveMinutes: d("30"), SiteMinutes: d("15"), DistanceKM: d("24"), Stops: 1},
			"5220 57.1500 IMPUTED FLEET, 6910 -57.1500 IMPUTED"},
		{"our truck with three stops", &RedeliveryCompleted{DriveMinutes: d("30"), SiteMinutes: d("15"),
			DistanceKM: d("24"), Stops: 3},
			"5220 19.0500 IMPUTED FLEET, 6910 -19.0500 IMPUTED"},
		{"a carrier", &RedeliveryCompleted{Stops: 1, CarrierCharge: d("4.5")},
			"5200 4.5000 ACCRUED FREIGHT_OUT, 2400 -4.5000 ACCRUED"},
		{"labour", &LabourSpent{Role: "agent", Minutes: d("18")}, "5300 10.2000 IMPUTED LABOUR, 6900 -10.2000 IMPUTED"},
		{"labour of a role without a rate of its own", &LabourSpent{Role: "clerk", Minutes: d("18")},
			"5300 6.0000 IMPUTED LABOUR, 6900 -6.0000 IMPUTED"},
		{"a refund", &RefundIssued{Net: d("50"), Tax: d("4")},
			"2200 4.0000 CASH, 4100 50.0000 CASH REFUND, 1010 -54.0000 CASH"},
		{"a discount", &ConcessionGranted{Kind: "discount", Amount: d("10"), Tax: d("0.8")},
			"2200 0.8000 CASH, 4110 10.0000 CASH CONCESSION, 1010 -10.8000 CASH"},
		{"a voucher", &ConcessionGranted{Kind: "voucher", Amount: d("10")},
			"4120 8.0000 ACCRUED CONCESSION, 2300 -8.0000 ACCRUED"},
		{"a store credit", &ConcessionGranted{Kind: "store_credit", Amount: d("10")},
			"4120 8.0000 ACCRUED CONCESSION, 2300 -8.0000 ACCRUED"},
		{"a voucher redeemed", &VoucherRedeemed{Amount: d("10")}, "2300 10.0000 CASH, 1010 -10.0000 CASH"},
		{"a voucher expired", &VoucherExpired{Amount: d("8")}, "2300 8.0000 ACCRUED, 4120 -8.0000 ACCRUED CONCESSION"},
		{"a wrong item back, saleable", back("wrong_item", "saleable", ""), "1200 55.0000 ACCRUED, 1210 -55.0000 ACCRUED"},
		{"a wrong item back, b_grade", back("wrong_item", "b_grade", "45"),
			"1200 45.0000 ACCRUED, 5110 10.0000 ACCRUED WRITE_DOWN, 1210 -55.0000 ACCRUED"},
		{"a wrong item back, scrap", back("wrong_item", "scrap", ""),
			"5110 55.0000 ACCRUED WRITE_DOWN, 1210 -55.0000 ACCRUED"},
		{"a wrong item abandoned", back("wrong_item", "abandoned", ""),
			"5110 55.0000 ACCRUED WRITE_DOWN, 1210 -55.0000 ACCRUED"},
		{"a sold item back, saleable", back("sold", "saleable", ""), "1200 55.0000 ACCRUED, 5100 -55.0000 ACCRUED GOODS"},
		{"a sold item back, b_grade", back("sold", "b_grade", "45"), "1200 45.0000 ACCRUED, 5100 -45.0000 ACCRUED GOODS"},
		{"a sold item back, scrap", back("sold", "scrap", ""), ""},
		{"a return's freight and inspection", &ReturnReceived{FreightCharge: d("6"), InspectMinutes: d("6"),
			InspectRole: "agent"},
			"5210 6.0000 ACCRUED FREIGHT_RETURN, 5300 3.4000 IMPUTED LABOUR, 2400 -6.0000 ACCRUED, 6900 -3.4000 IMPUTED"},
		{"salvage", &SalvageSold{Amount: d("12")}, "1010 12.0000 CASH, 5120 -12.0000 CASH SALVAGE"},
		{"a dispute opened", &DisputeOpened{Amount: d("108"), Fee: d("15")},
			"1310 108.0000 CASH, 5400 15.0000 CASH DISPUTE, 1010 -123.0000 CASH"},
		{"a dispute won", &DisputeWon{Amount: d("108")}, "1010 108.0000 CASH, 1310 -108.0000 CASH"},
		{"a dispute lost", &DisputeLost{Amount: d("108")}, "5410 108.0000 ACCRUED DISPUTE, 1310 -108.0000 ACCRUED"},
		{"a marketplace's penalty", &MarketplaceCharged{Amount: d("5")}, "5420 5.0000 CASH MARKETPLACE, 1010 -5.0000 CASH"},
		{"a claim accepted", &ClaimAccepted{Amount: d("25")}, "1300 25.0000 ACCRUED, 5900 -25.0000 ACCRUED RECOVERY"},
		{"a claim settled", &ClaimSettled{Amount: d("25")}, "1010 25.0000 CASH, 1300 -25.0000 CASH"},
		{"prevention", &QualitySpent{Category: "prevention", Amount: d("100")},
			"6100 100.0000 ACCRUED, 2400 -100.0000 ACCRUED"},
		{"appraisal", &QualitySpent{Category: "appraisal", Amount: d("100")},
			"6110 100.0000 ACCRUED, 2400 -100.0000 ACCRUED"},
		{"a void", &EventVoided{Original: &Event{Time: when, Currency: "USD", Data: &RefundIssued{Net: d("50")}}},
			"1010 50.0000 CASH, 4100 -50.0000 CASH REFUND"},
		{"a promise", &PromiseChanged{}, ""},
		{"a delivery", &OrderDelivered{}, ""},
		{"feedback", &FeedbackReceived{}, ""},
		{"half a hundredth of a cent rounds to the even neighbour", &GoodsScrapped{Lines: goodsLines("0.5", "0.0001")}, ""},
		{"and one and a half of it too", &GoodsScrapped{Lines: goodsLines("1.5", "0.0001")},
			"5110 0.0002 ACCRUED WRITE_DOWN, 1200 -0.0002 ACCRUED"},
	} {
		var entry Entry
		if err := Post(&Event{Time: when, Currency: "USD", Data: c.data}, tableRates(), Position{Stream: Orders,
			Offset: 10}, &entry); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := inWords(entry.Lines); got != c.want {
			t.Errorf("%s posts\n  %s\nnot\n  %s", c.name, got, c.want)
		}
		if len(entry.Unpriced) > 0 {
			t.Errorf("%s is unpriced: %v", c.name, entry.Unpriced)
		}
		if !entry.Balanced() {
			t.Errorf("%s doesn't balance", c.name)
		}
	}
}

func back(was, grade, nrv string) *ReturnReceived {
	line := ReturnLine{GoodsLine: GoodsLine{SKU: "q", Quantity: piece, UnitCost: Some(d("55"))}, Was: was, Grade: grade}
	if nrv != "" {
		line.NRV = Some(d(nrv))
	}
	return &ReturnReceived{Lines: []ReturnLine{line}}
}

var when = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

func rateEvent(id, name, key, value, currency string, from time.Time) *Event {
	return &Event{
		Source:   "s",
		ID:       id,
		Type:     TypeRateSet,
		Currency: currency,
		Data:     &RateSet{Rate: name, Key: key, Value: d(value), EffectiveFrom: from},
	}
}

func tableRates() *Rates {
	r := NewRates()
	from := when.AddDate(-1, 0, 0)
	for i, e := range []*Event{
		rateEvent("1", FleetHour, "*", "60.20", "USD", from), rateEvent("2", FleetKM, "*", "0.5", "USD", from),
		rateEvent("3", LabourHour, "agent", "34", "USD", from),
		rateEvent("4", LabourHour, "*", "20", "USD", from), rateEvent("5", ItemCost, "p", "7", "USD", from), rateEvent("6",
			VoucherRedemption, "*", "0.8", "", from),
	} {
		r.apply(e, Mark{Offset: int64(i), Ends: map[Partition]int64{}})
	}
	return r
}

// inWords writes lines as the table's wants are: debits first, then credits, each by account.
func inWords(lines []Line) string {
	sort.SliceStable(lines, func(i, j int) bool {
		if (lines[i].Amount > 0) != (lines[j].Amount > 0) {
			return lines[i].Amount > 0
		}
		return lines[i].Account < lines[j].Account
	})
	var words []string
	for _, l := range lines {
		words = append(words, strings.TrimSpace(fmt.Sprintf("%d %s %s %s", l.Account, l.Amount, l.Basis, l.Element)))
	}
	return strings.Join(words, ", ")
}

func TestAMissingRateIsSaidAndPostsNothing(t *testing.T) {
	var entry Entry
	for _, c := range []struct {
		data    Data
		missing string
	}{
		{&LabourSpent{Role: "agent", Minutes: piece}, "labour_hour:agent"},
		{&RedeliveryCompleted{DriveMinutes: piece, Stops: 1, Vehicle: "v1"}, "fleet_hour:v1"},
		{&RedeliveryCompleted{DistanceKM: piece, Stops: 1}, "fleet_km:"},
		{&ConcessionGranted{Kind: "voucher", Amount: piece}, "voucher_redemption:voucher"},
		{&GoodsScrapped{Lines: []GoodsLine{{SKU: "x", Quantity: piece}}}, "item_cost:x"},
	} {
		if err := Post(&Event{Time: when, Currency: "USD", Data: c.data}, NewRates(), Position{}, &entry); err != nil {
			t.Fatal(err)
		}
		if len(entry.Lines) != 0 || len(entry.Unpriced) != 1 || entry.Unpriced[0] != c.missing {
			t.Errorf("%T: lines %v, unpriced %v; want none and %s", c.data, entry.Lines, entry.Unpriced, c.missing)
		}
	}
}

// TestRatesHaveAClock: of the rates recorded no later than the event, the one with the latest effective_from counts.
func TestRatesHaveAClock(t *testing.T) {
	r := NewRates()
	at := func(orders int64) map[Partition]int64 { return map[Partition]int64{{Orders, 0}: orders} }
	r.apply(rateEvent("a", LabourHour, "*", "10", "USD", when.AddDate(0, -2, 0)), Mark{Offset: 0, Ends: at(0)})
	r.apply(rateEvent("b", LabourHour, "*", "20", "USD", when.AddDate(0, -1, 0)), Mark{Offset: 1, Ends: at(100)})
	r.apply(
		rateEvent("c", LabourHour, "*", "30", "USD", when.AddDate(0, -1, 0)),
		Mark{Offset: 2, Ends: at(200)},
	) // the same effective_from, recorded later
	r.apply(
		rateEvent("d", LabourHour, "*", "40", "USD", when.AddDate(0, 1, 0)),
		Mark{Offset: 3, Ends: at(200)},
	) // not yet in force
	r.apply(
		rateEvent("b", LabourHour, "*", "20", "USD", when.AddDate(0, -1, 0)),
		Mark{Offset: 4, Ends: at(300)},
	) // the second again
	r.apply(rateEvent("e", LabourHour, "agent", "15", "USD", when.AddDate(0, -1, 0)), Mark{Offset: 5, Ends: at(400)})
	r.apply(rateEvent("f", LabourHour, "*", "99", "EUR", when), Mark{Offset: 6, Ends: at(0)})
	for _, c := range []struct {
		offset int64
		role   string
		want   string
	}{
		{0, "agent", "10"}, {99, "agent", "10"}, {100, "agent", "20"}, {199, "agent", "20"}, {200, "agent", "30"}, {399,
			"agent", "30"}, {400, "agent", "15"}, {400, "clerk", "30"},
	} {
		got, ok := r.At(LabourHour, c.role, "USD", when, Position{Stream: Orders, Offset: c.offset})
		if !ok || got.String() != c.want {
			t.Errorf("an event at %d finds %s (%t) for %s, not %s", c.offset, got, ok, c.role, c.want)
		}
	}
	if _, ok := r.At(LabourHour, "*", "USD", when.AddDate(-1, 0, 0), Position{Stream: Orders, Offset: 500}); ok {
		t.Error("before the first effective_from there is no rate")
	}
}

// TestAClosedMonthStaysClosed: a late event is posted to the first month that was open when it was recorded.
func TestAClosedMonthStaysClosed(t *testing.T) {
	p := NewPeriods(time.UTC)
	month, err := ParsePeriod("2026-01")
	if err != nil {
		t.Fatal(err)
	}
	at := func(orders int64) map[Partition]int64 { return map[Partition]int64{{Orders, 0}: orders} }
	p.apply(&Event{Source: "s", ID: "1", Data: &PeriodClosed{month}}, Mark{Offset: 0, Time: when, Ends: at(100)})
	p.apply(&Event{Source: "s", ID: "2", Data: &PeriodClosed{month + 1}}, Mark{Offset: 1, Time: when, Ends: at(200)})
	p.apply(&Event{Source: "s", ID: "3", Data: &PeriodReopened{month}}, Mark{Offset: 2, Time: when, Ends: at(300)})
	for offset, want := range map[int64]string{99: "2026-01", 100: "2026-02", 199: "2026-02", 200: "2026-03",
		300: "2026-01"} {
		posting, origin := p.Posting(when, Position{Stream: Orders, Offset: offset})
		if posting.String() != want || origin != month {
			t.Errorf("at %d it is posted to %s with origin %s, not to %s", offset, posting, origin, want)
		}
	}
	// A clock that is wrong can't put a record before a close that it came after.
	if got := p.RecordedAt(Position{Stream: Orders, Offset: 150, Time: when.AddDate(-1, 0, 0)}); !got.After(when) {
		t.Errorf("recorded at %s, which is not after the close", got)
	}
	if got := p.RecordedAt(Position{Stream: Orders, Offset: 50, Time: when.AddDate(-1, 0, 0)}); !got.Equal(
		when.AddDate(-1, 0, 0),
	) {
		t.Errorf("recorded at %s: before every close, the record's own time stands", got)
	}
}
