package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

type explainCommand struct {
	booksFlags
	Order string `arg:"" help:"The order's id."`
	AsOf  string `help:"${as_of}"`
}

// Run tells the story of an order.
func (c *explainCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return explain(ctx, books, c.Order, c.AsOf, s)
}

func explain(ctx context.Context, books *client, order, asOf string, s terminal.Streams) error {
	query := url.Values{}
	if asOf != "" {
		query.Set("as_of", asOf)
	}
	var story report.Story
	if err := books.get(ctx, "/v1/orders/"+url.PathEscape(order), query, &story); err != nil {
		return err
	}
	var b bytes.Buffer
	tell(&b, &story)
	_, err := s.Out.Write(b.Bytes())
	return err
}

// tell writes the story for a person: what happened, what it posted, what the books say and what it really cost.
func tell(b *bytes.Buffer, story *report.Story) {
	fmt.Fprintf(b, "Order %s of store %s, in %s\n", story.OrderID, story.StoreID, story.Currency)
	if story.AsOf != nil {
		fmt.Fprintf(b, "as of %s: what was recorded later is not told\n", story.AsOf.Format("2006-01-02 15:04:05 MST"))
	}
	for _, c := range story.Cases {
		fmt.Fprintf(b, "Case %s: %s\n", c.ErrorID, c.InWords())
	}
	for _, e := range story.Events {
		fmt.Fprintf(b, "\n%s  %s%s\n", e.Time.Format("2006-01-02 15:04"), report.EventWord(e.Type), detailsOf(&e))
		w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		for _, l := range e.Lines {
			debit, credit := l.Amount, ""
			if strings.HasPrefix(l.Amount, "-") {
				debit, credit = "", l.Amount[1:]
			}
			fmt.Fprintf(w, "      %s %s\t%12s\t%12s\t%s\t%s\t%s\n", l.Account, report.AccountWord(l.Name), debit, credit,
				l.Currency,
				report.Word("basis", l.Basis), elementWord(l.Element))
		}
		w.Flush() // into a buffer: it can't fail
		for _, missing := range e.Unpriced {
			fmt.Fprintf(b, "      unpriced: no rate %s\n", missing)
		}
	}
	for _, f := range figuresByCurrency(story) {
		tellFigures(b, &f)
	}
	if story.Unpriced {
		fmt.Fprintln(b, "\nA rate is missing: the real cost is higher.")
	}
}

// figuresByCurrency are the figures of a story by currency, those of the order's own first.
func figuresByCurrency(s *report.Story) []report.StoryFigures {
	own := report.StoryFigures{Currency: s.Currency, PerfectContribution: s.PerfectContribution,
		Contribution:    s.Contribution,
		CustomerChanges: s.CustomerChanges, Gross: s.Gross, Net: s.Net, Hidden: s.Hidden, ChangedMind: s.ChangedMind,
		Unfounded: s.Unfounded}
	return append([]report.StoryFigures{own}, s.Others...)
}

// tellFigures writes what an order came to in one currency. What is apart is told where it is more than nothing.
func tellFigures(b *bytes.Buffer, f *report.StoryFigures) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(b)
	for _, figure := range []struct {
		what, amount string
		apart        bool
	}{
		{"the order was to bring", f.PerfectContribution, false},
		{"what the customer changed brought", f.CustomerChanges, true},
		{"it brought", f.Contribution, false},
		{"the fix cost, before anybody paid us back", f.Gross, false},
		{"of that hidden: your ledger has it as wages and fleet", f.Hidden, false},
		{"net, the real cost of the fix", f.Net, false},
		{"what the general ledger alone shows of it", bookedOnly(f), false},
		{"apart: a customer changed their mind", f.ChangedMind, true},
		{"apart: nobody had failed", f.Unfounded, true},
	} {
		if !figure.apart || strings.Trim(figure.amount, "-0.") != "" {
			fmt.Fprintf(w, "%s:\t%s\t%s\t\n", figure.what, figure.amount, f.Currency)
		}
	}
	w.Flush() // into a buffer: it can't fail
}

// bookedOnly is the net of the fix without what is imputed: what a general ledger knows. Less than zero is a gain.
func bookedOnly(f *report.StoryFigures) string {
	net, err := domain.ParseAmount(f.Net)
	hidden, err2 := domain.ParseAmount(f.Hidden)
	if err != nil || err2 != nil {
		return "?"
	}
	return (net - hidden).String()
}

// detailsOf are an event's details, behind its name.
func detailsOf(e *report.StoryEvent) string {
	if words := report.Details(e.Data); words != "" {
		return ": " + words
	}
	return ""
}

// elementWord says what a failure line counts as; nothing of any other line.
func elementWord(element string) string {
	if element == "" {
		return ""
	}
	return report.Word("element", element)
}
