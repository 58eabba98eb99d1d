package estimate

import (
	"fmt"
	"math"
)

// Unit is what failures of one cause cost in one store, week by week, with the orders they could have happened to.
type Unit struct {
	Cause, Store   string
	Amount, Orders []float64
	Start          int // the first week in which money was spent on having fewer of them; Never
}

// Never is the start of a unit on which nothing was spent.
const Never = -1

// Effect is what a spend did to the cost of failures per order.
type Effect struct {
	Change   Estimated // of the cost per order, as a share: −0.2 is a fifth less
	Saved    Estimated // money so far, since the start
	Before   int       // weeks looked at before the start,
	After    int       // and since
	Controls int       // units that nothing was spent on all that while
	BySince  []float64
}

// LeastWeeks is the least on either side of the start. With eight on each the quantile of Student's distribution is
// within a tenth of the normal one's: more weeks hardly narrow the interval by being counted.
const LeastWeeks = 8

// longest is how many weeks before the start, and since, are looked at: a year, for the seasons.
const longest = 52

// DifferenceInDifferences holds what one unit cost before its start and since against what the units cost in the same
// weeks on which nothing was spent till then: other stores, other causes. What befalls all alike falls out of it;
// a unit that starts later serves as a control until then, one that started before never does, so staggered starts
// don't bias it (Goodman-Bacon 2021). The interval is that of the logarithm of the ratio of ratios; its spread is read
// from the weeks.
func DifferenceInDifferences(units []Unit, treated int, level float64) Effect {
	u := &units[treated]
	from, to := max(0, u.Start-longest), min(len(u.Amount), u.Start+longest)
	controls, to := untreated(units, treated, to)
	e := Effect{Before: u.Start - from, After: to - u.Start, Controls: len(controls)}
	refuse := func(format string, with ...any) Effect {
		why := fmt.Sprintf(format, with...)
		e.Change, e.Saved = cannot(max(0, e.After), level, why), cannot(max(0, e.After), level, why)
		return e
	}
	switch {
	case len(controls) == 0:
		return refuse("everything was treated at once: there is nothing to hold it against")
	case e.Before < LeastWeeks:
		return refuse("%d of %d weeks that are needed before the start are known", e.Before, LeastWeeks)
	case e.After < LeastWeeks:
		return refuse("%d of %d weeks that are needed since the start are known", max(0, e.After), LeastWeeks)
	}
	amount, orders := pool(units, controls, from, u.Start, to)
	before := compare(u.Amount[from:u.Start], u.Orders[from:u.Start], amount[:e.Before], orders[:e.Before])
	after := compare(u.Amount[u.Start:to], u.Orders[u.Start:to], amount[e.Before:], orders[e.Before:])
	if !before.known || !after.known {
		return refuse("nothing failed in one of the two times, here or in what it is held against")
	}
	change := after.ratio - before.ratio
	variance := before.variance + after.variance
	freedom := variance * variance / (before.variance*before.variance/before.freedom +
		after.variance*after.variance/after.freedom)
	half := student(level, freedom) * math.Sqrt(variance)
	share := func(log float64) float64 { return math.Exp(log) - 1 }
	e.Change = Estimated{Value: share(change), Low: share(change - half), High: share(change + half), Level: level,
		N: e.After}
	e.saved(u.Amount[u.Start:to], change, half)
	return e
}

// saved is what the weeks since would have cost more. A change of c makes of a cost x one of x ÷ (1 + c).
func (e *Effect) saved(since []float64, change, half float64) {
	cost := 0.0
	for _, x := range since {
		cost += x
		e.BySince = append(e.BySince, cost*(math.Exp(-change)-1))
	}
	e.Saved = Estimated{Value: cost * (math.Exp(-change) - 1), Low: cost * (math.Exp(-change-half) - 1),
		High: cost * (math.Exp(-change+half) - 1), Level: e.Change.Level, N: e.After}
}

// PaidBack is the first week since the start, from 0, by which at least so much was saved; false where it wasn't.
func (e *Effect) PaidBack(spent float64) (int, bool) {
	for week, saved := range e.BySince {
		if saved >= spent {
			return week, true
		}
	}
	return 0, false
}

// untreated are the units on which nothing is spent before week to. Where there are none, the time ends earlier, when
// the last of them starts.
func untreated(units []Unit, treated, to int) ([]int, int) {
	start := units[treated].Start
	for {
		var found []int
		last := 0
		for i := range units {
			switch s := units[i].Start; {
			case i == treated:
			case s == Never || s >= to:
				found = append(found, i)
			case s > start:
				last = max(last, s)
			}
		}
		if len(found) > 0 || last == 0 {
			return found, to
		}
		to = last
	}
}

// pool adds up the controls. Each counts by what its orders let expect at its own cost per order before the start, so
// that no change of the mix is taken for one of the cost.
func pool(units []Unit, controls []int, from, start, to int) (amount, orders []float64) {
	amount, orders = make([]float64, to-from), make([]float64, to-from)
	for _, i := range controls {
		c := &units[i]
		cost, handled := 0.0, 0.0
		for w := from; w < start; w++ {
			cost, handled = cost+c.Amount[w], handled+c.Orders[w]
		}
		if cost <= 0 || handled <= 0 {
			continue
		}
		for w := from; w < to; w++ {
			amount[w-from] += c.Amount[w]
			orders[w-from] += c.Orders[w] * cost / handled
		}
	}
	return amount, orders
}

type logRatio struct {
	ratio, variance, freedom float64
	known                    bool
}

// compare is the logarithm of the cost here over what the controls let expect: each week's orders at the cost per order
// before the start, times how the controls stand that week to theirs. What befalls all in a week falls out,
// however orders lie over the weeks. The variance is that of the weeks' distances.
func compare(amount, orders, others, expected []float64) (r logRatio) {
	like := make([]float64, len(amount))
	var here, there float64
	for i := range amount {
		if expected[i] > 0 {
			like[i] = orders[i] * others[i] / expected[i]
		}
		here, there = here+amount[i], there+like[i]
	}
	if here <= 0 || there <= 0 {
		return r
	}
	distances := make([]float64, len(amount))
	for i := range amount {
		distances[i] = amount[i]/here - like[i]/there
		r.variance += distances[i] * distances[i]
	}
	weeks := float64(len(amount))
	return logRatio{ratio: math.Log(here / there), variance: r.variance * weeks / (weeks - 1),
		freedom: freedom(distances), known: true}
}

// Needed is how many weeks since the start are needed to show a change of the share (−0.2); false where no number is
// enough, because the weeks before are too few or vary too much.
func (e *Effect) Needed(share float64) (weeks int, ok bool) {
	if !e.Change.Enough() {
		return LeastWeeks, true
	}
	low, high := math.Log1p(e.Change.Low), math.Log1p(e.Change.High)
	half := (high - low) / 2
	wanted := math.Abs(math.Log1p(share))
	// The part of the variance from before stays; that from since falls with the weeks.
	before := half * half * float64(e.After) / float64(e.Before+e.After)
	if wanted*wanted <= before {
		return 0, false
	}
	return int(math.Ceil((half*half - before) * float64(e.After) / (wanted*wanted - before))), true
}
