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

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/audit"
)

type verifyCommand struct {
	booksFlags
	Period     string `arg:"" optional:"" help:"${verify_period}"`
	Root       string `help:"${verify_root}" placeholder:"HEX"`
	LedgerOnly bool   `help:"Make the roots alone: the log isn't read, and nothing is settled again."`
	Format     string `help:"table or json." enum:"table,json" default:"table"`
}

// errNotAsSealed makes the exit status tell that something deviates.
var errNotAsSealed = errors.New("not everything is as it was sealed")

// Run holds closed months against their seals, and says what deviates.
func (c *verifyCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, _, done, err := c.openBooked(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	books.http.Timeout = 0 // all of the log is read
	query := url.Values{}
	setGiven(query, map[string]string{"period": c.Period, "root": c.Root})
	if c.LedgerOnly {
		query.Set("ledger_only", "true")
	}
	var found audit.Verification
	if err := books.get(ctx, "/v1/verify", query, &found); err != nil {
		return err
	}
	return tellFound(s, c.Format, &found, printVerification, errNotAsSealed)
}

// printVerification writes it for a person: each close with its root, then each deviation with its event.
func printVerification(s terminal.Streams, v *audit.Verification) error {
	if len(v.Seals) == 0 {
		fmt.Fprintln(s.Out, "no month was ever closed")
		return nil
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "month\tclose\tclosed\tevents\troot\tas sealed")
	for i := range v.Seals {
		c := &v.Seals[i]
		word := "yes"
		if !c.Verified {
			word = "NO"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%s\t%s\n", c.Period, c.Close, c.ClosedAt.Format("2006-01-02 15:04:05"), c.Events,
			c.Root, word)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if v.Records > 0 {
		fmt.Fprintf(s.Out, "held against %d records of the log\n", v.Records)
	}
	means := map[string]string{}
	for _, c := range audit.DeviationCodes() {
		means[c.Code] = c.Means
	}
	for i := range v.Deviations {
		printDeviation(s, &v.Deviations[i], means)
	}
	if more := v.Found - uint64(len(v.Deviations)); more > 0 {
		fmt.Fprintf(s.Out, "\nand %d more\n", more)
	}
	return nil
}

func printDeviation(s terminal.Streams, d *audit.Deviation, means map[string]string) {
	fmt.Fprintf(s.Out, "\n%s, close %d: %s\n  %s\n", d.Period, d.Close, d.Code, means[d.Code])
	if d.ID != "" {
		about := ""
		for _, of := range [...][2]string{{"order", d.OrderID}, {"case", d.ErrorID}} {
			if of[1] != "" {
				about += fmt.Sprintf(", %s %s", of[0], oneLine(of[1]))
			}
		}
		fmt.Fprintf(s.Out, "  event %s of %s%s\n", oneLine(d.ID), oneLine(d.Source), about)
	}
	if d.Place != "" {
		fmt.Fprintf(s.Out, "  in the log at %s\n", d.Place)
	}
	if d.Expected != "" || d.Actual != "" {
		fmt.Fprintf(s.Out, "  expected %s, found %s\n", oneLine(d.Expected), oneLine(d.Actual))
	}
}

// sealed waits a little for the seal of a close: closing is done, and doesn't depend on it.
func (c *client) sealed(ctx context.Context, period domain.Period) (*audit.SealSaid, error) {
	const patience = 10 * time.Second
	for end := time.Now().Add(patience); ; {
		state, err := c.period(ctx, period)
		if err != nil || state.Seal != nil || time.Now().After(end) {
			if state == nil {
				return nil, err
			}
			return state.Seal, err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// sealWords say what there is to know of a seal.
func sealWords(seal *audit.SealSaid, period domain.Period) string {
	if seal == nil {
		return "its seal is not written yet: makegood verify " + period.String() + "\n"
	}
	return strings.Join([]string{
		fmt.Sprintf("sealed: %d events, root %s", seal.Events, seal.Root),
		"keep the root; whether the books still make it: makegood verify " + period.String() + " --root " + seal.Root,
	}, "\n") + "\n"
}
