package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
)

type serveCommand struct {
	server.Config
}

// Run serves until it is told to stop, or until a part ends by itself.
func (c *serveCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) error {
	app, err := server.Start(ctx, c.Config, logger, s.Err)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "makegood serves at %s\n", app.URL)
	if c.Embedded() {
		fmt.Fprintf(s.Err, "  data directory %s\n  Kafka at %s\n", app.Dir.Path(), app.Brokers[0])
	}
	if app.Engine != nil {
		fmt.Fprintf(s.Err, "  ClickHouse at %s\n", app.Engine.Addr())
		if web := app.Engine.HTTPAddr(); web != "" {
			fmt.Fprintf(s.Err, "  its HTTP interface at %s, to read as %s, password in the data directory\n",
				web, app.Engine.ReaderUser())
		}
	}
	select {
	case <-ctx.Done():
		fmt.Fprintln(s.Err, "stopping: what is held is being booked")
		return app.Close()
	case err := <-app.Failed():
		return errors.Join(err, app.Close())
	}
}
