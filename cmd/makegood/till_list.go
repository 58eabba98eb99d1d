package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"text/tabwriter"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	gateway "github.com/makegood/makegood/infra/http"
)

type tillListCommand struct{ booksFlags }

// Run lists the tills that a makegood serves, and how it goes with each.
func (c *tillListCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	var answer struct {
		Tills []gateway.TillStatus `json:"tills"`
	}
	if err := books.get(ctx, "/v1/tills", nil, &answer); err != nil {
		return err
	}
	if len(answer.Tills) == 0 {
		_, err := fmt.Fprintln(s.Out, "no till is configured there: serve --tills FILE")
		return err
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "till\tmapping\tlast seen\tevents\trefused\twaiting")
	problem := ""
	for _, t := range answer.Tills {
		seen := "never"
		if t.LastSeen != nil {
			seen = t.LastSeen.Format("2006-01-02 15:04:05")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\n", t.Name, t.Mapping, seen, t.Events, t.Refused, t.Waiting)
		problem = t.Problem
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if problem != "" {
		_, err = fmt.Fprintf(s.Out, "\nthe tills file can't be used as it is now, and what it said before is in force:\n%s\n",
			problem)
	}
	return err
}
