package domain

import (
	"encoding/binary"
	"hash/fnv"
	"sync"
	"time"
)

// PostingRules identifies the rules that Post follows: a fingerprint of what they make of events that touch every line of
// the posting table, with rates and without. What other rules posted, a rebuild posts anew; nobody has to remember to say
// that they changed. It is never 0.
func PostingRules() uint32 { return postingRules() }

var postingRules = sync.OnceValue(func() uint32 {
	sum := fnv.New32a()
	put := func(n ...int64) {
		for _, n := range n {
			sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(n))) // never fails
		}
	}
	var entry Entry
	for _, rates := range []*Rates{probeRates(), NewRates()} {
		for _, d := range probes() {
			e := &Event{Currency: "EUR", Time: probed, OrderID: "o", ErrorID: "e", Data: d}
			if err := Post(e, rates, Position{Stream: Books, Offset: 100}, &entry); err != nil {
				put(-1)
				continue
			}
			put(int64(len(entry.Lines)), int64(len(entry.Unpriced)))
			if entry.Rated {
				put(-2)
			}
			for _, l := range entry.Lines {
				put(int64(l.Account), int64(l.Element), int64(l.Basis), int64(l.Amount))
			}
			for _, name := range entry.Unpriced {
				sum.Write([]byte(name))
			}
		}
	}
	return max(sum.Sum32(), 1)
})

var probed = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// probeRates are rates of every kind: for a key, for any, from another day on, in another currency, of two alike the later,
// too late, and void.
func probeRates() *Rates {
	r := NewRates()
	offset := int64(0)
	set := func(name, key, currency string, value Decimal, days int) {
		id := string(rune('a' + offset))
		r.apply(&Event{ID: id, Currency: currency, Data: &RateSet{Rate: name, Key: key, Value: value, EffectiveFrom: probed.AddDate(0, 0, days)}}, Mark{Offset: offset})
		offset++
	}
	for i, name := range RateNames() {
		value := Decimal(i+1) * 123_457
		set(name, anyKey, "EUR", value, -30)
		set(name, anyKey, "EUR", value+11, -10)
		set(name, anyKey, "EUR", value+23, 10)
		set(name, "known", "EUR", value+31, -20)
		set(name, "known", "EUR", value+37, -20)
		set(name, "known", "USD", value+41, -1)
	}
	set(LabourHour, "void", "EUR", 7_000_000, -1)
	r.apply(&Event{ID: "of", Data: &EventVoided{ID: string(rune('a' + offset - 1)), Original: &Event{Data: &RateSet{}}}}, Mark{Offset: offset})
	offset = 200
	set(LabourHour, anyKey, "EUR", 9_000_000, -1)
	return r
}

// probes are events of every type that posts, with every choice that the table makes.
func probes() []Data {
	const a, b, c = 17_330_000, 3_070_000, 1_234_567 // amounts of two decimals, and of more than an entry keeps
	cost := Some(b + 1)
	ordered := []OrderLine{{SKU: "known", Quantity: 3_000_000, UnitPrice: a, Discount: b, Tax: c, UnitCost: cost}, {SKU: "other", Quantity: 1_500_000, UnitPrice: c}}
	goods := []GoodsLine{{SKU: "known", Quantity: 2_500_000, UnitCost: cost}, {SKU: "other", Quantity: 1_000_000}}
	all := []Data{
		&OrderPlaced{Lines: ordered[:1], DeliveryFee: b, DeliveryTax: 410_000, PaymentFee: c},
		&OrderPlaced{Lines: ordered},
		&OrderCancelled{By: "customer", Net: Some(a), Tax: Some(b), Cost: Some(c)},
		&OrderCancelled{By: "business", Net: Some(a), Tax: Some(b), Cost: Some(c)},
		&GoodsScrapped{Lines: goods},
		&RedeliveryDispatched{Mode: "own_truck", Lines: goods},
		&RedeliveryDispatched{Mode: "carrier", Lines: goods[:1], CarrierCharge: c},
		&RedeliveryCompleted{Succeeded: true, Vehicle: "known", DriveMinutes: 30_000_000, SiteMinutes: 15_000_000, WaitMinutes: 7_000_000, DistanceKM: 24_100_000, Stops: 3},
		&RedeliveryCompleted{Vehicle: "other", DriveMinutes: 1_000_000},
		&RedeliveryCompleted{Vehicle: "other", DistanceKM: 5_000_000, Stops: 1, CarrierCharge: a},
		&LabourSpent{Role: "known", Minutes: 18_000_000}, &LabourSpent{Role: "other", Minutes: 7_500_000}, &LabourSpent{Role: "void", Minutes: 1_000_000}, &LabourSpent{Role: "known"},
		&RefundIssued{Net: a, Tax: b}, &RefundIssued{Net: a},
		&VoucherRedeemed{Amount: a}, &VoucherExpired{Amount: a},
		&ReturnReceived{FreightCharge: c, InspectMinutes: 6_000_000, InspectRole: "known"},
		&SalvageSold{Amount: a},
		&DisputeOpened{Amount: a, Fee: b}, &DisputeOpened{Amount: a}, &DisputeWon{Amount: a}, &DisputeLost{Amount: a},
		&MarketplaceCharged{Amount: a}, &ClaimAccepted{Amount: a}, &ClaimSettled{Amount: a},
		&QualitySpent{Category: "prevention", Amount: a}, &QualitySpent{Category: "appraisal", Amount: a},
		&EventVoided{Original: &Event{Currency: "EUR", Time: probed, Data: &LabourSpent{Role: "known", Minutes: 11_000_000}}},
	}
	for _, kind := range []string{"wrong_item", "missing_item", "damaged", "defective", "over_shipped", "late", "not_delivered", "wrong_address", "not_as_described",
		"billing_error", "credit_not_processed", "document_error", "service_conduct", "unspecified", "changed_mind"} {
		all = append(all, &ErrorReported{Classification: Classification{Kind: kind}, Lines: []ErrorLine{
			{SKU: "known", Quantity: 2_000_000, UnitCost: cost, ReceivedSKU: "other", ReceivedUnitCost: Some(c)},
			{SKU: "other", Quantity: 1_000_000, ReceivedSKU: "known", ReceivedQuantity: Some(2_000_000)},
			{SKU: "known", Quantity: 1_000_000, UnitCost: cost}}})
	}
	for _, kind := range []string{"discount", "price_reduction", "cash", "fee_waiver", "voucher", "store_credit"} {
		all = append(all, &ConcessionGranted{Kind: kind, Amount: a, Tax: b})
	}
	for _, was := range []string{"wrong_item", "sold"} {
		for _, grade := range []string{"saleable", "b_grade", "scrap", "abandoned"} {
			for i := range goods {
				all = append(all, &ReturnReceived{Lines: []ReturnLine{{GoodsLine: goods[i], Was: was, Grade: grade, NRV: Some(1_500_000)}}})
			}
		}
	}
	return all
}
