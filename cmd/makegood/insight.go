package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/report"
)

// insightCommand asks one of the owner's questions: each is a command of its own name.
type insightCommand struct {
	booksFlags
	From     string            `help:"First day, YYYY-MM-DD."`
	Until    string            `help:"Day after the last, YYYY-MM-DD."`
	Store    string            `help:"One store alone."`
	Currency string            `help:"ISO 4217; needed where there are several."`
	AsOf     string            `help:"${as_of}"`
	With     map[string]string `help:"A parameter of this question, once for each." placeholder:"NAME=VALUE"`
	Part     string            `help:"One of its further tables, where there are any."`
	List     string            `help:"One of its lists of what is behind a row, which --with names." placeholder:"NAME"`
	Format   string            `help:"table, csv, xlsx or json." enum:"table,csv,xlsx,json" default:"table"`
	Output   string            `help:"File to write; standard output where none is given." short:"o" type:"path"`

	question *insight.Question
}

// insightCommands are the questions as commands.
func insightCommands() []kong.Option {
	var all []kong.Option
	for _, q := range insight.Questions() {
		if strings.Contains(q.Name, "/") {
			continue // it has a command of its own
		}
		help := q.About
		for _, p := range q.Params {
			help += fmt.Sprintf(" --with %s=…: %s", p.Name, p.About)
		}
		if lists := q.Lists(); len(lists) > 0 {
			help += " --list " + strings.Join(lists, " or ") + ": what is behind its rows."
		}
		all = append(all, kong.DynamicCommand(q.Name, help, "", &insightCommand{question: q}))
	}
	return all
}

// Run prints the answer.
func (c *insightCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	question := c.question
	if c.List != "" {
		if question = insight.QuestionOf(c.question.Name + "/" + c.List); question == nil || !question.IsList() {
			return fmt.Errorf("--list: %q is none of its lists: %s", c.List,
				cmp.Or(strings.Join(c.question.Lists(), ", "), "it has no lists"))
		}
	}
	if c.Part != "" && !slices.Contains(question.PartNames(), c.Part) {
		return fmt.Errorf("--part: %q is none of %s", c.Part, strings.Join(question.PartNames(), ", "))
	}
	query := url.Values{}
	setGiven(query, map[string]string{"from": c.From, "to": c.Until, "store": c.Store, "currency": c.Currency,
		"as_of": c.AsOf, "part": c.Part})
	for name, value := range c.With {
		query.Set(name, value)
	}
	if c.Format != "table" {
		query.Set("format", c.Format)
	}
	// Whole before any of it is written: a file that is cut short looks like an answer.
	var text bytes.Buffer
	if err := books.get(ctx, "/v1/"+question.Name, query, &text); err != nil {
		return err
	}
	if c.Format == "table" {
		a, err := question.Decode(text.Bytes())
		if err != nil {
			return err
		}
		text.Reset()
		if err := printInsight(&text, question, a, c.Part); err != nil {
			return err
		}
	}
	if err := s.Give(text.Bytes(), c.Output); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// printInsight writes the answer for a person: its own table and then the others, or one of those alone.
func printInsight(out *bytes.Buffer, q *insight.Question, a *insight.Answer, part string) error {
	tables := []string{part}
	if part == "" {
		tables = append(tables, q.PartNames()...)
	}
	for i, name := range tables {
		if i > 0 {
			fmt.Fprintf(out, "\n%s\n", strings.ReplaceAll(name, "_", " "))
		}
		columns, of := q.Table(a, name)
		if q.Name != "next" { // links are for programs: a terminal has --list
			columns = slices.DeleteFunc(slices.Clone(columns), func(c insight.Column) bool { return c.Name == "link" })
		}
		cells := of.ForPeople(columns)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		rows := append([][]string{cells.Header}, cells.Rows...)
		if len(of.Totals) > 0 {
			rows = append(rows, of.TotalsRow(columns))
		}
		for _, row := range rows {
			for _, text := range row {
				if text == "" {
					text = "-"
				}
				fmt.Fprintf(w, "%s\t", text)
			}
			fmt.Fprintln(w)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\n%s%s to %s (exclusive), as of %s\n%s\nMore: %s\n", inCurrencyOf(a), a.From, a.To,
		a.AsOf.Format("2006-01-02 15:04:05 MST"), a.Method, a.Link)
	for _, m := range a.Missing {
		fmt.Fprintf(out, "missing: %d %s\n", m.N, report.Word("missing", m.Code))
	}
	return nil
}

func inCurrencyOf(a *insight.Answer) string {
	if a.Currency == "" {
		return ""
	}
	return "in " + a.Currency + ", "
}
