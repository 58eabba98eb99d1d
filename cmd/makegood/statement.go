package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"

	"github.com/makegood/makegood/projections/report"
)

// Statement reads the account of a store or a vendor. Errors: *report.UnknownNameError.
func (b books) Statement(ctx context.Context, q report.StatementQuery) (*report.Statement, error) {
	s, err := report.ReadStatement(ctx, b.store.DB, q, b.now())
	if err != nil || len(s.Currencies) > 0 {
		return s, err
	}
	known, err := q.Known(ctx, b.store.DB)
	switch {
	case err != nil:
		return nil, err
	case known:
		return s, nil
	case q.Vendor != "":
		return nil, &report.UnknownNameError{What: "vendor", Name: q.Vendor}
	default:
		return nil, &report.UnknownNameError{What: "store", Name: q.Store}
	}
}

type statementCommand struct {
	booksFlags
	Store    string `help:"The store." xor:"of" required:""`
	Vendor   string `help:"The vendor." xor:"of" required:""`
	Period   string `help:"The month, YYYY-MM." required:""`
	PeriodBy string `help:"What is posted in the month, or what happened in it." enum:"posting,occurred" default:"posting"`
	AsOf     string `help:"What was recorded by then: a time, or close:YYYY-MM (its last close; close:YYYY-MM/1 its first)."`
	Format   string `help:"html (prints on A4 and Letter), csv, xlsx or json." enum:"html,csv,xlsx,json" default:"html"`
	Part     string `help:"Of csv: accounts or cases." enum:"accounts,cases" default:"accounts"`
	Output   string `help:"File to write; standard output where none is given." short:"o" type:"path"`
}

// Run writes the statement.
func (c *statementCommand) Run(ctx context.Context, logger *slog.Logger, s streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	query := url.Values{"period": {c.Period}, "period_by": {c.PeriodBy}, "format": {c.Format}, "part": {c.Part}}
	for name, value := range map[string]string{"store": c.Store, "vendor": c.Vendor, "as_of": c.AsOf} {
		if value != "" {
			query.Set(name, value)
		}
	}
	// Whole before any of it is written: a file that is cut short looks like a statement.
	var text bytes.Buffer
	if err := books.get(ctx, "/v1/statement", query, &text); err != nil {
		return err
	}
	if c.Output == "" {
		_, err = s.out.Write(text.Bytes())
		return err
	}
	if err := os.WriteFile(c.Output, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the statement: %w", err)
	}
	return nil
}
