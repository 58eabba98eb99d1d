package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/report"
)

type unpricedCommand struct {
	booksFlags
	Format string `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// Run lists the events with a line that no rate could price, and the rates that they lack.
func (c *unpricedCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, now, done, err := c.openBooked(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if c.Format != "table" {
		return books.get(ctx, "/v1/unpriced", url.Values{"format": {c.Format}}, s.Out)
	}
	var answer struct {
		Unpriced []report.UnpricedEvent `json:"unpriced"`
	}
	if err := books.get(ctx, "/v1/unpriced", nil, &answer); err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "type\torder\tcase\tlacks\tsource\tid")
	for _, e := range answer.Unpriced {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", report.EventWord(e.Type), e.OrderID, e.ErrorID,
			strings.Join(e.Missing, ", "), e.Source, e.EventID)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n := uint64(len(answer.Unpriced)); now.Unpriced > n {
		fmt.Fprintf(s.Out, "and %d more\n", now.Unpriced-n)
	}
	if len(answer.Unpriced) > 0 {
		fmt.Fprintln(s.Out, "\nset the rates (makegood rates), then post these again (makegood rebuild)")
	}
	return nil
}
