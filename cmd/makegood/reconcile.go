package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/audit"
)

type reconcileCommand struct {
	booksFlags
	Payouts  string `help:"CSV of a payment processor, with the columns date, id and amount; - is standard input."`
	Currency string `help:"ISO 4217: of the payouts."`
	AsOf     string `help:"${balances_as_of}" placeholder:"TIME"`
	LagDays  int    `help:"Days that the processor takes to pay." default:"7"`
	Format   string `help:"table or json." enum:"table,json" default:"table"`
}

// errDiffers makes the exit status tell that something differs.
var errDiffers = errors.New("the books differ from what they were held against")

// Run compares, and says what differs.
func (c *reconcileCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	var payouts []byte
	switch c.Payouts {
	case "":
	case "-":
		payouts, err = io.ReadAll(s.In)
	default:
		payouts, err = os.ReadFile(c.Payouts)
	}
	if err != nil {
		return fmt.Errorf("read the payouts: %w", err)
	}
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if _, err := books.caughtUp(ctx); err != nil {
		return err
	}
	books.http.Timeout = 0 // all of the log is read
	query := url.Values{"lag_days": {fmt.Sprint(c.LagDays)}}
	if c.Currency != "" {
		query.Set("currency", c.Currency)
	}
	if c.AsOf != "" {
		query.Set("as_of", c.AsOf)
	}
	var found audit.Reconciliation
	if err := books.post(ctx, "/v1/reconcile?"+query.Encode(), "text/csv", bytes.NewReader(payouts), &found); err != nil {
		return err
	}
	return tellFound(s, c.Format, &found, printReconciliation, errDiffers)
}

// tellFound writes what was found, as JSON or for a person. Where it isn't clean, that is the error, and so the exit
// status.
func tellFound[F interface{ Clean() bool }](s terminal.Streams, format string, found F,
	write func(terminal.Streams, F) error, unclean error) error {
	if format == "json" {
		write = func(s terminal.Streams, found F) error { return json.NewEncoder(s.Out).Encode(found) }
	}
	if err := write(s, found); err != nil {
		return err
	}
	if !found.Clean() {
		return unclean
	}
	return nil
}

// printReconciliation writes it for a person: what was compared, what differs, what is open.
func printReconciliation(s terminal.Streams, r *audit.Reconciliation) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "log\tpartition\tfrom\tto\tend\trecords\tevents\tduplicates\tdead letters\t\n")
	for _, l := range r.Log {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", l.Topic, l.Partition, l.Start, l.Booked, l.End, l.Records,
			l.Events, l.Duplicates, l.DeadLetters)
	}
	fmt.Fprintf(w, "\ncheck\tcompared\tdifferences\t\n")
	for _, c := range r.Checks {
		fmt.Fprintf(w, "%s\t%d\t%d\t\n", c.Name, c.Compared, c.Differences)
	}
	if p := r.Payouts; p != nil {
		fmt.Fprintf(w, "\npayouts %s to %s\tclearing\tin transit\tmatched\t\n%s %s\t%s\t%s\t%d\t\n", p.From, p.To, p.Payouts,
			p.Currency, p.Clearing, p.InTransit, p.Matched)
	}
	type key struct{ account, currency string }
	type aged struct {
		n    int
		sums [4]domain.Amount
	}
	open := map[key]*aged{}
	var keys []key
	for i := range r.Balances {
		b := &r.Balances[i]
		k := key{b.Account + " " + b.Name, b.Currency}
		if open[k] == nil {
			open[k] = &aged{}
			keys = append(keys, k)
		}
		amount, err := domain.ParseAmount(b.Balance)
		if err != nil {
			return fmt.Errorf("read the balance of %s: %w", b.Reference, err)
		}
		open[k].n++
		open[k].sums[min(max(b.AgeDays-1, 0)/30, 3)] += amount
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(strings.Compare(a.account, b.account), strings.Compare(a.currency, b.currency))
	})
	fmt.Fprintf(w, "\nopen balances at %s\tcurrency\titems\tto 30 days\tto 60\tto 90\tolder\t\n",
		r.BalancesAt.Format(time.RFC3339))
	for _, k := range keys {
		a := open[k]
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t\n", k.account, k.currency, a.n, a.sums[0], a.sums[1], a.sums[2],
			a.sums[3])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := printDoubts(s.Out, r); err != nil {
		return err
	}
	for _, d := range r.Differences {
		fmt.Fprintf(s.Out, "\n%s: %s\n", d.Check, d.What)
		if d.Place != "" {
			fmt.Fprintf(s.Out, "  at %s\n", d.Place)
		}
		if d.Expected != "" || d.Actual != "" {
			fmt.Fprintln(s.Out, strings.TrimRight(fmt.Sprintf("  expected %s, found %s %s", d.Expected, d.Actual, d.Currency),
				" "))
		}
		for _, e := range d.Events {
			fmt.Fprintf(s.Out, "  event %s\n", e)
		}
	}
	return nil
}

// printDoubts lists what waits for a decision and what can't be right.
func printDoubts(out io.Writer, r *audit.Reconciliation) error {
	if len(r.Contradictions) > 0 {
		fmt.Fprintln(out, "\ncontradictions: these wait, decide each with makegood doubles decide SOURCE ID")
		if err := printSaidTwice(out, r.Contradictions); err != nil {
			return err
		}
	}
	if len(r.Flags) == 0 {
		return nil
	}
	fmt.Fprintln(out, "\nflags: these can't be right, and are booked as far as they are known")
	return printFlags(out, r.Flags)
}
