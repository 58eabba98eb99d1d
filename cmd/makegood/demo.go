package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/simulator"
	"github.com/makegood/makegood/projections/report"
)

type demoCommand struct {
	DataDir            string `help:"Where to keep the demo's books; without it they are gone when it ends." type:"path"`
	HTTP               string `help:"Address to listen on." default:"127.0.0.1:8080"`
	ClickHouseHTTPPort int    `help:"${clickhouse_http_port}" name:"clickhouse-http-port"`
	Orders             int    `help:"How many orders the simulated year has, about." default:"5000"`
	Seed               uint64 `help:"Of the simulation." default:"1"`
	Once               bool   `help:"Stop when the story is told, without the live trickle."`
}

// Run shows what makegood is for: a simulated distributor's books, and in them the truck.
func (c *demoCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	dir := c.DataDir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "makegood-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	fmt.Fprintln(s.Err, "starting a Kafka broker and a ClickHouse engine in this process's care ...")
	app, err := server.Start(ctx, server.Config{DataDir: dir, HTTP: c.HTTP, ClickHouseHTTPPort: c.ClickHouseHTTPPort,
		KafkaListen: "127.0.0.1:0", Prefix: "makegood.", Group: "makegood-projector",
		Partitions: 4, Zone: "UTC", Roles: []string{server.RoleGateway, server.RoleProjector, server.RoleExporter}}, logger,
		s.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.Close()) }()
	base := app.URL
	books := newClient(base)

	const truck = "truck-1" // the order of simulator.TruckCase
	now := app.Now().UTC()
	simulation, err := simulator.New(demoConfig(now, c.Seed, c.Orders))
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "sending a year of a simulated parts distributor, some %d orders ...\n", c.Orders)
	next, err := c.history(ctx, books, simulation, demoTruck(now, truck), now)
	if err != nil {
		return err
	}
	if _, err := books.caughtUp(ctx); err != nil {
		return err
	}
	if err := c.tell(ctx, books, truck, s); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, `
Where to look while this runs:
  %[1]s/                                         the page for people: what it all cost, and what every number is made of
  %[1]s/v1/orders/%[2]s                          the truck, down to the journal lines
  %[1]s/v1/reports/leakage?group_by=root_cause   the same for everything
  %[1]s/v1/status                                how far the books are
`, base, truck)
	if c.Once {
		return nil
	}
	fmt.Fprintln(s.Out, "New events come in: a dozen now, then at the pace of the year before. Ctrl-C ends it.")
	return c.trickle(ctx, app, books, next)
}

// history sends what happened up to now, the truck's order among it, and returns what is still to happen. The rates of
// the first day come first; what else the books say changes no price. It comes last: the sender must wait before
// and after it.
func (c *demoCommand) history(ctx context.Context, books *client, simulation *simulator.Simulation,
	truck []domain.Event, now time.Time) (func() (domain.Event, bool), error) {
	out := httpSink(ctx, books)
	var last []domain.Event
	orders := false
	for {
		event, more := simulation.Next()
		for len(truck) > 0 && (!more || truck[0].Time.Before(event.Time)) {
			if err := out.add(&truck[0]); err != nil {
				return nil, err
			}
			truck = truck[1:]
		}
		if more && !event.Time.After(now) {
			if event.Stream() == domain.Books && orders {
				last = append(last, event)
				continue
			}
			orders = orders || event.Stream() == domain.Orders
			if err := out.add(&event); err != nil {
				return nil, err
			}
			continue
		}
		for i := range last {
			if err := out.add(&last[i]); err != nil {
				return nil, err
			}
		}
		first := true
		return func() (domain.Event, bool) {
			if first {
				first = false
				return event, more
			}
			return simulation.Next()
		}, out.close()
	}
}

// tell prints the truck's story and the whole company's leakage.
func (c *demoCommand) tell(ctx context.Context, books *client, truck string, s terminal.Streams) error {
	fmt.Fprint(s.Out, "\n\"We're sorry that part was the wrong size, but one of our trucks will be there in an hour "+
		"with a new part.\"\n\n")
	if err := explain(ctx, books, truck, "", s); err != nil {
		return err
	}
	fmt.Fprint(s.Out, "\nAnd all fixes of the company, by cause:\n\n")
	var answer report.Leakage
	if err := books.get(ctx, "/v1/reports/leakage", url.Values{"group_by": {"root_cause"}, "currency": {"USD"}},
		&answer); err != nil {
		return err
	}
	by := []string{"root_cause"}
	if err := mostExpensiveFirst(answer.Rows, by); err != nil {
		return err
	}
	return printLeakage(s, &answer, by)
}
