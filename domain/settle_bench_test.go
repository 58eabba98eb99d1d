package domain

import (
	"fmt"
	"slices"
	"testing"
)

// BenchmarkSettle settles the unit of the golden case: 8 events.
func BenchmarkSettle(b *testing.B) {
	events := asEvents(truckStory)
	terms, all := recorded(events, []int{0, 1, 2, 3, 4, 5, 6, 7}, -1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := terms.Settle(all); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPostAlone posts an order of two lines.
func BenchmarkPostAlone(b *testing.B) {
	terms, _ := recorded(nil, nil, -1)
	e := asEvents([]told{{data: twoLines}})[0]
	var entry Entry
	b.ReportAllocs()
	for b.Loop() {
		if err := Post(e, terms.Rates, Position{Stream: Orders, Offset: 5}, &entry); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSettleMany settles an order with 2,000 events of labour.
func BenchmarkSettleMany(b *testing.B) {
	said := []told{{data: sale}}
	var arrival []int
	for i := range 2000 {
		said = append(said, told{minute: i, errorID: "c", data: &LabourSpent{Role: "agent", Minutes: piece}})
		arrival = append(arrival, i)
	}
	terms, all := recorded(asEvents(said), append(arrival, 2000), -1)
	for b.Loop() {
		if _, err := terms.Settle(all); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSettleWide settles an order of 500 lines of which two are in trouble: 8 events.
func BenchmarkSettleWide(b *testing.B) {
	d := &OrderPlaced{}
	for i := range 500 {
		d.Lines = append(d.Lines, line(fmt.Sprint(i), fmt.Sprint("sku", i), "10", "6"))
	}
	story := slices.Clone(truckStory)
	story[0].data = d
	terms, all := recorded(asEvents(story), []int{0, 1, 2, 3, 4, 5, 6, 7}, -1)
	for b.Loop() {
		if _, err := terms.Settle(all); err != nil {
			b.Fatal(err)
		}
	}
}
