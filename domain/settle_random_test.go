package domain

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// randomUnit draws what may be said of an order: with doubles, contradictions, voids, edits and decisions.
type randomUnit struct {
	*rand.Rand
	events []*Event
}

func (r *randomUnit) one(of ...string) string { return of[r.IntN(len(of))] }
func (r *randomUnit) money() Decimal          { return Decimal(r.IntN(12_000)) * 10_000 / 3 * 100 / 100 }
func (r *randomUnit) pieces() Decimal         { return Decimal(1+r.IntN(3)) * piece }
func (r *randomUnit) some(d Decimal) Optional {
	return Optional{Value: d, Set: r.IntN(2) == 0}
}
func (r *randomUnit) cents() Decimal { return r.money() / 100 * 100 }

func (r *randomUnit) goods() []GoodsLine {
	return []GoodsLine{{SKU: r.one("p", "q", "x"), Quantity: r.pieces(), UnitCost: r.some(r.money())}}
}

func (r *randomUnit) lines() (all []OrderLine) {
	for i := range 1 + r.IntN(3) {
		all = append(
			all,
			OrderLine{
				LineID:    fmt.Sprint(i),
				SKU:       r.one("p", "q", "x"),
				VendorID:  r.one("", "v1", "v2"),
				Kind:      r.one("", "", "", "goods", "service", "gift_card", "tip"),
				Quantity:  r.pieces(),
				UnitPrice: r.money(),
				Tax:       r.cents() / 10 / 100 * 100,
				UnitCost:  r.some(r.money()),
			},
		)
	}
	return all
}

func (r *randomUnit) removed() []RemovedLine {
	return []RemovedLine{{LineID: r.one("0", "1", ""), SKU: r.one("p", "q", "x"), Quantity: r.pieces() / 2}}
}

// said draws the data of an event.
func (r *randomUnit) said() Data {
	id := r.one("1", "2")
	switch r.IntN(31) {
	case 0, 1:
		d := &OrderPlaced{Lines: r.lines(), PaymentFee: r.cents() / 30 / 100 * 100, DeliveryFee: r.cents() / 10 / 100 * 100}
		if r.IntN(3) == 0 {
			d.Tenders = []Tender{{Method: "gift_card", Amount: r.cents() / 10 / 100 * 100}}
		}
		return d
	case 2:
		return &OrderCancelled{
			By:   r.one("customer", "business"),
			Net:  r.some(r.cents()),
			Tax:  r.some(r.cents() / 10 / 100 * 100),
			Cost: r.some(r.cents()),
		}
	case 3:
		return &OrderCancelled{ChangeID: r.one("", "1"), By: r.one("customer", "business"), Lines: r.removed()}
	case 4:
		return &OrderChanged{
			ChangeID:     r.one("", "1"),
			By:           r.one("customer", "business"),
			LinesAdded:   r.lines()[:1],
			LinesRemoved: r.removed(),
		}
	case 5:
		return &OrderCharged{ChargeID: id, Kind: r.one(ChargeKinds()...), Amount: r.cents(), Credit: r.IntN(3) == 0}
	case 6, 7, 8:
		d := &ErrorReported{
			Classification: Classification{
				Kind: r.one("wrong_item", "wrong_item", "missing_item", "over_shipped", "damaged", "unspecified", "changed_mind"),
			},
			Found: r.one("after_delivery", "after_delivery", "before_delivery"),
		}
		for range r.IntN(3) {
			d.Lines = append(
				d.Lines,
				ErrorLine{
					SKU:              r.one("p", "q", "x"),
					Quantity:         r.pieces(),
					UnitCost:         r.some(r.money()),
					ReceivedSKU:      r.one("", "q", "y"),
					ReceivedQuantity: r.some(r.pieces() * 2),
					ReceivedUnitCost: r.some(r.money()),
				},
			)
		}
		return d
	case 9:
		return kindIs(r.one("wrong_item", "damaged", "missing_item", "changed_mind", ""))
	case 10:
		return &ErrorClassified{SameAs: r.one("c1", "c2", "c3")}
	case 11:
		return &ErrorRejected{}
	case 12:
		return &GoodsScrapped{ScrapID: r.one("", "1"), Lines: r.goods()}
	case 13, 14, 15:
		return &RedeliveryDispatched{RedeliveryID: id, Lines: r.goods(), CarrierCharge: r.cents() / 10 / 100 * 100}
	}
	return r.saidOfMoney(id)
}

