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

type weeklyCommand struct {
	booksFlags
	Week     string `help:"Any day of the week, YYYY-MM-DD; without it, the last week that is over."`
	Store    string `help:"One store alone."`
	Currency string `help:"ISO 4217; that with the most lines where none is given."`
	AsOf     string `help:"${as_of}"`
	Output   string `help:"File to write, a PDF." short:"o" type:"path" required:""`
}

// Run writes the report.
func (c *weeklyCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	query := url.Values{}
	setGiven(query, map[string]string{"week": c.Week, "store": c.Store, "currency": c.Currency, "as_of": c.AsOf})
	var text bytes.Buffer // whole before any of it is written
	if err := books.get(ctx, "/weekly.pdf", query, &text); err != nil {
		return err
	}
	if err := s.Give(text.Bytes(), c.Output); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
