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
	"github.com/makegood/makegood/projections/report"
)

type closeCommand struct {
	booksFlags
	actorFlags
	Period string `arg:"" help:"The month, YYYY-MM."`
	Yes    bool   `help:"Don't ask."`
}

// errNotDone says that the person at the terminal thought better of it.
var errNotDone = errors.New("nothing was changed")

// Run shows what is provisional in the month, asks, closes it, and waits until the closed month can be quoted.
func (c *closeCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	period, err := domain.ParsePeriod(c.Period)
	if err != nil {
		return err
	}
	books, _, done, err := c.openBooked(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	state, err := books.period(ctx, period)
	if err != nil {
		return err
	}
	if state.Closed {
		return fmt.Errorf("%s is closed already, %s", period, closedBy(state))
	}
	if err := printProvisional(s, state); err != nil {
		return err
	}
	if !state.Over {
		fmt.Fprintf(s.Out, "note: %s is not over yet; what still happens in it will be posted to %s\n", period, period+1)
	}
	if err := c.decide(ctx, s, c.Yes,
		fmt.Sprintf("Close %s? What is recorded from now on is posted to the next open month. Type yes: ", period),
		"Why, for the record (month end, say): "); err != nil {
		return err
	}
	now := time.Now()
	id := onceID("close-"+period.String(), now)
	if err := books.record(ctx, domain.TypePeriodClosed.String(), id, now,
		c.data(map[string]any{"period": period.String()})); err != nil {
		return fmt.Errorf("close %s: %w", period, err)
	}
	// The report of the closed month can be quoted once all that came before is booked and no conflict among it is open.
	if state, err = books.settled(ctx, period); err != nil {
		return err
	}
	if !state.Closed {
		return fmt.Errorf("%s was reopened meanwhile", period)
	}
	if by := state.ClosedBy; by == nil || by.Source != actorSource || by.ID != id {
		// Two at once: the first in the log closed it, and the other's event changes nothing.
		return fmt.Errorf("%s was closed already, %s: yours changed nothing", period, closedBy(state))
	}
	seal, err := books.sealed(ctx, period)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s closed by %s at %s\nits report, until it is reopened and closed again: makegood "+
		"report --as-of close:%s --from %s --until %s\nwhat comes later: makegood report changes --since-close %s\n%s",
		period, c.actor(), state.ClosedAt.Format(time.RFC3339), period, period.First().Format(time.DateOnly),
		(period + 1).First().Format(time.DateOnly), period, sealWords(seal, period))
	return err
}

// closedBy says who closed a month that is closed, when and why.
func closedBy(state *audit.PeriodState) string {
	if state.ClosedBy == nil {
		return "at " + state.ClosedAt.Format(time.RFC3339)
	}
	by := state.ClosedBy.Actor
	if by == "" {
		by = state.ClosedBy.Source
	}
	text := fmt.Sprintf("by %s at %s", oneLine(by), state.ClosedAt.Format(time.RFC3339))
	if why := state.ClosedBy.Reason; why != "" {
		text += fmt.Sprintf(" (%s)", oneLine(why))
	}
	return text
}

type reopenCommand struct {
	booksFlags
	actorFlags
	Period string `arg:"" help:"The month, YYYY-MM."`
	Yes    bool   `help:"Don't ask."`
}

// Run opens a closed month again.
func (c *reopenCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	period, err := domain.ParsePeriod(c.Period)
	if err != nil {
		return err
	}
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	state, err := books.period(ctx, period)
	if err != nil {
		return err
	}
	if !state.Closed {
		return fmt.Errorf("%s is open", period)
	}
	if err := c.decide(ctx, s, c.Yes,
		fmt.Sprintf("Reopen %s, closed at %s? What is recorded from now on is posted to it again. Type yes: ", period,
			state.ClosedAt.Format(time.RFC3339)), "Why, for the record: "); err != nil {
		return err
	}
	now := time.Now()
	if err := books.record(ctx, domain.TypePeriodReopened.String(), onceID("reopen-"+period.String(), now), now,
		c.data(map[string]any{"period": period.String()})); err != nil {
		return fmt.Errorf("reopen %s: %w", period, err)
	}
	if _, err := books.booked(ctx, s); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s reopened by %s; its last close stays on record: --as-of close:%s\n", period, c.actor(),
		period)
	return err
}

func (c *client) period(ctx context.Context, period domain.Period) (*audit.PeriodState, error) {
	var state audit.PeriodState
	if err := c.get(ctx, "/v1/periods/"+period.String(), nil, &state); err != nil {
		return nil, err
	}
	return &state, nil
}

