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
	"github.com/makegood/makegood/domain/simulator"
	"github.com/makegood/makegood/projections/report"
)

type demoCommand struct {
	DataDir            string `help:"Where to keep the demo's books; without it they are gone when it ends." type:"path"`
	HTTP               string `help:"Address to listen on." default:"127.0.0.1:8080"`
	ClickHouseHTTPPort int    `help:"Port of the HTTP interface of the ClickHouse inside, on loopback; 0 opens none." name:"clickhouse-http-port"`
	Orders             int    `help:"How many orders the simulated history has." default:"3000"`
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

	const (
		days  = 45
		truck = "truck-1" // the order of simulator.TruckCase
	)
	now := app.Now().UTC()
	config := simulator.Defaults()
	config.Seed, config.Orders, config.Days, config.Start = c.Seed, c.Orders, days,
		now.AddDate(0, 0, -days).Truncate(24*time.Hour)
	simulation, err := simulator.New(config)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "sending %d days of a simulated parts distributor, %d orders ...\n", days, c.Orders)
	out := httpSink(ctx, books)
	for {
		event, more := simulation.Next()
		if !more || event.Time.After(now) {
			break
		}
		if err := out.add(&event); err != nil {
			return err
		}
	}
	if err := out.close(); err != nil {
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
	fmt.Fprintln(s.Out, "New orders trickle in, one a second. Ctrl-C ends it.")
	return c.trickle(ctx, app, books)
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
	return printLeakage(s, &answer, []string{"root_cause"})
}

// trickle sends a new order's events about once a second, until ctx ends.
func (c *demoCommand) trickle(ctx context.Context, app *server.App, books *client) error {
	config := simulator.Defaults()
	config.Seed, config.Start, config.WithoutTruck = c.Seed+1, app.Now().UTC(), true
	live, err := simulator.New(config)
	if err != nil {
		return err
	}
	out := httpSink(ctx, books)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-app.Failed():
			return err
		case <-tick.C:
		}
		event, more := live.Next()
		if !more {
			return nil
		}
		// Simulated time runs ahead of the clock: what happens, happens now.
		event.Time = app.Now().UTC()
		if err := out.add(&event); err != nil {
			return err
		}
		if err := out.flush(); err != nil {
			return err
		}
	}
}
