package trials

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// sources plays two hundred tills for a month, after eight weeks by which their habits are known, and looks at each of
// them every hour; and tills that break, which are to be seen.
func sources(r *rand.Rand, shops int) []Claim {
	const tills, weeks, month = 200, 8, 30 * 24
	companies := max(2, shops/20) // of 144,000 looks each
	alarms := make([]float64, companies)
	var waited []float64
	for c := range companies {
		for till := range tills {
			rate := 1 + 9*r.Float64() // orders in an open hour
			falselyCalled, after := oneTill(r, rate, weeks, month)
			alarms[c] += float64(falselyCalled)
			if till == 0 {
				waited = append(waited, after*rate)
			}
		}
	}
	return []Claim{
		Mean("false alarms a month, 200 tills", alarms, -None, 1),
		median("orders that a till which broke should have sent till it is seen", waited, -None, 20),
	}
}

// oneTill counts how often a till that works is called silent in a month, and the open hours after which it is when it
// breaks at the end. It is open from 9 to 19, and not on Sundays.
func oneTill(r *rand.Rand, rate float64, weeks, month int) (called int, after float64) {
	begin := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC) // a Monday
	open := func(hour int) bool { return hour/24%7 != 6 && hour%24 >= 9 && hour%24 < 19 }
	var habits estimate.Habits
	var sent []int // in the hours of the last eight weeks
	know := weeks * estimate.HoursOfWeek
	silent := false
	for hour := 0; ; hour++ {
		n := 0
		if open(hour) && hour < know+month {
			n = poisson(r, rate)
		}
		at := begin.Add(time.Duration(hour) * time.Hour)
		sent = append(sent, n)
		habits.Orders[hour%estimate.HoursOfWeek] += uint64(n)
		if hour >= know {
			habits.Orders[hour%estimate.HoursOfWeek] -= uint64(sent[hour-know])
			habits.First = at.Add(-time.Duration(know) * time.Hour)
		} else if habits.First.IsZero() && n > 0 {
			habits.First = at
		}
		if n > 0 {
			last := math.Pow(r.Float64(), 1/float64(n)) // of so many at random within the hour
			habits.Last, silent = at.Add(time.Duration(last*float64(time.Hour))), false
		}
		if hour < know {
			continue
		}
		is := habits.ExpectedSince(at.Add(time.Hour)) >= estimate.SilentFrom
		if hour >= know+month && open(hour) {
			after++
		}
		switch {
		case hour >= know+month && is:
			return called, after
		case hour >= know+month+4*estimate.HoursOfWeek:
			return called, math.Inf(1)
		case is && !silent && hour < know+month:
			called++
		}
		silent = is
	}
}
