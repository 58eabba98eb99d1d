package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/report"
)

type reportCommand struct {
	booksFlags
	From     string            `help:"First day, YYYY-MM-DD."`
	Until    string            `help:"Day after the last, YYYY-MM-DD." name:"until"`
	GroupBy  []string          `help:"${group_by}" default:"kind"`
	Only     map[string]string `help:"Only what has this value of a group-by key; once each." placeholder:"KEY=VALUE"`
	View     string            `help:"${view}" enum:"economic,booked,cash" default:"economic"`
	PeriodBy string            `help:"${period_by}" enum:"occurred,posting" default:"occurred"`
	AsOf     string            `help:"${as_of}"`
	Currency string            `help:"ISO 4217; needed where there are several and none to translate to."`
	Into     string            `help:"${translate_to}" name:"translate-to"`
	Sort     string            `help:"${report_sort}" enum:"cost,key" default:"cost"`
	Format   string            `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// Run prints the leakage report.
func (c *reportCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	query := url.Values{"group_by": {strings.Join(c.GroupBy, ",")}, "view": {c.View}, "period_by": {c.PeriodBy}}
	setGiven(query, map[string]string{"from": c.From, "to": c.Until, "as_of": c.AsOf, "currency": c.Currency,
		"translate_to": c.Into})
	for key, value := range c.Only {
		query.Set(key, value)
	}
	if c.Format != "table" {
		query.Set("format", c.Format)
		return books.get(ctx, "/v1/reports/leakage", query, s.Out)
	}
	var answer report.Leakage
	if err := books.get(ctx, "/v1/reports/leakage", query, &answer); err != nil {
		return err
	}
	if c.Sort == "cost" {
		if err := mostExpensiveFirst(answer.Rows, c.GroupBy); err != nil {
			return err
		}
	}
	return printLeakage(s, &answer, c.GroupBy)
}

// mostExpensiveFirst puts rows in the order in which people read them: days and months one after the other, and within
// each the highest net cost first. Rows of the same cost stay in the order of their keys.
func mostExpensiveFirst(rows []report.LeakageRow, groupBy []string) error {
	type sortable struct {
		row  report.LeakageRow
		when string
		net  *big.Rat
	}
	all := make([]sortable, len(rows))
	for i, row := range rows {
		net, ok := new(big.Rat).SetString(row.Net)
		if !ok {
			return fmt.Errorf("the report's net cost %q is no number", row.Net)
		}
		all[i] = sortable{row: row, net: net}
		for _, key := range groupBy {
			if key == "day" || key == "month" {
				all[i].when += row.Key[key]
			}
		}
	}
	slices.SortStableFunc(all, func(a, b sortable) int {
		return cmp.Or(cmp.Compare(a.when, b.when), b.net.Cmp(a.net))
	})
	for i := range all {
		rows[i] = all[i].row
	}
	return nil
}

// printLeakage writes the report for a person.
func printLeakage(s terminal.Streams, answer *report.Leakage, groupBy []string) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(key []string, f report.LeakageFigures) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t\n", strings.Join(key, "\t"), f.Gross, f.Recoveries, f.Net,
			f.Booked,
			f.Hidden, answer.Currency, f.Cases, f.Orders)
	}
	header := report.Headings(append(slices.Clone(groupBy), "gross", "recoveries", "net", "booked", "hidden", "currency",
		"cases", "orders")...)
	fmt.Fprintf(w, "%s\t\n", strings.Join(header, "\t"))
	for _, row := range answer.Rows {
		key := make([]string, len(groupBy))
		for i, k := range groupBy {
			if key[i] = report.Word(k, row.Key[k]); key[i] == "" {
				key[i] = "-"
			}
		}
		line(key, row.LeakageFigures)
	}
	total := make([]string, len(groupBy))
	if len(total) > 0 {
		total[0] = "total"
	}
	line(total, answer.Totals)
	if err := w.Flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.Out, "\n%sas of %s; %s\n", inCurrency(answer.Currency),
		answer.AsOf.Format("2006-01-02 15:04:05 MST"), apartInWords(answer.Apart, answer.Currency)); err != nil {
		return err
	}
	if answer.Translation == nil {
		return nil
	}
	fmt.Fprintf(w, "\ntranslated to %s\tat\tfrom\tby event\t\n", answer.Translation.Currency)
	for _, r := range answer.Translation.Rates {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\t\n", r.From, r.Rate, r.EffectiveFrom.Format(time.DateOnly), r.Source, r.ID)
	}
	return w.Flush()
}

// apartInWords tells what is no leakage and stands beside it.
func apartInWords(apart map[string]string, currency string) string {
	words := make([]string, 0, len(apart))
	for _, name := range slices.Sorted(maps.Keys(apart)) {
		words = append(words, fmt.Sprintf("%s %s %s", strings.ReplaceAll(name, "_", " "), apart[name], currency))
	}
	return "apart: " + strings.Join(words, ", ")
}

// inCurrency says what a report is in, or that there was nothing in any.
func inCurrency(code string) string {
	if code == "" {
		return "nothing was booked in that time, "
	}
	return "in " + code + ", "
}
