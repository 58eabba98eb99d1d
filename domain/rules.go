package domain

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"sync"
	"time"
)

// PostingRules identifies the rules that Settle follows: a fingerprint of what they make of units that touch every
// row of the contract's tables, with rates and without. What other rules posted, a rebuild settles again; nobody has
// to remember to say that they changed. It is never 0.
func PostingRules() uint32 { return postingRules() }

var postingRules = sync.OnceValue(func() uint32 {
	hash := fnv.New32a()
	put := func(n ...int64) {
		for _, n := range n {
			hash.Write(binary.LittleEndian.AppendUint64(nil, uint64(n))) // never fails
		}
	}
	text := func(s string) {
		hash.Write([]byte(s))
		put(int64(len(s)))
	}
	for _, rates := range []*Rates{probeRates(), NewRates()} {
		for _, told := range slices.Concat(probeUnits(), probeSaid()) {
			s, err := settleProbe(rates, told)
			if err != nil {
				put(-1)
				continue
			}
			for i := range s.Events {
				e := &s.Events[i]
				put(int64(len(e.Lines)), int64(e.Standing))
				if e.Rated {
					put(-2)
				}
				for _, l := range e.Lines {
					put(int64(l.Account), int64(l.Element), int64(l.Basis), int64(l.Amount), int64(l.Step))
					text(l.Case)
					text(l.Store)
					text(l.Order)
				}
				for _, name := range e.Unpriced {
					text(name)
				}
				for _, c := range e.Cases {
					text(c.Case + c.Kind)
					text(c.Order)
					put(int64(said(c.Founded)), int64(said(c.Gone)))
				}
			}
			for _, f := range s.Flags {
				text(f.Code)
				put(int64(f.Amount))
			}
		}
	}
	return max(hash.Sum32(), 1)
})

// settleProbe settles a unit of probes: each a minute after the other, in the order in which they are told.
func settleProbe(rates *Rates, told []Data) (*Settlement, error) {
	t := NewTerms(time.UTC)
	t.Rates = rates
	t.Apply(&Event{Source: "probe", ID: "close", Data: &PeriodClosed{PeriodOf(probed, time.UTC)}},
		Mark{Offset: 150, Time: probed.Add(time.Hour)})
	events := make([]Recorded, len(told))
	for i, d := range told {
		e := &Event{
			Source:   "probe",
			ID:       probeID(i),
			Type:     TypeOf(d),
			Time:     probed.Add(time.Duration(i) * time.Minute),
			OrderID:  "o",
			StoreID:  "s",
			ErrorID:  "e",
			Currency: "EUR",
			Data:     d,
		}
		switch d {
		case probeForeign, probeDollars:
			e.Currency = "USD"
		case probeMissing, probeSent, probeTells, probePays:
			e.ErrorID = "second"
		case probeOwn, probeOpened:
			e.ErrorID, e.StoreID = "", "owns"
		case probeOfOwn:
			e.ErrorID = "own"
		}
		if e.Type.Stream() == Orders {
			e.ErrorID, e.StoreID = "", "sells"
		}
		at := Position{Stream: Books, Offset: 100}
		switch d {
		case probeLate, probeTells, probeDollars, probeDecides, probePays:
			e.Time, at.Offset = probed.Add(time.Second), 160
		}
		events[i] = Recorded{Event: e, At: at}
	}
	return t.Settle(events)
}

func probeID(i int) string { return string(rune('0'+i/10)) + string(rune('0'+i%10)) }

