package domain

import (
	"fmt"
	"testing"
	"time"
)

// told is an event of a test: who said it, how many minutes after the order it happened, of which case, and what it
// says.
type told struct {
	source  string
	minute  int
	errorID string
	data    Data
}

// asEvents makes events of order o1 in USD of store s1.
func asEvents(all []told) []*Event {
	events := make([]*Event, len(all))
	for i, s := range all {
		source := s.source
		if source == "" {
			source = "till"
		}
		events[i] = &Event{
			Source:   source,
			ID:       fmt.Sprint("e", i),
			Time:     when.Add(time.Duration(s.minute) * time.Minute),
			OrderID:  "o1",
			StoreID:  "s1",
			ErrorID:  s.errorID,
			Currency: "USD",
			Data:     s.data,
		}
	}
	return events
}

// recorded puts events into the log in an order of arrival. closeAt says before which of them the month is closed;
// none for -1.
func recorded(events []*Event, arrival []int, closeAt int) (*Terms, []Recorded) {
	terms := NewTerms(time.UTC)
	for i, e := range []*Event{
		rateEvent("1", FleetHour, "*", "60.20", "USD", when.AddDate(-1, 0, 0)), rateEvent("2", FleetKM, "*", "0.5", "USD",
			when.AddDate(-1, 0, 0)),
		rateEvent("3", LabourHour, "agent", "34", "USD", when.AddDate(-1, 0, 0)), rateEvent("4", LabourHour, "inspector",
			"30", "USD", when.AddDate(-1, 0, 0)),
		rateEvent("5", VoucherRedemption, "*", "0.8", "", when.AddDate(-1, 0, 0)),
	} {
		terms.Apply(e, Mark{Offset: int64(i), Ends: map[Partition]int64{}})
	}
	if closeAt >= 0 {
		terms.Apply(&Event{Source: "s", ID: "close", Data: &PeriodClosed{PeriodOf(when, time.UTC)}},
			Mark{Offset: 10, Time: when.Add(time.Hour), Ends: map[Partition]int64{{Orders, 0}: int64(closeAt)}})
	}
	all := make([]Recorded, len(arrival))
	for n, i := range arrival {
		at := Position{Stream: Orders, Offset: int64(n), Time: when.Add(time.Duration(n) * time.Hour)}
		all[n] = Recorded{Event: events[i], At: at, RecordedAt: at.Time}
	}
	return terms, all
}

// books are sums of a settlement.
type books struct {
	byAccount                                                          map[Account]Amount
	contribution, perfect, changes, net, gross, changedMind, unfounded Amount
}

// sumUp adds the entries of a settlement up, with the cases as they are in the end.
func sumUp(s *Settlement) books {
	b := books{byAccount: map[Account]Amount{}}
	cases := map[string]CaseFacts{}
	for _, c := range s.Cases {
		cases[c.Case] = c
	}
	for i := range s.Events {
		for _, l := range s.Events[i].Lines {
			b.byAccount[l.Account] += l.Amount
			if l.Account.ProfitAndLoss() {
				b.contribution -= l.Amount
			}
			if l.Account.ProfitAndLoss() && l.Step == Perfect {
				b.perfect -= l.Amount
			}
			if l.Account.ProfitAndLoss() && l.Step == Change && l.Element == NoElement {
				b.changes -= l.Amount
			}
			c, known := cases[l.Case]
			switch {
			case l.Element == NoElement:
			case known && c.Kind == "changed_mind":
				b.changedMind += l.Amount
			case known && !c.Founded && c.SameAs == "":
				b.unfounded += l.Amount
			default:
				b.net += l.Amount
				if l.Element != Recovery && l.Element != SalvageElement {
					b.gross += l.Amount
				}
			}
		}
	}
	return b
}

var sale = &OrderPlaced{
	Lines: []OrderLine{
		{LineID: "1", SKU: "p", Quantity: piece, UnitPrice: d("100"), Tax: d("8"), UnitCost: Some(d("60"))},
	},
	PaymentFee: d("3.43"),
}

func TestTheTruck(t *testing.T) {
	events := asEvents(truckStory)
	terms, all := recorded(events, []int{0, 1, 2, 3, 4, 5, 6, 7}, -1)
	s, err := terms.Settle(all)
	if err != nil {
		t.Fatal(err)
	}
	b := sumUp(s)
	if b.perfect != 36_5700*1 || b.gross != 88_3500 || b.net != 63_3500 || b.contribution != -26_7800 {
		t.Errorf("perfect %s, gross %s, net %s, contribution %s", b.perfect, b.gross, b.net, b.contribution)
		for i := range s.Events {
			t.Log(s.Events[i].Standing, inWords(s.Events[i].Lines))
		}
	}
	t.Log(s.Cases, s.Flags)
}

// truckStory is the golden case of the contract's §6.
var truckStory = []told{
	{data: sale},
	{
		minute:  1,
		errorID: "c1",
		data: &ErrorReported{Classification: Classification{Kind: "wrong_item"}, Found: "after_delivery",
			Lines: []ErrorLine{
				{SKU: "p", Quantity: piece, UnitCost: Some(d("60")), ReceivedSKU: "q", ReceivedUnitCost: Some(d("55"))},
			}},
	},
	{
		minute:  2,
		errorID: "c1",
		data:    &RedeliveryDispatched{RedeliveryID: "r", Mode: "own_truck", Lines: goodsLines("1", "60")},
	},
	{
		minute:  3,
		errorID: "c1",
		data: &RedeliveryCompleted{
			RedeliveryID: "r",
			Succeeded:    true,
			DriveMinutes: d("30"),
			SiteMinutes:  d("15"),
			DistanceKM:   d("24"),
			Stops:        1,
		},
	},
	{minute: 4, errorID: "c1", data: &LabourSpent{LabourID: "l", Role: "agent", Minutes: d("18")}},
	{minute: 5, errorID: "c1", data: &ConcessionGranted{ConcessionID: "v", Kind: "voucher", Amount: d("10")}},
	{minute: 6, errorID: "c1", data: &ReturnReceived{ReturnID: "b", InspectRole: "inspector", InspectMinutes: d("6"),
		Lines: []ReturnLine{
			{
				GoodsLine: GoodsLine{SKU: "q", Quantity: piece, UnitCost: Some(d("55"))},
				Was:       "wrong_item",
				Grade:     "b_grade",
				NRV:       Some(d("45")),
			},
		}}},
	{minute: 7, errorID: "c1", data: &ClaimAccepted{ClaimID: "k", Party: "supplier", Amount: d("25")}},
}
