package domain

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// TestWhatARebuildPrices: the last rebuild of an event's own epoch moves the place from which it looks for its rates;
// what comes after a rebuild, or in another epoch, looks from its own.
func TestWhatARebuildPrices(t *testing.T) {
	terms := NewTerms(time.UTC)
	january := PeriodOf(when, time.UTC)
	offset := int64(-1)
	apply := func(id string, d Data, orders int64) {
		offset++
		terms.Apply(&Event{Source: "s", ID: id, Time: when, Data: d},
			Mark{Offset: offset, Time: when, Ends: map[Partition]int64{{Orders, 0}: orders}})
	}
	apply("close", &PeriodClosed{january}, 100)                                 // 0
	apply("rebuild 1", &BooksRebuilt{RebuildID: "1"}, 200)                      // 1
	apply("rebuild 1", &BooksRebuilt{RebuildID: "1"}, 250)                      // 2, the same again
	apply("rebuild 2", &BooksRebuilt{RebuildID: "2"}, 300)                      // 3
	apply("reopen", &PeriodReopened{january}, 400)                              // 4
	apply("rebuild 3", &BooksRebuilt{RebuildID: "3"}, 500)                      // 5
	apply("close again", &PeriodClosed{january}, 600)                           // 6
	apply("rebuild 4", &BooksRebuilt{RebuildID: "4", ClosedPeriods: true}, 700) // 7
	const own = -1
	for _, c := range []struct{ at, want int64 }{
		{50, own},  // before the first close: no rebuild was in its epoch
		{150, 5},   // a reopening begins no epoch
		{450, 5},   // the last of its epoch
		{550, own}, // behind the last of its epoch
		{650, 7}, {750, own},
	} {
		at := Position{Stream: Orders, Offset: c.at}
		got := terms.PricedFrom(at)
		if c.want == own && got != at || c.want != own && (got.Stream != Books || got.Offset != c.want) {
			t.Errorf("an event at %d looks from %+v, not from %d", c.at, got, c.want)
		}
	}
	if n := len(terms.Rebuilds.All()); n != 4 {
		t.Errorf("%d rebuilds, not 4", n)
	}
}

// TestARebuildIsAsIfTheRatesHadComeFirst: whatever rates there are and wherever they stand, what a rebuild covers is
// priced as it would be had the event been recorded just before the rebuild, and a second rebuild in the same place
// changes nothing.
func TestARebuildIsAsIfTheRatesHadComeFirst(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 5))
	for range 300 {
		terms := NewTerms(time.UTC)
		ends := func(n int64) map[Partition]int64 { return map[Partition]int64{{Orders, 0}: n} }
		rates := 1 + random.Int64N(12)
		for i := range rates {
			from := when.AddDate(0, 0, random.IntN(40)-30)
			terms.Apply(
				rateEvent(
					string(rune('a'+i)),
					LabourHour,
					[]string{"*", "agent"}[random.IntN(2)],
					strconv.Itoa(int(10+i)),
					"USD",
					from,
				),
				Mark{Offset: i, Ends: ends(i * 10)},
			)
			if random.IntN(4) == 0 {
				terms.Apply(
					&Event{Source: "s", ID: "v" + string(rune('a'+i)), Data: &EventVoided{Source: "s", ID: string(rune('a' + i)),
						Original: rateEvent(
							string(rune('a'+i)),
							LabourHour,
							"*",
							"10.5",
							"USD",
							from,
						)}},
					Mark{Offset: i, Ends: ends(i * 10)},
				)
			}
		}
		terms.Apply(
			&Event{Source: "s", ID: "rebuild", Data: &BooksRebuilt{RebuildID: "r"}},
			Mark{Offset: rates, Ends: ends(rates * 10)},
		)
		terms.Apply(
			&Event{Source: "s", ID: "again", Data: &BooksRebuilt{RebuildID: "r2"}},
			Mark{Offset: rates + 1, Ends: ends(rates * 10)},
		)
		last := Position{Stream: Orders, Offset: rates*10 - 1}
		for offset := range rates * 10 {
			at := Position{Stream: Orders, Offset: offset}
			got, ok := terms.Rates.At(LabourHour, "agent", "USD", when, terms.PricedFrom(at))
			want, ok2 := terms.Rates.At(LabourHour, "agent", "USD", when, Position{Stream: Books, Offset: rates})
			if got != want || ok != ok2 {
				t.Fatalf("seed %d: at %d the rate is %s, %t, not %s, %t", seed, offset, got, ok, want, ok2)
			}
			direct, ok3 := terms.Rates.At(LabourHour, "agent", "USD", when, last)
			if direct != want || ok3 != ok2 {
				t.Fatalf(
					"seed %d: just before the rebuild the rate is %s, %t, from the rebuild %s, %t",
					seed,
					direct,
					ok3,
					want,
					ok2,
				)
			}
		}
	}
}