// probeUnits are the units that tell one set of rules from another: every probe alone, after a wrong item, after a
// missing one, and what several events make together.
func probeUnits() [][]Data {
	sale := &OrderPlaced{Lines: probeLines, PaymentFee: probeC}
	wrong := &ErrorReported{Classification: Classification{Kind: KindWrongItem}, Lines: []ErrorLine{
		{
			SKU:              "known",
			Quantity:         2_000_000,
			ReceivedSKU:      "stray",
			ReceivedQuantity: Some(1_000_000),
			ReceivedUnitCost: Some(probeC),
		}}}
	missing := &ErrorReported{
		Classification: Classification{Kind: KindMissingItem},
		Lines:          []ErrorLine{{SKU: "known", Quantity: 1_000_000}},
	}
	before := *wrong
	before.Found = FoundBeforeDelivery
	sent := &RedeliveryDispatched{RedeliveryID: "1", Lines: probeGoods}
	failed := &RedeliveryCompleted{RedeliveryID: "1", CarrierCharge: probeC}
	cancelled := &OrderCancelled{By: ByBusiness}
	back := probeReturn(WasSold, GradeSaleable)
	refund := &RefundIssued{RefundID: "r", Net: probeA, Tax: probeB}
	voucher := &ConcessionGranted{ConcessionID: "1", Kind: ConcessionVoucher, Amount: probeA}
	opened := &DisputeOpened{DisputeID: "1", Amount: probeA, Fee: probeB}
	over := &ErrorReported{Classification: Classification{Kind: KindOverShipped}, Lines: []ErrorLine{
		{SKU: "known", Quantity: 1_000_000, ReceivedQuantity: Some(4_000_000), ReceivedUnitCost: Some(probeB)}}}
	stray := &ReturnReceived{ReturnID: "1", Lines: []ReturnLine{
		{GoodsLine: GoodsLine{SKU: "known", Quantity: 2_000_000}, Was: WasWrongItem, Grade: GradeSaleable}}}
	var units [][]Data
	for _, d := range probes() {
		units = append(units, []Data{d}, []Data{sale, wrong, d}, []Data{sale, missing, sent, refund, d},
			[]Data{sale, cancelled, d})
	}
	return append(
		units,
		[]Data{wrong, back},
		[]Data{missing, back},
		[]Data{sale, &ErrorReported{Classification: Classification{Kind: KindWrongItem}}, refund},
		[]Data{sale, &before, sent},
		[]Data{sale, &before, sent, back},
		[]Data{sale, missing, sent, probeMissing, probeSent},
		[]Data{sale, missing, probeMissing, sent, probeSent},
		[]Data{sale, back, probeLate},
		[]Data{&ErrorClassified{}, sent, probeDollars},
		[]Data{sale, probeOwn, back},
		[]Data{sale, probeOpened, back, &DisputeLost{DisputeID: "own", Amount: probeA}},
		[]Data{sale, missing, probeMissing, probeOwn, probeOfOwn},
		[]Data{sale, wrong, sent, failed},
		[]Data{sale, wrong, sent, failed, sent},
		[]Data{
			sale,
			wrong,
			&OrderChanged{
				By:         ByCustomer,
				LinesAdded: []OrderLine{{LineID: "9", SKU: "stray", Quantity: 1_000_000, UnitPrice: probeA}},
			},
		},
		[]Data{sale, wrong, &ErrorRejected{}, back},
		[]Data{sale, over, back},
		[]Data{sale, over, probeReturn(WasSold, GradeB)},
		[]Data{
			sale,
			missing,
			&RefundIssued{RefundID: "r", Net: 60_000_000},
		},
		[]Data{sale, missing, &DisputeLost{DisputeID: "1", Amount: 60_000_000}},
		[]Data{sale, cancelled, cancelled},
		[]Data{
			&OrderPlaced{Lines: probeHalves},
			&OrderChanged{By: ByCustomer, LinesAdded: probeHalves},
			&OrderCancelled{By: ByCustomer},
		},
		[]Data{
			sale,
			&OrderCancelled{By: ByCustomer, ChangeID: "1", Net: Some(probeC)},
			cancelled,
		},
		[]Data{
			sale,
			probeReturn(WasWrongItem, GradeSaleable),
			back,
			&RedeliveryDispatched{RedeliveryID: "1", Lines: []GoodsLine{{SKU: "known", Quantity: 1_000_000}}},
		},
		[]Data{sale, over, stray},
		[]Data{probePlain, probeOff, probeTold},
		[]Data{probePlain, probeOff, back, probeTold},
		[]Data{probePlain, probeOff, probeTold, probeTells},
		[]Data{sale, probeForeign},
		[]Data{sale, probeForeign, &FactDecided{Source: "probe", ID: probeID(1), Counts: Yes}},
		[]Data{sale, sale},
		[]Data{sale, refund, refund, &RefundIssued{RefundID: "r", Net: probeC}},
		[]Data{sale, refund, &RefundIssued{RefundID: "r", Net: probeC},
			&FactDecided{Source: "probe", ID: probeID(2), Counts: Yes}, probeDecides},
		[]Data{
			sale,
			refund,
			&EventVoided{Source: "probe", ID: probeID(1), Original: &Event{Data: refund}},
			&FactDecided{Source: "probe", ID: probeID(0), Counts: No},
		},
		[]Data{
			voucher,
			&VoucherRedeemed{ConcessionID: "1", Amount: probeB},
			&VoucherExpired{ConcessionID: "1", Amount: probeC},
		},
		[]Data{
			&RefundIssued{RefundID: "1", Net: probeA, Method: MethodStoreCredit},
			&VoucherRedeemed{ConcessionID: "1", Amount: probeB},
			&VoucherExpired{ConcessionID: "1", Amount: probeC},
		},
		[]Data{opened, &DisputeWon{DisputeID: "1", Amount: probeA, FeeReturned: probeC}},
		[]Data{opened, &DisputeLost{DisputeID: "1", Amount: probeC}},
		[]Data{
			&ClaimAccepted{ClaimID: "1", Amount: probeA},
			&ClaimSettled{ClaimID: "1", Amount: probeC},
			&ClaimClosed{ClaimID: "1"},
		},
		[]Data{
			sale,
			back,
			&ReturnReceived{ReturnID: "2", Lines: []ReturnLine{{GoodsLine: probeGoods[0], Was: WasSold, Grade: GradeScrap}}},
		},
		[]Data{
			voucher,
			&VoucherRedeemed{ConcessionID: "1", Amount: probeA},
			&VoucherExpired{ConcessionID: "1", Amount: probeC},
		},
		[]Data{&ClaimAccepted{ClaimID: "1", Amount: probeC}, &ClaimSettled{ClaimID: "1", Amount: probeA}},
		[]Data{&ClaimFiled{ClaimID: "1", Amount: probeC}, &ClaimSettled{ClaimID: "1", Amount: probeA}},
	)
}

