package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/generalledger"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// Journal reads a batch for the general ledger, with the company's account codes where the server was given them.
func (b books) Journal(ctx context.Context, r gateway.JournalRequest) (*gateway.Document, error) {
	if r.Query.Final {
		var err error
		if r.Query.Closes, err = b.closed(ctx, r.Query.Months()); err != nil {
			return nil, err
		}
	}
	j, err := report.ReadJournal(ctx, b.store.DB, r.Query)
	if err != nil {
		return nil, err
	}
	if b.config.Accounts != "" && !r.DefaultChart {
		// Read for every batch: who mends the file needn't restart anything.
		codes, err := generalledger.ReadAccountsFile(b.config.Accounts)
		if err != nil {
			return nil, err
		}
		if err := j.MapAccounts(codes); err != nil {
			return nil, err
		}
	}
	var body bytes.Buffer
	if err := generalledger.Write(&body, j, r.Format); err != nil {
		return nil, err
	}
	contentType, ending := generalledger.ContentType(r.Format)
	return &gateway.Document{Name: "journal-" + j.BatchID + ending, ContentType: contentType, Body: body.Bytes()}, nil
}

// closed are the closes of the months. Its error says which of them are open, or not yet settled up to their close.
func (b books) closed(ctx context.Context, months []domain.Period) ([]report.Close, error) {
	if err := b.terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	var open []string
	var closes []report.Close
	b.terms.Use(func(t *domain.Terms) {
		for _, m := range months {
			if !t.Periods.IsClosed(m) {
				open = append(open, m.String())
				continue
			}
			mark, _ := t.Periods.LastClose(m)
			closes = append(closes, report.Close{Period: m, Mark: mark})
		}
	})
	if len(open) > 0 {
		return nil, &report.OpenPeriodsError{Periods: open}
	}
	unsettled, err := b.unsettled(ctx, farthest(closes))
	if err != nil {
		return nil, err
	}
	if unsettled != (audit.Unsettled{}) {
		return nil, &audit.UnsettledError{Unsettled: unsettled}
	}
	return closes, nil
}

// farthest is where each partition stood at the last of the closes; nil where one of them doesn't say.
func farthest(closes []report.Close) map[domain.Partition]int64 {
	ends := map[domain.Partition]int64{}
	for i := range closes {
		if closes[i].Mark.Ends == nil {
			return nil
		}
		for p, end := range closes[i].Mark.Ends {
			ends[p] = max(ends[p], end)
		}
	}
	return ends
}

type journalCommand struct {
	booksFlags
	From     string `help:"First day, YYYY-MM-DD."`
	Until    string `help:"Day after the last, YYYY-MM-DD." name:"until"`
	PeriodBy string `help:"By the period it is posted in, or by when it happened." enum:"posting,occurred" default:"posting"`
	Every    string `help:"One entry a month or a day." enum:"month,day" default:"month"`
	Detail   string `help:"aggregated by account and store, or events: one entry an event." enum:"aggregated,events" default:"aggregated"`
	Currency string `help:"ISO 4217; all where none is given."`
	AsOf     string `help:"What was recorded by then: a time, or close:YYYY-MM (its last close; close:YYYY-MM/1 its first)."`
	Final    bool   `help:"Refuse months that are not closed."`
	Format   string `help:"csv, xlsx, json, or quickbooks (CSV of its import)." enum:"json,csv,xlsx,quickbooks" default:"csv"`
	Output   string `help:"File to write; standard output where none is given." short:"o" type:"path"`
}

// Run writes the journal.
func (c *journalCommand) Run(ctx context.Context, logger *slog.Logger, s streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	query := url.Values{"period_by": {c.PeriodBy}, "every": {c.Every}, "detail": {c.Detail}, "format": {"json"}}
	for name, value := range map[string]string{"from": c.From, "to": c.Until, "currency": c.Currency, "as_of": c.AsOf} {
		if value != "" {
			query.Set(name, value)
		}
	}
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
		_, err := s.out.Write(body.Bytes())
		return err
	}
	if err := os.WriteFile(c.Output, body.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: batch %s, %d entries\n", c.Output, j.BatchID, j.Control.Entries)
	for _, t := range j.Control.Currencies {
		fmt.Fprintf(s.out, "  %s debit %s, credit %s\n", t.Currency, t.Debit, t.Credit)
	}
	if j.Unpriced > 0 {
		fmt.Fprintf(s.out, "  %d events have lines without a price, which are not in it\n", j.Unpriced)
	}
	return nil
}
