package domain

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// TestWhatARebuildPricesAnew: the last rebuild that covers an event moves the place from which it looks for its
// rates; what stands behind a rebuild, or belongs to a month that was closed then, looks from its own.
func TestWhatARebuildPricesAnew(t *testing.T) {
	terms := NewTerms(time.UTC)
	january, err := ParsePeriod("2026-01")
	if err != nil {
		t.Fatal(err)
	}
	offset := int64(-1)
	apply := func(id string, d Data, orders int64) {
		offset++
		terms.Apply(
			&Event{Source: "s", ID: id, Time: when, Data: d},
			Mark{Offset: offset, Time: when, Ends: map[Partition]int64{{Orders, 0}: orders}},
		)
	}
	inJanuary, inFebruary := january.First().AddDate(0, 0, 9), january.First().AddDate(0, 0, 40)
	apply("close", &PeriodClosed{january}, 100)            // 0
	apply("rebuild 1", &BooksRebuilt{RebuildID: "1"}, 200) // 1
	apply("rebuild 1", &BooksRebuilt{RebuildID: "1"}, 250) // 2, the same again
	apply("reopen", &PeriodReopened{january}, 300)         // 3
	apply("rebuild 2", &BooksRebuilt{RebuildID: "2"}, 400) // 4
	apply("close again", &PeriodClosed{january}, 500)      // 5
	apply("rebuild 3", &BooksRebuilt{RebuildID: "3"}, 600) // 6
	const own = -1
	for _, c := range []struct {
		occurred time.Time
		at, want int64
	}{
		{inJanuary, 50, 4},    // covered while the month was open again, frozen before and after
		{inJanuary, 450, own}, // after rebuild 2, and closed when rebuild 3 came
		{inJanuary, 550, 6},   // after the last close, so no report of that month holds it
		{inJanuary, 600, own}, // after the last rebuild
		{inFebruary, 50, 6},
		{inFebruary, 650, own},
	} {
		at := Position{Stream: Orders, Offset: c.at}
		got := terms.PricedAt(c.occurred, at)
		if c.want == own && got != at || c.want != own && (got.Stream != Books || got.Offset != c.want) {
			t.Errorf("%s at %d looks from %+v, not from %d", c.occurred.Format(time.DateOnly), c.at, got, c.want)
		}
	}
	// An event of an open month stays with its void, whose month is closed.
	event, void := Position{Stream: Orders, Offset: 420}, Placed{inJanuary, Position{Stream: Orders, Offset: 430}}
	if got := terms.PricedAt(inFebruary, event, void); got != event {
		t.Errorf("an event whose void is frozen looks from %+v", got)
	}
	if p, frozen := terms.FrozenBy(inJanuary, Position{Stream: Orders, Offset: 450}); !frozen || p != january {
		t.Errorf("frozen: %t, by %s", frozen, p)
	}
	apply("rebuild 4", &BooksRebuilt{RebuildID: "4", ClosedPeriods: true}, 700)
	if got := terms.PricedAt(inJanuary, Position{Stream: Orders, Offset: 450}); got.Stream != Books || got.Offset != 7 {
		t.Errorf("told to touch closed months, a rebuild leaves an event at %+v", got)
	}
	if _, frozen := terms.FrozenBy(inJanuary, Position{Stream: Orders, Offset: 450}); frozen {
		t.Error("frozen though the rebuild touches closed months")
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
			got, ok := terms.Rates.At(LabourHour, "agent", "USD", when, terms.PricedAt(when, at))
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
