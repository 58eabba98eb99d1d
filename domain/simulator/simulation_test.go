package simulator

import (
	"reflect"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
)

var start = time.Date(2026, 1, 2, 6, 0, 0, 0, time.FixedZone("", -5*3600))

// config is the default company for some weeks, with everything switched on.
func config(seed uint64, orders int) Config {
	c := Defaults()
	c.Seed, c.Start, c.Orders, c.ClosePeriods = seed, start, orders, true
	c.Currencies = []string{"USD", "EUR"}
	return c
}

func all(t *testing.T, c Config) []domain.Event {
	t.Helper()
	t.Logf("seed %d", c.Seed)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	var events []domain.Event
	for e, more := s.Next(); more; e, more = s.Next() {
		events = append(events, e)
	}
	return events
}

func TestSameSeedSameEvents(t *testing.T) {
	a, b := all(t, config(7, 3000)), all(t, config(7, 3000))
	if !reflect.DeepEqual(a, b) {
		t.Error("two simulations of one seed differ")
	}
	ids := map[[2]string]bool{}
	for _, e := range a {
		ids[[2]string{e.Source, e.ID}] = true
	}
	again := 0
	for _, e := range all(t, config(8, 3000)) {
		if ids[[2]string{e.Source, e.ID}] {
			again++
		}
	}
	// The rates and the truck case are the same in every simulation of a start; nothing else is.
	if want := 2*5 - 1 + 8; again != want {
		t.Errorf("%d identities of another seed are the same, instead of %d", again, want)
	}
}

func TestSimulationEnds(t *testing.T) {
	count := func(c Config) (orders int, last time.Time) {
		placed := map[string]bool{"truck-1": true} // not of the days' own, nor what is told twice
		for _, e := range all(t, c) {
			if e.Type == domain.TypeOrderPlaced && !placed[e.OrderID] {
				placed[e.OrderID] = true
				orders++
				last = e.Time
			}
		}
		return orders, last
	}
	c := config(2, 0)
	c.Days, c.ErrorRate = 10, 0
	orders, last := count(c)
	// Friday the 2nd to Sunday the 11th: 8 open days of 300.
	if orders < 2200 || orders > 2600 || last.After(start.AddDate(0, 0, 10)) {
		t.Errorf("ten days: %d orders, the last %s", orders, last)
	}
	c.Orders = 500
	if orders, last = count(c); orders < 500 || orders > 502 || last.Before(start.AddDate(0, 0, 6)) ||
		last.After(start.AddDate(0, 0, 10)) {
		t.Errorf("500 orders in ten days: %d, the last %s", orders, last)
	}
	c.Days, c.Orders, c.WithoutTruck = 1, 0, true
	c.Start = time.Date(2026, 1, 4, 0, 0, 0, 0, time.UTC) // a Sunday
	if orders, _ = count(c); orders != 0 {
		t.Errorf("%d orders on a Sunday", orders)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c := config(9, 150_000)
	c.OrdersPerDay = 2000
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	most, n := 0, 0
	for _, more := s.Next(); more; _, more = s.Next() {
		if n++; n%1000 == 0 {
			most = max(most, len(s.queue.heap))
		}
	}
	if most > 20_000 {
		t.Errorf("seed %d: %d events wait at once, of %d", c.Seed, most, n)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"start": func(c *Config) { c.Start = time.Time{} }, "orders": func(c *Config) { c.Orders = -1 },
		"rate": func(c *Config) { c.ErrorRate = 0.6 }, "stores": func(c *Config) { c.Stores = 0 },
		"currencies": func(c *Config) { c.Currencies = nil }, "currency": func(c *Config) { c.Currencies = []string{"EURO"} },
		"orders per day": func(c *Config) { c.OrdersPerDay = 0 },
	} {
		c := config(1, 10)
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkPlainOrders(b *testing.B) { benchmark(b, 0) }
func BenchmarkDefault(b *testing.B)     { benchmark(b, 0.05) }

func benchmark(b *testing.B, errorRate float64) {
	c := Defaults()
	c.Seed, c.Start, c.ErrorRate, c.OrdersPerDay = 1, start, errorRate, 5000
	s, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, more := s.Next(); !more {
			b.Fatal("an endless simulation ended")
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
