package estimate

import (
	"fmt"
	"math"
)

// Groups is how many groups customers are dealt into, by a hash of who they are. The spread of an estimate is read from
// what it becomes without each of them: orders of one customer hang together, groups don't.
const Groups = 24

// Cell sums up orders that are alike: of one stratum (prior orders, basket, store, channel and month), of one group of
// customers, with a founded case or without.
type Cell struct {
	Stratum string
	Group   int // from 0 to Groups-1
	Failed  bool
	Tally
}

// Tally is what is summed up of orders.
type Tally struct {
	N            float64
	Back         float64    // came back within the days
	Contribution float64    // of their orders within the days
	Prior        [2]float64 // sum and sum of squares of what balance is measured by: orders before,
	Basket       [2]float64 // and what the order came to
}

func (t *Tally) add(o *Tally, sign float64) {
	t.N += sign * o.N
	t.Back += sign * o.Back
	t.Contribution += sign * o.Contribution
	for k := range 2 {
		t.Prior[k] += sign * o.Prior[k]
		t.Basket[k] += sign * o.Basket[k]
	}
}

// Matched compares failed orders with their likes that didn't fail.
type Matched struct {
	Failed, Alike      int // failed orders, and those of them that have a like
	BackFailed         float64
	BackAlike          float64   // of the likes, weighted as the failed ones are
	Back, Contribution Estimated // the differences: of the share that came back, and of money per order
	// EValue is how strongly something that isn't measured would have to go with both failing and coming back, as a ratio
	// of risks, to explain the difference away; EBound the same for the bound of it that is nearer to none (VanderWeele
	// and Ding 2017). 1: nothing is needed.
	EValue, EBound float64
	Balance        []Balance
}

// Balance is how far failed orders and the others are apart in what was there before, in standard deviations.
type Balance struct {
	What          string
	Before, After float64
}

// leastOverlap is the least share of failed orders that must have a like: the estimate speaks of those alone, and of
// fewer than half it wouldn't speak of the failures.
const leastOverlap = 0.5

// leastFailed is the least number of failed orders: one in each group of customers, or leaving one out changes nothing.
const leastFailed = 2 * Groups

// Match estimates what failing does to those who failed: each failed order against those of its stratum, and the mean
// of the differences over the failed ones. Where fewer than half of them have a like it refuses.
func Match(cells []Cell, level float64) Matched {
	s := gather(cells)
	whole := s.without(-1)
	m := Matched{Failed: int(whole.failed), Alike: int(whole.alike), BackFailed: whole.back[0], BackAlike: whole.back[1],
		EValue: 1, EBound: 1, Balance: s.balance()}
	why := ""
	switch {
	case m.Failed < leastFailed:
		why = fmt.Sprintf("failed orders that are known: %d; %d are needed", m.Failed, leastFailed)
	case whole.alike < leastOverlap*whole.failed:
		why = fmt.Sprintf("%d of %d failed orders have an order like them that didn't fail; half are needed",
			m.Alike, m.Failed)
	}
	if why != "" {
		m.Back, m.Contribution = cannot(m.Failed, level, why), cannot(m.Failed, level, why)
		return m
	}
	var back, money [Groups]float64
	for g := range Groups {
		one := s.without(g)
		back[g], money[g] = one.back[0]-one.back[1], one.money[0]-one.money[1]
	}
	m.Back = jackknife(whole.back[0]-whole.back[1], back[:], level, m.Alike)
	m.Contribution = jackknife(whole.money[0]-whole.money[1], money[:], level, m.Alike)
	m.Back.Low, m.Back.High = max(m.Back.Low, -1), min(m.Back.High, 1)
	m.bound()
	return m
}

// strata hold the sums of each stratum: by group, the failed ones first.
type strata struct {
	parts [][Groups][2]Tally
	all   [][2]Tally
}

func gather(cells []Cell) *strata {
	s := &strata{}
	index := map[string]int{}
	for i := range cells {
		c := &cells[i]
		at, known := index[c.Stratum]
		if !known {
			at = len(s.parts)
			index[c.Stratum] = at
			s.parts, s.all = append(s.parts, [Groups][2]Tally{}), append(s.all, [2]Tally{})
		}
		arm := 1
		if c.Failed {
			arm = 0
		}
		s.parts[at][c.Group%Groups][arm].add(&c.Tally, 1)
		s.all[at][arm].add(&c.Tally, 1)
	}
	return s
}

