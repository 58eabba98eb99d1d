package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

type auditCommand struct {
	booksFlags
	From   string `help:"First day of recording, YYYY-MM-DD."`
	Until  string `help:"Day after the last, YYYY-MM-DD." name:"until"`
	Format string `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// Run lists who changed the books, the newest last.
func (c *auditCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, _, done, err := c.openBooked(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	query := url.Values{}
	setGiven(query, map[string]string{"from": c.From, "to": c.Until})
	if c.Format != "table" {
		query.Set("format", c.Format)
		return books.get(ctx, "/v1/audit", query, s.Out)
	}
	var found audit.Audit
	if err := books.get(ctx, "/v1/audit", query, &found); err != nil {
		return err
	}
	if found.LeftOut > 0 {
		fmt.Fprintf(s.Out, "%d earlier ones are left out: ask for fewer days\n", found.LeftOut)
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "recorded\twhat\tchange\tby\ttoken\treason\tsource\tid")
	for _, e := range found.Entries {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.RecordedAt.Format("2006-01-02 15:04:05"),
			report.EventWord(e.Type),
			oneLine(e.Change), oneLine(e.Actor), cmp.Or(oneLine(e.Token), "-"), oneLine(e.Reason), e.Source, e.ID)
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
