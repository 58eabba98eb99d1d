package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/generalledger"
	"github.com/makegood/makegood/projections/report"
)

type journalCommand struct {
	booksFlags
	From     string `help:"First day, YYYY-MM-DD."`
	Until    string `help:"Day after the last, YYYY-MM-DD." name:"until"`
	PeriodBy string `help:"${period_by}" enum:"posting,occurred" default:"posting"`
	Every    string `help:"One entry a month or a day." enum:"month,day" default:"month"`
	Detail   string `help:"${journal_detail}" enum:"aggregated,events" default:"aggregated"`
	Currency string `help:"ISO 4217; all where none is given."`
	AsOf     string `help:"${as_of}"`
	Final    bool   `help:"Refuse months that are not closed."`
	Format   string `help:"${journal_format}" enum:"json,csv,xlsx,quickbooks" default:"csv"`
	Output   string `help:"File to write; standard output where none is given." short:"o" type:"path"`
}

// Run writes the journal.
func (c *journalCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	query := url.Values{"period_by": {c.PeriodBy}, "every": {c.Every}, "detail": {c.Detail}, "format": {"json"}}
	setGiven(query, map[string]string{"from": c.From, "to": c.Until, "currency": c.Currency, "as_of": c.AsOf})
	if c.Final {
		query.Set("final", "true")
	}
	var codes map[string]report.Code
	if c.Accounts != "" {
		// The file is here, and the server may be elsewhere.
		query.Set("accounts", "default")
		if codes, err = generalledger.ReadAccountsFile(c.Accounts); err != nil {
			return err
		}
	}
	var j report.Journal
	if err := books.get(ctx, "/v1/journal", query, &j); err != nil {
		return err
	}
	if codes != nil {
		if err := j.MapAccounts(codes); err != nil {
			return err
		}
	}
	var body bytes.Buffer
	if err := generalledger.Write(&body, &j, c.Format); err != nil {
		return err
	}
	if c.Output == "" {
		_, err := s.Out.Write(body.Bytes())
		return err
	}
	if err := os.WriteFile(c.Output, body.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%s: batch %s, %d entries\n", c.Output, j.BatchID, j.Control.Entries)
	for _, t := range j.Control.Currencies {
		fmt.Fprintf(s.Out, "  %s debit %s, credit %s\n", t.Currency, t.Debit, t.Credit)
	}
	if j.Unpriced > 0 {
		fmt.Fprintf(s.Out, "  %d events have lines without a price, which are not in it\n", j.Unpriced)
	}
	return nil
}
