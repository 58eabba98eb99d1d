package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

type serveCommand struct {
	appConfig
}

// Run serves until it is told to stop, or until a part ends by itself.
func (c *serveCommand) Run(ctx context.Context, logger *slog.Logger, s streams) error {
	app, err := startApp(ctx, c.appConfig, logger, s.err)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "makegood serves at %s\n", app.url)
	if c.embedded() {
		fmt.Fprintf(s.err, "  data directory %s\n  Kafka at %s\n", app.dir.Path(), app.brokers[0])
	}
	if app.engine != nil {
		fmt.Fprintf(s.err, "  ClickHouse at %s, database makegood, to read as %s, password in the data directory\n",
			app.engine.Addr(), app.engine.ReaderUser())
		if web := app.engine.HTTPAddr(); web != "" {
			fmt.Fprintf(s.err, "  its HTTP interface at %s\n", web)
		}
	}
	select {
	case <-ctx.Done():
		fmt.Fprintln(s.err, "stopping: what is held is being booked")
		return app.Close()
	case err := <-app.Failed():
		return errors.Join(err, app.Close())
	}
}
