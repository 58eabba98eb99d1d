package simulator

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
)

// plot is a story under way. Where there is none it is nil, and nothing of it is drawn.
type plot struct {
	*Story
	random  *rand.Rand // of what befalls all: it doesn't depend on who orders
	seed    uint64
	week    int64
	shock   float64
	visits  queue[visit] // of customers who will come back
	people  uint64       // who ever ordered
	baskets float64
	orders  float64
	told    outcomes
}

// outcomes are what became of the plan, for the truth.
type outcomes struct {
	failed, back, failedBack int
	happened, prevented      []int // by prevention
	ratings                  map[string]*meanOf
	lags                     map[domain.Type]*meanOf
}

type meanOf struct {
	n         int
	sum, most float64
}

func newPlot(c *Config) *plot {
	if c.Story == nil {
		return nil
	}
	p := &plot{Story: c.Story, seed: c.Seed, random: rand.New(rand.NewPCG(c.Seed, 0x73746f7279)), week: math.MinInt64,
		shock: 1}
	p.told = outcomes{happened: make([]int, len(p.Preventions)), prevented: make([]int, len(p.Preventions)),
		ratings: map[string]*meanOf{}, lags: map[domain.Type]*meanOf{}}
	return p
}

func addTo[K comparable](m map[K]*meanOf, key K, x float64) {
	if m[key] == nil {
		m[key] = &meanOf{}
	}
	m[key].n++
	m[key].sum += x
	m[key].most = max(m[key].most, x)
}

// trade is how many orders a day of the year has, in those of the mean day.
func (p *plot) trade(day time.Time) float64 {
	if p == nil {
		return 1
	}
	const peak = 166 // the middle of June
	return 1 + p.Season*math.Cos(2*math.Pi*float64(day.YearDay()-peak)/365)
}

// shocked is how often orders go wrong in the week of a moment, in times of the mean week.
func (p *plot) shocked(at int64) float64 {
	if week := at / int64(7*24*time.Hour); week != p.week {
		p.week = week
		p.shock = math.Exp(p.Shocks*p.random.NormFloat64() - p.Shocks*p.Shocks/2)
	}
	return p.shock
}

// pickers is how often all of them err, in times of usual ones.
func (p *plot) pickers() float64 {
	if p == nil || p.Pickers == 0 {
		return 1
	}
	return p.Pickers
}

// worse is how many times as often as in the beginning somebody errs.
func (p *plot) worse(who string, at int64) float64 {
	if p == nil {
		return 1
	}
	times := 1.0
	for i := range p.Worsening {
		if w := &p.Worsening[i]; w.Who == who && at >= w.From.UnixNano() {
			times *= w.Times
		}
	}
	return times
}

// laden is how much more often an order of this worth goes wrong than the mean order: large baskets do.
func (p *plot) laden(o *order) float64 {
	sum := 0.0
	for i := range o.lines {
		net, _, _ := worth(&o.lines[i])
		sum += float64(net)
	}
	p.baskets, p.orders = p.baskets+math.Log(max(sum, 1)), p.orders+1
	return min(max(math.Exp(0.6*(math.Log(max(sum, 1))-p.baskets/p.orders)), 0.4), 2.5)
}

// prevents draws whether a failure of a root cause is one of those that a prevention keeps from happening.
func (p *plot) prevents(s *Simulation, root, store string, at int64) bool {
	for i := range p.Preventions {
		a := &p.Preventions[i]
		if a.Cause != root || a.Store != "" && a.Store != store || at < a.From.UnixNano() {
			continue
		}
		if s.random.Float64() < -a.Effect {
			p.told.prevented[i]++
			return true
		}
		p.told.happened[i]++
	}
	return false
}

// visit is a customer who orders.
type visit struct {
	number uint64
	fond   float64
}

// who orders: one who was to come back by now, else somebody new.
func (p *plot) who(s *Simulation, at int64) visit {
	if next, some := p.visits.first(); some && next <= at {
		return p.visits.pop()
	}
	p.people++
	return visit{number: p.people, fond: s.random.NormFloat64()}
}

// drawLines is how many lines an order has, and item what is ordered: who is fond of the shop buys more, and dearer
// parts.
func (p *plot) drawLines(s *Simulation, fond float64) int {
	few := [12]int{1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 4}
	return few[min(max(s.random.IntN(8)+int(math.Round(2*fond)), 0), len(few)-1)]
}

func (p *plot) drawItem(s *Simulation, fond float64) int {
	draw := func() int {
		x := s.random.Float64()
		return int(x * x * float64(len(s.world.items)))
	}
	a := draw()
	if s.random.Float64() < min(math.Abs(fond)/1.5, 1) {
		if b := draw(); (s.world.items[b].price > s.world.items[a].price) == (fond > 0) {
			return b
		}
	}
	return a
}

// comesBack draws whether the customer of an order comes back, and when.
func (p *plot) comesBack(s *Simulation, o *order, at int64) {
	l := &p.Loyalty
	chance := l.Low + (l.High-l.Low)/(1+math.Exp(-o.visit.fond))
	if o.failed {
		chance += l.Effect
		p.told.failed++
	}
	if o.called {
		chance += p.Experiment.Effect
	}
	if s.random.Float64() >= chance {
		return
	}
	p.told.back++
	if o.failed {
		p.told.failedBack++
	}
	next := at + s.between(48*time.Hour, 80*24*time.Hour)
	if o.dealt > 0 { // what lot does to them is seen in what comes after it
		next = max(next, o.dealt+int64(24*time.Hour))
	}
	p.visits.push(next, o.visit)
}

// deal says in which arm of the experiment the customer of an order is, from the first time that lot deals them on, and
// how long the call takes that comes of it: none in the holdout.
func (p *plot) deal(o *order) (arm string, call domain.Decimal) {
	lot := rand.New(rand.NewPCG(p.seed, o.visit.number)) // lot alone: nothing else is drawn otherwise because of it
	if lot.Float64() < p.Experiment.Holdout {
		return domain.Holdout, 0
	}
	return calledArm, domain.Decimal(3+lot.IntN(5)) * one
}

// calledArm is the arm of the experiment whose customers are called.
const calledArm = "call"

// customerID is that of somebody in a story.
func (p *plot) customerID(s *Simulation, number uint64) string {
	return "cust-" + s.tag + "-" + strconv.FormatUint(number, 10)
}

// rated is what customers say: of a promise kept mostly the best, of a late one less, of a failure little until it is
// fixed.
func (p *plot) rated(s *Simulation, what string) int {
	rating := 5 - s.random.IntN(2)
	switch what {
	case ratedLate:
		rating = 2 + s.random.IntN(3)
	case ratedFixed:
		rating = 2 + s.random.IntN(4)
	case ratedFailed:
		rating = 1 + s.random.IntN(2)
	}
	addTo(p.told.ratings, what, float64(rating))
	return rating
}

const (
	ratedKept   = "kept"
	ratedLate   = "late"
	ratedFixed  = "failed, after the fix"
	ratedFailed = "failed, before the fix"
)
