package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// Audit lists who changed the books on the days from one on and before another.
func (b books) Audit(ctx context.Context, from, to time.Time, limit int) (*audit.Audit, error) {
	if err := b.terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(b.config.Zone)
	if err != nil {
		return nil, err
	}
	midnight := func(day time.Time) time.Time {
		y, m, d := day.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, zone)
	}
	changed := func(source, id string) (is bool) {
		b.terms.Use(func(t *domain.Terms) { is = t.Periods.Changed(source, id) })
		return is
	}
	return audit.ReadAudit(ctx, b.store.DB, changed, midnight(from), midnight(to), limit)
}

// Event finds an event by its identity.
func (b books) Event(ctx context.Context, source, id string) (*report.BookedEvent, error) {
	return report.ReadEvent(ctx, b.store.DB, source, id)
}

type auditCommand struct {
	booksFlags
	From   string `help:"First day of recording, YYYY-MM-DD."`
	Until  string `help:"Day after the last, YYYY-MM-DD." name:"until"`
	Format string `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// Run lists who changed the books, the newest last.
func (c *auditCommand) Run(ctx context.Context, logger *slog.Logger, s streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if _, err := books.booked(ctx, s); err != nil {
		return err
	}
	query := url.Values{}
	for name, value := range map[string]string{"from": c.From, "to": c.Until} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if c.Format != "table" {
		query.Set("format", c.Format)
		return books.get(ctx, "/v1/audit", query, s.out)
	}
	var found audit.Audit
	if err := books.get(ctx, "/v1/audit", query, &found); err != nil {
		return err
	}
	if found.LeftOut > 0 {
		fmt.Fprintf(s.out, "%d earlier ones are left out: ask for fewer days\n", found.LeftOut)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "recorded\twhat\tchange\tby\treason\tsource\tid")
	for _, e := range found.Entries {
		who := e.Actor
		if who == "" {
			who = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.RecordedAt.Format("2006-01-02 15:04:05"), domain.ShortName(e.Type),
			oneLine(e.Change), oneLine(who), oneLine(e.Reason), e.Source, e.ID)
	}
	return w.Flush()
}

// oneLine keeps what people wrote from breaking a table, or from moving the cursor of whoever reads it.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
