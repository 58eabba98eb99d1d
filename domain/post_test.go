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

// TestAMissingRateIsSaid, and posts nothing.
func TestAMissingRateIsSaid(t *testing.T) {
	for _, c := range []struct {
		data    Data
		missing string
	}{
		{&LabourSpent{LabourID: "l", Role: "agent", Minutes: piece}, "labour_hour:agent"},
		{&RedeliveryCompleted{DriveMinutes: piece, Stops: 1, Vehicle: "v1"}, "fleet_hour:v1"},
		{&RedeliveryCompleted{DistanceKM: piece, Stops: 1}, "fleet_km:"},
		{&ConcessionGranted{ConcessionID: "c", Kind: "voucher", Amount: piece}, "voucher_redemption:voucher"},
		{&GoodsScrapped{Lines: []GoodsLine{{SKU: "x", Quantity: piece}}}, "item_cost:x"},
		{&RedeliveryDispatched{RedeliveryID: "r", Lines: []GoodsLine{{SKU: "x", Quantity: piece}}}, "item_cost:x"},
		{&OrderPlaced{Lines: []OrderLine{{SKU: "x", Quantity: piece}}}, "item_cost:x"},
	} {
		e := &Event{Time: when, OrderID: "o", ErrorID: "c", Currency: "USD", Data: c.data}
		s, err := NewTerms(time.UTC).Settle([]Recorded{{Event: e}})
		if err != nil {
			t.Fatal(err)
		}
		got := s.Events[0]
		if len(got.Lines) != 0 || len(got.Unpriced) != 1 || got.Unpriced[0] != c.missing || !got.Rated {
			t.Errorf("%T: %+v; want no lines and %s", c.data, got, c.missing)
		}
	}
}

// TestWhatIsSettledIsNotPostedAlone: it is an error, not an empty entry.
func TestWhatIsSettledIsNotPostedAlone(t *testing.T) {
	var entry Entry
	for _, e := range []*Event{{Data: &RefundIssued{Net: piece}}, {ErrorID: "c", Data: &OrderPlaced{}}} {
		if Alone(e) || Post(e, NewRates(), Position{}, &entry) == nil {
			t.Errorf("%T is posted alone", e.Data)
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