type comparison struct {
	failed, alike float64
	back, money   [2]float64 // of the failed, and of their likes
}

// without compares without one group of customers; with all where group is -1.
func (s *strata) without(group int) (c comparison) {
	for i := range s.all {
		arms := s.all[i]
		if group >= 0 {
			arms[0].add(&s.parts[i][group][0], -1)
			arms[1].add(&s.parts[i][group][1], -1)
		}
		failed, others := &arms[0], &arms[1]
		c.failed += failed.N
		if failed.N < 0.5 || others.N < 0.5 {
			continue
		}
		c.alike += failed.N
		c.back[0] += failed.Back
		c.money[0] += failed.Contribution
		c.back[1] += failed.N * others.Back / others.N
		c.money[1] += failed.N * others.Contribution / others.N
	}
	for k := range 2 {
		c.back[k] /= math.Max(1, c.alike)
		c.money[k] /= math.Max(1, c.alike)
	}
	return c
}

// jackknife is an estimate with the bounds that leaving out each group gives.
func jackknife(value float64, parts []float64, level float64, n int) Estimated {
	groups := float64(len(parts))
	mean, sum := 0.0, 0.0
	for _, x := range parts {
		mean += x / groups
	}
	for _, x := range parts {
		sum += (x - mean) * (x - mean)
	}
	half := student(level, groups-1) * math.Sqrt((groups-1)/groups*sum)
	return Estimated{Value: value, Low: value - half, High: value + half, Level: level, N: n}
}

// bound fills in the E-values.
func (m *Matched) bound() {
	if m.BackAlike <= 0 {
		return
	}
	e := func(difference float64) float64 {
		ratio := (m.BackAlike + difference) / m.BackAlike
		if ratio <= 0 {
			return math.Inf(1)
		}
		ratio = max(ratio, 1/ratio)
		return ratio + math.Sqrt(ratio*(ratio-1))
	}
	m.EValue = e(m.Back.Value)
	switch {
	case m.Back.High < 0:
		m.EBound = e(m.Back.High)
	case m.Back.Low > 0:
		m.EBound = e(m.Back.Low)
	}
}

// balance compares what was there before the failure: of all, and of the failed with their likes.
func (s *strata) balance() []Balance {
	of := func(what string, read func(*Tally) [2]float64) Balance {
		var n, sum, square [2]float64
		var matched [2]float64
		alike := 0.0
		for i := range s.all {
			for arm := range 2 {
				x := read(&s.all[i][arm])
				n[arm] += s.all[i][arm].N
				sum[arm] += x[0]
				square[arm] += x[1]
			}
			failed, others := &s.all[i][0], &s.all[i][1]
			if failed.N > 0 && others.N > 0 {
				alike += failed.N
				matched[0] += read(failed)[0]
				matched[1] += failed.N * read(others)[0] / others.N
			}
		}
		variance := 0.0
		for arm := range 2 {
			if n[arm] > 0 {
				mean := sum[arm] / n[arm]
				variance += math.Max(0, square[arm]/n[arm]-mean*mean) / 2
			}
		}
		b := Balance{What: what}
		if deviation := math.Sqrt(variance); deviation > 0 && n[0] > 0 && n[1] > 0 {
			b.Before = (sum[0]/n[0] - sum[1]/n[1]) / deviation
			if alike > 0 {
				b.After = (matched[0] - matched[1]) / alike / deviation
			}
		}
		return b
	}
	return []Balance{
		of("orders before", func(t *Tally) [2]float64 { return t.Prior }),
		of("basket", func(t *Tally) [2]float64 { return t.Basket }),
	}
}

// Arm is one arm of an experiment: of N customers so many came back.
type Arm struct{ N, Back uint64 }

// Difference is the share of a less that of b, where chance alone decided who was in which arm (Newcombe 1998, method
// 10: it holds for few, and stays within −1 and 1).
func Difference(a, b Arm, level float64) Estimated {
	n := int(a.N + b.N)
	if a.N < 1 || b.N < 1 {
		return cannot(n, level, "one arm of the experiment has nobody yet")
	}
	p, q := float64(a.Back)/float64(a.N), float64(b.Back)/float64(b.N)
	i, j := WilsonInterval(a.Back, a.N, level), WilsonInterval(b.Back, b.N, level)
	return Estimated{Value: p - q, Low: p - q - math.Hypot(p-i.Low, j.High-q),
		High: p - q + math.Hypot(i.High-p, q-j.Low), Level: level, N: n}
}
