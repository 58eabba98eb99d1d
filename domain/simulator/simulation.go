package simulator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
)

// Simulation tells the events of its company one by one, in order of occurrence. It holds only what has still to
// happen: the deliveries and cases of the last days.
type Simulation struct {
	config Config
	random *rand.Rand
	tag    string // of the seed, in every id
	zone   *time.Location
	world  *world
	queue  queue[*domain.Event]
	hours  openHours
	plot   *plot // nil without a story
	books  bookkeeping
	orders int
	cases  uint64
	closed bool // no more orders
	next   int64
}

// New starts a simulation.
func New(c Config) (*Simulation, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("simulation: %w", err)
	}
	c.Start = c.Start.Truncate(time.Millisecond) // as all times of tills
	s := &Simulation{
		config: c, random: rand.New(rand.NewPCG(c.Seed, 0x6d616b65676f6f64)), // any fixed second half will do
		tag: strconv.FormatUint(c.Seed, 36), zone: c.Start.Location(),
	}
	s.world = newWorld(&s.config, s.tag, s.random)
	s.plot = newPlot(&s.config)
	s.hours = newOpenHours(&s.config, s.plot)
	s.next, s.closed = s.hours.advance(s.random)
	s.books = newBookkeeping(s)
	return s, nil
}

// Next is the next event; false at the end. The event is the caller's own.
func (s *Simulation) Next() (domain.Event, bool) {
	for {
		due := s.due()
		if at, some := s.queue.first(); some && (s.closed || at <= due) {
			return *s.queue.pop(), true
		}
		if s.closed {
			return domain.Event{}, false
		}
		if s.books.next < s.next {
			s.books.tell(s)
			continue
		}
		s.order(s.next)
		s.orders++
		s.next, s.closed = s.hours.advance(s.random)
		if s.config.Orders > 0 && s.orders == s.config.Orders {
			s.closed = true
		}
	}
}

// due is when something new begins next; nothing that begins later can be told before.
func (s *Simulation) due() int64 { return min(s.next, s.books.next) }

// tell queues an event for its time. Tills write milliseconds.
func (s *Simulation) tell(at int64, e *domain.Event) {
	at -= at % int64(time.Millisecond)
	e.Time = time.Unix(0, at).In(s.zone)
	s.queue.push(at, e)
}

// between is a random length of time.
func (s *Simulation) between(low, high time.Duration) int64 {
	return int64(low) + s.random.Int64N(int64(high-low)+1)
}

// chance is true for so many of a hundred.
func (s *Simulation) chance(percent uint32) bool { return s.random.Uint32N(100) < percent }

func oneOf[T any](s *Simulation, all ...T) T { return all[s.random.IntN(len(all))] }

// openHours deals out the moments at which customers order: Monday to Saturday, 7 to 19 o'clock.
type openHours struct {
	day       time.Time // its midnight
	days      int
	limit     int
	from, to  int64 // the open hours of the day
	at        int64
	perOrder  float64 // mean time between two orders, in nanoseconds
	trade     float64 // of the day, in those of the mean day
	notBefore int64
	plot      *plot
}

const opening, closing = 7, 19

func newOpenHours(c *Config, p *plot) openHours {
	y, m, d := c.Start.Date()
	h := openHours{
		day: time.Date(y, m, d, 0, 0, 0, 0, c.Start.Location()), limit: c.Days,
		notBefore: c.Start.Add(time.Minute).UnixNano(), plot: p,
	}
	perDay := float64(c.OrdersPerDay)
	if c.Days > 0 && c.Orders > 0 {
		open := 0.0
		for n := range c.Days {
			if day := h.day.AddDate(0, 0, n); day.Weekday() != time.Sunday {
				open += p.trade(day)
			}
		}
		// A little faster than needed, so that chance hardly ever leaves orders over when the days are.
		perDay = (float64(c.Orders)+4*math.Sqrt(float64(c.Orders)))/max(open, 1) + 1
	}
	h.perOrder = float64((closing-opening)*time.Hour) / perDay
	h.enter()
	return h
}

// enter opens the doors of the day, or of Monday.
func (h *openHours) enter() {
	if h.day.Weekday() == time.Sunday {
		h.day, h.days = h.day.AddDate(0, 0, 1), h.days+1
	}
	h.trade = h.plot.trade(h.day)
	y, m, d := h.day.Date()
	h.from = time.Date(y, m, d, opening, 0, 0, 0, h.day.Location()).UnixNano()
	h.to = time.Date(y, m, d, closing, 0, 0, 0, h.day.Location()).UnixNano()
	h.at = max(h.from, h.notBefore)
}

// advance is the moment of the next order; true where no day is left for it.
func (h *openHours) advance(random *rand.Rand) (int64, bool) {
	for {
		if h.limit > 0 && h.days >= h.limit {
			return h.at, true
		}
		h.at += int64(random.ExpFloat64() * h.perOrder / h.trade)
		if h.at < h.to {
			return h.at, false
		}
		h.day, h.days = h.day.AddDate(0, 0, 1), h.days+1
		h.enter()
	}
}
