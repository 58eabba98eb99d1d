package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/makegood/makegood/cmd/makegood/terminal"
)

type statementCommand struct {
	booksFlags
	Store    string `help:"The store." xor:"of" required:""`
	Vendor   string `help:"The vendor." xor:"of" required:""`
	Period   string `help:"The month, YYYY-MM." required:""`
	PeriodBy string `help:"What is posted in the month, or what happened in it." enum:"posting,occurred" default:"posting"`
	AsOf     string `help:"${as_of}"`
	Format   string `help:"html (prints on A4 and Letter), csv, xlsx or json." enum:"html,csv,xlsx,json" default:"html"`
	Part     string `help:"Of csv: accounts or cases." enum:"accounts,cases" default:"accounts"`
	Output   string `help:"File to write; standard output where none is given." short:"o" type:"path"`
}

// Run writes the statement.
func (c *statementCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	query := url.Values{"period": {c.Period}, "period_by": {c.PeriodBy}, "format": {c.Format}, "part": {c.Part}}
	setGiven(query, map[string]string{"store": c.Store, "vendor": c.Vendor, "as_of": c.AsOf})
	// Whole before any of it is written: a file that is cut short looks like a statement.
	var text bytes.Buffer
	if err := books.get(ctx, "/v1/statement", query, &text); err != nil {
		return err
	}
	if err := s.Give(text.Bytes(), c.Output); err != nil {
		return fmt.Errorf("write the statement: %w", err)
	}
	return nil
}
