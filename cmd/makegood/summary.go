package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"text/tabwriter"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/report"
)

type summaryCommand struct {
	booksFlags
	From     string `help:"First day, YYYY-MM-DD." required:""`
	Until    string `help:"Day after the last, YYYY-MM-DD." required:""`
	Store    string `help:"One store alone."`
	Currency string `help:"ISO 4217; needed where there are several."`
	PeriodBy string `help:"${period_by}" enum:"occurred,posting" default:"occurred"`
	AsOf     string `help:"${as_of}"`
	Format   string `help:"table or json." enum:"table,json" default:"table"`
}

// Run prints the summary.
func (c *summaryCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	query := url.Values{"from": {c.From}, "to": {c.Until}, "period_by": {c.PeriodBy}}
	setGiven(query, map[string]string{"store": c.Store, "currency": c.Currency, "as_of": c.AsOf})
	if c.Format == "json" {
		return books.get(ctx, "/v1/summary", query, s.Out)
	}
	var summary report.Summary
	if err := books.get(ctx, "/v1/summary", query, &summary); err != nil {
		return err
	}
	return printSummary(s, &summary)
}

// printSummary writes every number with what it was divided by.
func printSummary(s terminal.Streams, m *report.Summary) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	text := func(value *string) string {
		if value == nil {
			return "-"
		}
		return *value
	}
	fmt.Fprintf(w, "\t\tof\t\tamounts in\t\n")
	for _, n := range []struct {
		name string
		report.Ratio
		currency string
	}{
		{"right first time", m.RightFirstTime, ""}, {"perfect order", m.PerfectOrder, ""}, {"on time", m.OnTime, ""},
		{"in full", m.InFull, ""},
		{"silent failures", m.SilentFailures, ""}, {"with a time promised", m.Promised, ""},
		{"fix promise kept", m.FixPromiseKept, ""},
		{"avoidable share", m.AvoidableShare, m.Currency}, {"without that mark", m.Unmarked, m.Currency},
		{"hidden share", m.HiddenShare, m.Currency}, {"leakage share of net sales", m.LeakageShareOfNetSales, m.Currency},
		{"cost per case", m.CostPerCase, m.Currency}, {"perfect contribution", m.PerfectContribution, m.Currency},
		{"orders to earn back", m.OrdersToEarnBack, m.Currency},
		{"prevention", m.PAF.Prevention, m.Currency}, {"appraisal", m.PAF.Appraisal, m.Currency},
		{"internal failure", m.PAF.Internal, m.Currency}, {"external failure", m.PAF.External, m.Currency},
	} {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t\n", n.name, n.Numerator, n.Denominator, text(n.Value), n.currency)
	}
	fmt.Fprintf(w, "\n\tcash\tprofit\tdifference\tamounts in\t\nthe same fixes\t%s\t%s\t%s\t%s\t\n", m.CashAndProfit.Cash,
		m.CashAndProfit.Profit, m.CashAndProfit.Difference, m.Currency)
	fmt.Fprintf(w, "\nbought again within\tof\treturned\tshare\t95 %% from\tto\t\n")
	for _, r := range m.ReturningCustomers {
		for _, g := range []struct {
			name string
			report.Share
		}{{"first order wrong", r.WithError}, {"first order right", r.WithoutError}} {
			fmt.Fprintf(w, "%d days, %s\t%d\t%d\t%s\t%s\t%s\t\n", r.Days, g.name, g.N, g.Returned, text(g.Share.Share),
				text(g.Low), text(g.High))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Out, "\n%s to %s (exclusive), %sas of %s; %s\n", m.From, m.To, inCurrency(m.Currency),
		m.AsOf.Format("2006-01-02 15:04:05 MST"), apartInWords(m.Apart, m.Currency))
	return err
}