// settled waits until all that stood before the period's last close is booked and past the conflict check, or somebody
// has reopened it.
func (c *client) settled(ctx context.Context, period domain.Period) (*audit.PeriodState, error) {
	for {
		state, err := c.period(ctx, period)
		if err != nil || state.Settled || !state.Closed {
			return state, err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// booked waits until what the log holds now is booked, and says how much that is. Others go on writing meanwhile: to
// wait for a moment at which nothing is under way could take for ever.
func (c *client) booked(ctx context.Context, s terminal.Streams) (status, error) {
	type partition struct {
		topic  string
		number int
	}
	ends := map[partition]int64{}
	for first := true; ; first = false {
		var now status
		if err := c.get(ctx, "/v1/status", nil, &now); err != nil {
			return now, err
		}
		var behind int64
		for _, t := range now.Topics {
			p := partition{t.Topic, t.Partition}
			if first {
				ends[p] = t.End
			}
			behind += max(ends[p]-t.Booked, 0)
		}
		if behind == 0 {
			return now, nil
		}
		if first {
			fmt.Fprintf(s.Err, "%d records are not booked yet: waiting for them ...\n", behind)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return now, err
		}
	}
}

func printProvisional(s terminal.Streams, state *audit.PeriodState) error {
	fmt.Fprintf(s.Out, "%s: %d events posted\n", state.Period, state.Events)
	for _, p := range []struct {
		n          uint64
		what, then string
	}{
		{state.Unpriced, "without a price for some line", "set the rates and rebuild before you close: makegood unpriced, " +
			"makegood rates, makegood rebuild"},
		{state.DeadLetters, "dead letters (of any month)", "makegood deadletters"},
	} {
		if p.n > 0 {
			fmt.Fprintf(s.Out, "  provisional: %d %s: %s\n", p.n, p.what, p.then)
		}
	}
	if !state.Settled {
		fmt.Fprintf(s.Out, "  provisional: %s\n", state.Unsettled)
	}
	if len(state.Open) == 0 {
		return nil
	}
	fmt.Fprintln(s.Out, "  open at the end of the month:")
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, o := range state.Open {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\tof %d orders or cases\t\n", o.Account, o.Name, o.Amount, o.Currency, o.Orders)
	}
	return w.Flush()
}

// ask waits for the word yes.
func ask(ctx context.Context, s terminal.Streams, question string) bool {
	line, _ := s.Answer(ctx, question) // the end of the input is no, and so is an interrupt
	return strings.EqualFold(line, "yes")
}

// reportsCommand holds the reports; the leakage report is the one that is meant when none is named.
type reportsCommand struct {
	Leakage reportCommand  `cmd:"" default:"withargs" help:"What the fixes really cost, by what you ask."`
	Changes changesCommand `cmd:"" help:"What was recorded after a month's close and touches that month."`
	Weekly  weeklyCommand  `cmd:"" help:"A week on one page, as PDF, to be sent to whoever decides."`
}

type changesCommand struct {
	booksFlags
	SinceClose string `help:"${since_close}" required:""`
	Format     string `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// Run lists what came after the close.
func (c *changesCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	query := url.Values{"since_close": {c.SinceClose}}
	if c.Format != "table" {
		query.Set("format", c.Format)
		return books.get(ctx, "/v1/reports/changes", query, s.Out)
	}
	var found report.Changes
	if err := books.get(ctx, "/v1/reports/changes", query, &found); err != nil {
		return err
	}
	printCloses(s, &found)
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "recorded\toccurred\ttype\tsource\tid\torder\tcase\ttouches\tposted in\tnet leakage\tprofit\tcash\t")
	for i := range found.Changes {
		e := &found.Changes[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.RecordedAt.Format("2006-01-02 15:04:05"),
			e.OccurredAt.Format("2006-01-02"),
			report.EventWord(e.Type), e.Source, e.ID, e.OrderID, e.ErrorID, e.Touches, e.PostingPeriod, e.Net, e.Profit, e.Cash,
			e.Currency)
	}
	for _, t := range found.Totals {
		fmt.Fprintf(w, "total\t\t%d events\t\t\t\t\t\t\t%s\t%s\t%s\t%s\n", t.Events, t.Net, t.Profit, t.Cash, t.Currency)
	}
	return w.Flush()
}

// printCloses says which close the changes came after, and what came after the others.
func printCloses(s terminal.Streams, found *report.Changes) {
	if len(found.Closes) == 1 {
		fmt.Fprintf(s.Out, "since the close of %s at %s\n\n", found.Period, found.ClosedAt.Format(time.RFC3339))
		return
	}
	fmt.Fprintf(s.Out, "since close %d of %d of %s, at %s\n", found.Close, len(found.Closes), found.Period,
		found.ClosedAt.Format(time.RFC3339))
	for _, c := range found.Closes {
		switch {
		case c.Number < found.Close && c.Events > 0:
			fmt.Fprintf(s.Out, "since an earlier close, at %s: %d events (--since-close %s/%d)\n",
				c.ClosedAt.Format(time.RFC3339), c.Events, found.Period, c.Number)
		case c.Number > found.Close:
			fmt.Fprintf(s.Out, "reopened, and closed again at %s: %d events since then (--since-close %s/%d)\n",
				c.ClosedAt.Format(time.RFC3339), c.Events, found.Period, c.Number)
		}
	}
	fmt.Fprintln(s.Out)
}
