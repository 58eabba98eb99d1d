package main

import (
	"context"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/simulator"
)

// demoDays is a year of whole weeks.
const demoDays = 364

// demoConfig is the company of the demo up to a moment, and after it. What is told of its year: seasons; training that
// took most of the mix-ups away in the summer; money for carriers of which it is too soon to tell; a vendor and a
// carrier who worsen; a store in euro; customers who stay away when they are failed, less so if they are called.
func demoConfig(now time.Time, seed uint64, orders int) simulator.Config {
	c := simulator.Defaults()
	c.Start = now.AddDate(0, 0, -demoDays).Truncate(24 * time.Hour)
	// Twice as long, so that it goes on as it went: the demo tells what is due.
	c.Seed, c.Orders, c.Days, c.WithoutTruck = seed, 2*orders, 2*demoDays, true
	c.Stores, c.Currencies, c.ErrorRate = 5, []string{"USD", "USD", "USD", "USD", "EUR"}, 0.1
	c.Story = &simulator.Story{
		Season: 0.2, Shocks: 0.1, Pickers: 2,
		Preventions: []simulator.Prevention{
			{Cause: "pick_pack", From: c.Start.AddDate(0, 0, demoDays/2), Effect: -0.8, Weekly: 15 * oneUnit},
			{Cause: "carrier", Store: "store-1", From: now.AddDate(0, 0, -35), Weekly: 20 * oneUnit},
		},
		Worsening: []simulator.Worsening{{Who: "vendor-orient", From: now.AddDate(0, 0, -60), Times: 20},
			{Who: "carrier-lagoon", From: now.AddDate(0, 0, -60), Times: 5}},
		Loyalty:    simulator.Loyalty{Low: 0.35, High: 0.75, Effect: -0.3},
		Experiment: simulator.Experiment{Name: "calls", Holdout: 0.5, Effect: 0.2},
	}
	return c
}

// oneUnit is 1 of a currency.
const oneUnit domain.Decimal = 1_000_000

// demoTruck is the truck's order, six weeks ago, with the year's rates.
func demoTruck(now time.Time, orderID string) []domain.Event {
	at := now.AddDate(0, 0, -42).Truncate(24 * time.Hour).Add(9 * time.Hour)
	var events []domain.Event
	for _, e := range simulator.TruckCase(at, orderID, "store-1", "USD") {
		if e.Type != domain.TypeRateSet {
			events = append(events, e)
		}
	}
	return events
}

// liveEvents is how many events come at once when the story is told, and liveEvery how far apart.
const (
	liveEvents = 12
	liveEvery  = 2 * time.Second
)

// trickle goes on with the year until ctx ends: the next events soon, so that there is something to see, and then each
// when it is due. What comes early is moved as a whole, promises too.
func (c *demoCommand) trickle(ctx context.Context, app *server.App, books *client,
	next func() (domain.Event, bool)) error {
	out := httpSink(ctx, books)
	var moved time.Duration
	for n := 0; ; n++ {
		event, more := next()
		if !more {
			return nil
		}
		due := app.Now().UTC().Add(liveEvery)
		if n >= liveEvents {
			due = event.Time.Add(moved)
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-app.Failed():
			return err
		case <-time.After(due.Sub(app.Now())):
		}
		moved = due.Sub(event.Time)
		move(&event, moved)
		if err := out.add(&event); err != nil {
			return err
		}
		if err := out.flush(); err != nil {
			return err
		}
	}
}

// move tells an event at another time, with the times that it promises.
func move(e *domain.Event, by time.Duration) {
	e.Time = e.Time.Add(by).Truncate(time.Millisecond)
	later := func(p *domain.Promise) {
		for _, t := range []*time.Time{&p.From, &p.Until} {
			if !t.IsZero() {
				*t = t.Add(by).Truncate(time.Minute)
			}
		}
	}
	switch d := e.Data.(type) {
	case *domain.OrderPlaced:
		later(&d.Promise)
	case *domain.OrderChanged:
		later(&d.Promise)
	case *domain.PromiseChanged:
		later(&d.Promise)
	case *domain.RedeliveryDispatched:
		later(&d.Promise)
	}
}
