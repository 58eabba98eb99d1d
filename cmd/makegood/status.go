package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"text/tabwriter"

	"github.com/makegood/makegood/cmd/makegood/terminal"
)

type statusCommand struct {
	booksFlags
}

// Run prints how far the books are.
func (c *statusCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	var now status
	if err := books.get(ctx, "/v1/status", nil, &now); err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "topic\tpartition\tend\tbooked\tbehind\tchecked\n")
	for _, t := range now.Topics {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", t.Topic, t.Partition, t.End, t.Booked, t.End-t.Booked, t.Checked)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, p := range now.Problems {
		fmt.Fprintf(s.Out, "\n%s: %s\n", p.Kind, p.Reason)
	}
	for _, g := range now.Gaps {
		fmt.Fprintf(s.Out, "\nbeing read again, since the store had lost it: %s/%d, offsets %d to %d\n", g.Stream,
			g.Partition,
			g.First, g.Upto-1)
	}
	_, err = fmt.Fprintf(s.Out, "\ncaught up: %t\nevents %d, dead letters %d, unpriced %d, conflicts %d\n"+
		"doubles %d, contradictions %d, voids of nothing %d, flagged %d\n", now.CaughtUp, now.Events, now.DeadLetters,
		now.Unpriced, now.Conflicts, now.Doubles, now.Contradictions, now.VoidsNothing, now.Flagged)
	return err
}
