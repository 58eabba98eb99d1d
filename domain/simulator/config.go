package simulator

import (
	"errors"
	"fmt"
	"time"
)

// Config is what a simulation depends on. Start from Defaults.
type Config struct {
	// Seed decides everything that is random. It is part of every id, so that simulations of different seeds can be in
	// the same books; the same seed with another Config is the same ids with other content.
	Seed uint64
	// Start is when the first rates are set; business begins at the next opening. Its zone is that of all tills.
	Start time.Time
	// Days and Orders end the simulation, whichever is first; zero is no limit, and both zero is no end. What follows
	// from the last orders (deliveries, cases) is still told.
	Days, Orders int
	// OrdersPerDay is how many orders an open day sees in all stores. With Days and Orders both given it isn't used: then
	// Orders are spread over Days.
	OrdersPerDay int
	Stores       int
	// Currencies are dealt out to the stores in turn.
	Currencies []string
	// ErrorRate is the share of orders that go wrong and are reported.
	ErrorRate float64
	// ClosePeriods closes each month on the fifth of the next, and now and then reopens it for a day.
	ClosePeriods bool
	// Story is what befalls the company beside its everyday trouble; nil: nothing, and customers come as they like.
	Story *Story
	// WithoutTruck leaves the truck case out, but not its rates.
	WithoutTruck bool
}

// Defaults are a company of four stores whose orders go wrong at a rate of one in twenty, without an end.
func Defaults() Config {
	return Config{OrdersPerDay: 300, Stores: 4, Currencies: []string{"USD"}, ErrorRate: 0.05}
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	var problems []error
	if c.Start.IsZero() {
		problems = append(problems, errors.New("a simulation needs a start"))
	}
	if c.Days < 0 || c.Orders < 0 {
		problems = append(problems, fmt.Errorf("%d days, %d orders: one is negative", c.Days, c.Orders))
	}
	if c.OrdersPerDay < 1 && (c.Days == 0 || c.Orders == 0) {
		problems = append(problems, fmt.Errorf("%d orders per day are too few", c.OrdersPerDay))
	}
	if c.Stores < 1 || c.Stores > 10_000 {
		problems = append(problems, fmt.Errorf("%d stores are not between 1 and 10,000", c.Stores))
	}
	if len(c.Currencies) == 0 {
		problems = append(problems, errors.New("no currency"))
	}
	for _, code := range c.Currencies {
		if len(code) != 3 {
			problems = append(problems, fmt.Errorf("currency %q is not of ISO 4217", code))
		}
	}
	if c.ErrorRate < 0 || c.ErrorRate > 0.5 {
		problems = append(problems, fmt.Errorf("an error rate of %g is not between 0 and 0.5", c.ErrorRate))
	}
	if c.Story != nil {
		problems = append(problems, c.Story.validate(&c))
	}
	return errors.Join(problems...)
}