// saidOfMoney draws the data of an event that is about money more than about goods.
func (r *randomUnit) saidOfMoney(id string) Data {
	switch 16 + r.IntN(15) {
	case 16:
		return &RedeliveryCompleted{
			RedeliveryID: id,
			TripID:       r.one("", "1", "2"),
			Succeeded:    r.IntN(2) == 0,
			DriveMinutes: r.cents(),
			Stops:        int64(1 + r.IntN(3)),
		}
	case 17:
		return &LabourSpent{LabourID: id, Role: r.one("agent", "nobody"), Minutes: r.cents()}
	case 18, 19, 20:
		return &RefundIssued{
			RefundID:      id,
			Method:        r.one("", "card", "gift_card", "store_credit"),
			Net:           r.cents(),
			Tax:           r.cents() / 10 / 100 * 100,
			FeeReturned:   r.cents() / 50 / 100 * 100 * Decimal(r.IntN(2)),
			ReplacesGoods: r.IntN(5) == 0,
		}
	case 21:
		return &ConcessionGranted{ConcessionID: id, Kind: r.one(ConcessionKinds()...), Amount: r.cents()}
	case 22:
		return &VoucherRedeemed{ConcessionID: id, RedemptionID: r.one("", "1"), Amount: r.cents() / 2 / 100 * 100}
	case 23:
		return &VoucherExpired{ConcessionID: id, RedemptionID: r.one("", "1"), Amount: r.cents() / 2 / 100 * 100}
	case 24, 25, 26:
		d := &ReturnReceived{ReturnID: id, FreightCharge: r.cents() / 10 / 100 * 100}
		for range 1 + r.IntN(2) {
			d.Lines = append(
				d.Lines,
				ReturnLine{
					GoodsLine: GoodsLine{SKU: r.one("p", "q", "x", "y"), Quantity: r.pieces(), UnitCost: r.some(r.money())},
					Was:       r.one("wrong_item", "sold"),
					Grade:     r.one(Grades()...),
					NRV:       Some(r.cents()),
				},
			)
		}
		return d
	case 27:
		return &DisputeOpened{DisputeID: id, Amount: r.cents(), Fee: r.cents() / 10 / 100 * 100}
	case 28:
		if r.IntN(2) == 0 {
			return &DisputeWon{DisputeID: id, Amount: r.cents(), FeeReturned: r.cents() / 20 / 100 * 100}
		}
		return &DisputeLost{DisputeID: id, Amount: r.cents(), Tax: Decimal(r.IntN(2)) * piece}
	case 29:
		return &MarketplaceCharged{ChargeID: id, Amount: r.cents(), Tax: r.cents() / 10 / 100 * 100}
	}
	switch r.IntN(4) {
	case 0:
		return &ClaimFiled{ClaimID: id, Party: "carrier", Amount: r.cents()}
	case 1:
		return &ClaimAccepted{ClaimID: id, Party: "carrier", Amount: r.cents()}
	case 2:
		return &ClaimSettled{ClaimID: id, PaymentID: r.one("", "1"), Party: "carrier", Amount: r.cents()}
	}
	return &ClaimClosed{ClaimID: id, Reason: "short_paid"}
}

// draw draws a unit of n events.
func drawUnit(random *rand.Rand, n int) []*Event {
	r := &randomUnit{Rand: random}
	for i := range n {
		e := &Event{
			Source:   r.one("till", "till", "webhook", "erp"),
			ID:       fmt.Sprint(i),
			Time:     when.Add(time.Duration(r.IntN(3*n)) * time.Minute),
			OrderID:  "o1",
			StoreID:  r.one("s1", "s1", "s2"),
			ErrorID:  r.one("c1", "c1", "c2", "c3"),
			Currency: "USD",
		}
		before := len(r.events)
		switch {
		case before > 0 && r.IntN(12) == 0: // said twice, a little differently
			twice := *r.events[r.IntN(before)]
			twice.ID, twice.Source = e.ID, e.Source
			if r.IntN(3) == 0 && twice.ErrorID != "" {
				twice.ErrorID = ""
			}
			e = &twice
		case before > 0 && r.IntN(12) == 0:
			o := r.events[r.IntN(before)]
			e.Data = &EventVoided{Source: o.Source, ID: o.ID, Original: o}
		case before > 0 && r.IntN(20) == 0:
			o := r.events[r.IntN(before)]
			e.Data = &FactDecided{Source: o.Source, ID: o.ID, Counts: Truth(r.IntN(3)), Separate: r.IntN(4) == 0}
		default:
			e.Data = r.said()
		}
		switch e.Data.(type) {
		case *OrderPlaced, *OrderCancelled, *OrderChanged, *OrderCharged:
			e.ErrorID, e.StoreID = "", "s1"
			if r.IntN(8) == 0 {
				e.StoreID = "s2"
			}
		case *RefundIssued, *DisputeOpened, *DisputeLost, *DisputeWon:
			if r.IntN(3) == 0 {
				e.ErrorID = ""
			}
		default:
			if e.ErrorID != "" && r.IntN(40) == 0 {
				e.OrderID = "o2"
			} else if e.ErrorID != "" && r.IntN(20) == 0 {
				e.OrderID = ""
			}
		}
		if r.IntN(25) == 0 {
			e.Currency = "EUR"
		}
		e.Type = TypeOf(e.Data)
		r.events = append(r.events, e)
	}
	return r.events
}