// probeSaid are units in which people decide: that a dispute is two, and against the void of a decision. In the first
// one a claim is paid in another case.
func probeSaid() [][]Data {
	against := func(n int) Data { return &FactDecided{Source: "probe", ID: probeID(n), Counts: No} }
	return [][]Data{
		{&ClaimAccepted{ClaimID: "1", Amount: probeC}, &LabourSpent{}, probePays},
		{&DisputeOpened{DisputeID: "1", Amount: probeA}, &DisputeOpened{DisputeID: "1", Amount: probeC},
			&FactDecided{Source: "probe", ID: probeID(1), Separate: true}},
		{&RefundIssued{RefundID: "r", Net: probeA}, against(0),
			&EventVoided{Source: "probe", ID: probeID(1), Original: &Event{Data: &FactDecided{}}}, against(2)},
	}
}

// probeHalves is a line whose amounts are just between two.
var probeHalves = []OrderLine{{LineID: "h", SKU: "half", Quantity: 1_000_000, UnitPrice: 10_000_050,
	UnitCost: Some(5_000_050)}}

var (
	// Of two lines the second is taken off, and a refund tells of that.
	probePlain Data = &OrderPlaced{Lines: []OrderLine{
		{LineID: "1", SKU: "known", Quantity: 1_000_000, UnitPrice: 100_000_000},
		{LineID: "2", SKU: "other", Quantity: 1_000_000, UnitPrice: 20_000_000},
	}}
	probeOff  Data = &OrderChanged{By: ByBusiness, LinesRemoved: []RemovedLine{{LineID: "2", Quantity: 1_000_000}}}
	probeTold Data = &RefundIssued{RefundID: "r", Net: 20_000_000}
	// probeForeign is in another currency than its order.
	probeForeign Data = &OrderChanged{By: ByCustomer, LinesRemoved: []RemovedLine{{LineID: "1", Quantity: 1_000_000}}}
	// probeMissing and probeSent are of a second case.
	probeMissing Data = &ErrorReported{Classification: Classification{Kind: KindMissingItem},
		Lines: []ErrorLine{{SKU: "known", Quantity: 1_000_000}}}
	probeSent Data = &RedeliveryDispatched{RedeliveryID: "2", Lines: probeGoods}
	// probeOpened and probeOwn name no case; probeOfOwn is said of the one that probeOwn makes.
	probeOpened Data = &DisputeOpened{DisputeID: "own", Amount: probeA}
	probeOwn    Data = &RefundIssued{RefundID: "own", Net: probeA}
	probeOfOwn  Data = &ErrorRejected{Reason: "x"}
	// These happened before all but the first, and were recorded after a close. probeTells and probePays are of a second
	// case.
	probeLate Data = &ReturnReceived{ReturnID: "2", Lines: []ReturnLine{
		{GoodsLine: GoodsLine{SKU: "known", Quantity: 2_000_000}, Was: WasSold, Grade: GradeScrap}}}
	probeTells   Data = &RefundIssued{RefundID: "2", Net: 20_000_000}
	probeDollars Data = &RedeliveryDispatched{RedeliveryID: "2", Lines: probeGoods}
	probePays    Data = &ClaimSettled{ClaimID: "1", Amount: probeA}
	probeDecides Data = &FactDecided{Source: "probe", ID: "01", Counts: Yes}
)

var probed = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// probeRates are rates of every kind: for a key, for any, from another day on, in another currency, of two alike the
// later, too late, and void.
func probeRates() *Rates {
	r := NewRates()
	offset := int64(0)
	set := func(name, key, currency string, value Decimal, days int) {
		id := string(rune('a' + offset))
		r.apply(
			&Event{
				ID:       id,
				Currency: currency,
				Data:     &RateSet{Rate: name, Key: key, Value: value, EffectiveFrom: probed.AddDate(0, 0, days)},
			},
			Mark{Offset: offset},
		)
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
	r.apply(
		&Event{ID: "of", Data: &EventVoided{ID: string(rune('a' + offset - 1)), Original: &Event{Data: &RateSet{}}}},
		Mark{Offset: offset},
	)
	offset = 200
	set(LabourHour, anyKey, "EUR", 9_000_000, -1)
	return r
}
