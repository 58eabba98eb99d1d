package domain

import (
	"testing"
	"time"
)

// rebuiltUnit is the sale, ten minutes of somebody for whom there is no rate, in the log from 0 on, and a rate for
// them that is recorded after both. closed: the month is closed between. The rebuild comes last.
func rebuiltUnit(closed, closedPeriods bool) (*Terms, []Recorded, Recorded) {
	events := asEvents(
		[]told{
			{data: sale},
			{minute: 1, errorID: "c", data: &LabourSpent{LabourID: "l", Role: "driver", Minutes: d("60")}},
		},
	)
	closeAt := -1
	if closed {
		closeAt = 2
	}
	terms, all := recorded(events, []int{0, 1}, closeAt)
	ends := map[Partition]int64{{Orders, 0}: 2}
	terms.Apply(
		rateEvent("9", LabourHour, "driver", "30", "USD", when.AddDate(-1, 0, 0)),
		Mark{Offset: 20, Time: when.Add(2 * time.Hour), Ends: ends},
	)
	rebuilt := &Event{
		Source:  "makegood",
		ID:      "rebuild",
		Type:    TypeBooksRebuilt,
		Time:    when.Add(3 * time.Hour),
		OrderID: "o1",
		Data:    &BooksRebuilt{RebuildID: "r", ClosedPeriods: closedPeriods},
	}
	terms.Apply(rebuilt, Mark{Offset: 21, Time: rebuilt.Time, Ends: ends})
	return terms, all, Recorded{
		Event:      rebuilt,
		At:         Position{Stream: Books, Offset: 21, Time: rebuilt.Time},
		RecordedAt: rebuilt.Time,
	}
}

// TestARebuildPricesItsOwnEpoch: entries are made again with the rates that are known at the rebuild.
func TestARebuildPricesItsOwnEpoch(t *testing.T) {
	terms, all, _ := rebuiltUnit(false, false)
	s, err := terms.Settle(all)
	if err != nil {
		t.Fatal(err)
	}
	if got := inWords(s.Events[1].Lines); got != "5300 30.0000 IMPUTED LABOUR, 6900 -30.0000 IMPUTED" ||
		len(s.Events[1].Unpriced) > 0 {
		t.Errorf("%s %v", got, s.Events[1].Unpriced)
	}
}

// TestARebuildOfClosedEpochs is an entry of its own; what the close saw stays.
func TestARebuildOfClosedEpochs(t *testing.T) {
	terms, all, rebuild := rebuiltUnit(true, false)
	s, err := terms.Settle(all)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Events[1].Lines) > 0 || len(s.Events[1].Unpriced) != 1 {
		t.Errorf("closed, and not rebuilt: %s %v", inWords(s.Events[1].Lines), s.Events[1].Unpriced)
	}
	if s, err = terms.Settle(append(all, rebuild)); err != nil || len(s.Events[2].Lines) > 0 {
		t.Errorf("a rebuild that leaves closed months posts %s, %v", inWords(s.Events[2].Lines), err)
	}
	terms, all, rebuild = rebuiltUnit(true, true)
	if s, err = terms.Settle(append(all, rebuild)); err != nil {
		t.Fatal(err)
	}
	if len(s.Events[1].Lines) > 0 || len(s.Events[1].Unpriced) > 0 {
		t.Errorf("closed, and rebuilt: %s %v", inWords(s.Events[1].Lines), s.Events[1].Unpriced)
	}
	if got := inWords(s.Events[2].Lines); got != "5300 30.0000 IMPUTED LABOUR, 6900 -30.0000 IMPUTED" {
		t.Errorf("the rebuild posts %s", got)
	}
	if l := s.Events[2].Lines[0]; l.Case != "c" || l.Store != "s1" || l.Currency != "USD" || l.Step != Fix {
		t.Errorf("of %+v", l)
	}
}

// TestWhatOtherRulesPostedIsKept, and a rebuild of closed epochs brings the books to the position.
func TestWhatOtherRulesPostedIsKept(t *testing.T) {
	events := asEvents(
		[]told{
			{data: sale},
			{minute: 1, errorID: "c", data: report("missing_item", "")},
			{minute: 50_000, errorID: "c", data: sent("r")},
			{minute: 50_001, data: &BooksRebuilt{RebuildID: "r", ClosedPeriods: true}},
		},
	)
	terms, all := recorded(events, []int{0, 1, 2, 3}, 2)
	all[3].At = Position{Stream: Books, Offset: 30}
	all[1].Keeps = true
	all[1].Kept = []Line{
		{Account: Inventory, Basis: Accrued, Amount: 60_0000},
		{Account: ReplacementGoods, Element: Goods, Basis: Accrued, Amount: -60_0000},
	}
	s, err := terms.Settle(all)
	if err != nil {
		t.Fatal(err)
	}
	if got := inWords(s.Events[1].Lines); got != "1200 60.0000 ACCRUED, 5100 -60.0000 ACCRUED GOODS" {
		t.Errorf("kept: %s", got)
	}
	if got := inWords(s.Events[2].Lines); got != "2410 60.0000 ACCRUED, 1200 -60.0000 ACCRUED" {
		t.Errorf("sent: %s", got)
	}
	if got := inWords(s.Events[3].Lines); got != "5100 60.0000 ACCRUED GOODS, 2410 -60.0000 ACCRUED" {
		t.Errorf("rebuilt: %s", got)
	}
	if b := sumUp(s); b.net != 0 || b.byAccount[GoodsOwed] != 0 || b.byAccount[Inventory].String() != "-60.0000" {
		t.Errorf("net %s, owed %s, inventory %s", b.net, b.byAccount[GoodsOwed], b.byAccount[Inventory])
	}
}
