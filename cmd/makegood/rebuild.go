package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/projections/shadow"
)

type rebuildCommand struct {
	booksFlags
	actorFlags
	ClosedPeriods bool `help:"Months that are closed may move as well: their reports change."`
	Whole         bool `help:"${rebuild_whole}"`
	DryRun        bool `help:"Say what would change, and change nothing."`
	Discard       bool `help:"Throw away the one that is under way, and begin none."`
	Yes           bool `help:"Don't ask."`
}

// Run posts history again beside the books, shows what that changes, asks, and makes it the books.
func (c *rebuildCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if c.Discard {
		return books.discardUnderWay(ctx, s)
	}
	if _, err := books.booked(ctx, s); ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", errNotDone)
	} else if err != nil {
		return err
	}
	if !c.Yes && !c.DryRun && !s.Script() { // whose first line answers the question that comes later
		if err := c.askWhy(ctx, s, "Why is history posted again? For the record: "); err != nil {
			return err
		}
	}
	body, err := json.Marshal(gateway.RebuildRequest{Actor: gateway.Actor{Name: c.actor(), Reason: c.Reason},
		ClosedPeriods: c.ClosedPeriods, Whole: c.Whole})
	if err != nil {
		return fmt.Errorf("ask for a rebuild: %w", err)
	}
	var answer rebuildAnswer
	// Not interrupted: it would have begun, and nobody would know which it is.
	if err := books.post(context.WithoutCancel(ctx), "/v1/rebuild", "application/json", bytes.NewReader(body),
		&answer); err != nil {
		return fmt.Errorf("begin a rebuild: %w", err)
	}
	id := answer.Rebuild.ID
	giveUp := func(why error) error {
		if ctx.Err() != nil {
			why = fmt.Errorf("interrupted: %w, and rebuild %s is discarded", errNotDone, id)
		}
		return errors.Join(why, books.discard(context.WithoutCancel(ctx), id))
	}
	r, err := books.computed(ctx, id, s)
	if err != nil {
		return giveUp(err)
	}
	if err := printRebuild(s, r); err != nil {
		return giveUp(err)
	}
	switch {
	case r.Report.Nothing():
		fmt.Fprintln(s.Out, "the books are as a rebuild would make them: nothing was changed")
		return giveUp(nil)
	case c.DryRun:
		fmt.Fprintln(s.Out, "this was a dry run: nothing was changed")
		return giveUp(nil)
	case !c.Yes && !ask(ctx, s, "Make this the books? Type yes: "):
		return giveUp(errNotDone)
	}
	if err := books.post(ctx, "/v1/rebuild/"+id+"/swap", "", nil, nil); err != nil {
		return fmt.Errorf("make rebuild %s the books: %w", id, err)
	}
	if err := books.swapped(ctx, id); ctx.Err() != nil {
		return fmt.Errorf("interrupted: rebuild %s is written to the log, and becomes the books without this command", id)
	} else if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "rebuilt by %s: %s events were posted again (rebuild %s)\n", c.actor(),
		terminal.Count(float64(r.Report.Events)), id)
	return err
}

type rebuildAnswer struct {
	Rebuild *shadow.Rebuild `json:"rebuild"`
}

func (c *client) rebuild(ctx context.Context, id string) (*shadow.Rebuild, error) {
	var answer rebuildAnswer
	if err := c.get(ctx, "/v1/rebuild", url.Values{"id": {id}}, &answer); err != nil {
		return nil, err
	}
	return answer.Rebuild, nil
}

func (c *client) discard(ctx context.Context, id string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete, c.base+"/v1/rebuild/"+url.PathEscape(id), nil)
	if err != nil {
		return err
	}
	return c.do(request, nil)
}

// discardUnderWay throws away the rebuild that is computed, or waits to be swapped in, and says whose it was.
func (c *client) discardUnderWay(ctx context.Context, s terminal.Streams) error {
	r, err := c.rebuild(ctx, "")
	if err != nil {
		return err
	}
	if r == nil || r.State != shadow.Computing && r.State != shadow.Ready && r.State != shadow.Swapping {
		return errors.New("no rebuild is under way: nothing was changed")
	}
	if err := c.discard(ctx, r.ID); err != nil {
		return fmt.Errorf("discard rebuild %s: %w", r.ID, err)
	}
	_, err = fmt.Fprintf(s.Out, "rebuild %s is discarded, begun by %s at %s (%s): the books are as they were\n", r.ID,
		oneLine(r.Actor), r.Started.UTC().Format(time.RFC3339), oneLine(r.Reason))
	return err
}

// computed waits until a rebuild is, and says how far it is every now and then.
func (c *client) computed(ctx context.Context, id string, s terminal.Streams) (*shadow.Rebuild, error) {
	started, said := time.Now(), time.Now()
	for {
		r, err := c.rebuild(ctx, id)
		if err != nil {
			return nil, err
		}
		switch r.State {
		case shadow.Computing:
		case shadow.Ready:
			fmt.Fprintf(s.Err, "%s rows posted again in %s; %s that neither rules nor rates can change passed over\n",
				terminal.Count(float64(r.Done)), time.Since(started).Round(10*time.Millisecond),
				terminal.Count(float64(r.PassedOver)))
			return r, nil
		default:
			return nil, ended(r)
		}
		if time.Since(said) > 2*time.Second {
			said = time.Now()
			fmt.Fprintf(s.Err, "%s of at most %s rows, %s/s ...\n", terminal.Count(float64(r.Done)),
				terminal.Count(float64(r.Total)),
				terminal.Count(float64(r.Done)/time.Since(started).Seconds()))
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// swapped waits until a rebuild is the books.
func (c *client) swapped(ctx context.Context, id string) error {
	for {
		r, err := c.rebuild(ctx, id)
		if err != nil {
			return err
		}
		switch r.State {
		case shadow.Done:
			return nil
		case shadow.Swapping:
		default:
			return ended(r)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// ended says how a rebuild ended that did not become the books.
func ended(r *shadow.Rebuild) error {
	if r.State == shadow.Discarded {
		return fmt.Errorf("rebuild %s was discarded by somebody: nothing was changed", r.ID)
	}
	return fmt.Errorf("rebuild %s is %s: %s", r.ID, r.State, r.Error)
}

// printRebuild writes what a rebuild changes for a person.
func printRebuild(s terminal.Streams, r *shadow.Rebuild) error {
	d := r.Report
	fmt.Fprintf(s.Out, "%d events come out otherwise; without a price for some line: %d before, %d after\n", d.Events,
		d.UnpricedBefore, d.UnpricedAfter)
	if d.Mended > 0 {
		fmt.Fprintf(s.Out, "%d rows of what is kept from the ledger did not agree with it and are mended\n", d.Mended)
	}
	if len(d.Accounts) > 0 {
		w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "\nposted in\taccount\tstore\tcurrency\tbefore\tafter\tchange\t")
		for _, a := range d.Accounts {
			fmt.Fprintf(w, "%s\t%s %s\t%s\t%s\t%s\t%s\t%s\t\n", a.Period, a.Account, a.Name, a.Store, a.Currency, a.Before,
				a.After, a.Delta)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(s.Out)
	}
	for _, l := range d.Left {
		fmt.Fprintf(s.Out, "%s: %d events would come out otherwise and stay as a close has seen them "+
			"(--closed-periods posts "+
			"the difference)\n", l.Period, l.Events)
		for _, e := range l.Named[:min(len(l.Named), 10)] {
			fmt.Fprintf(s.Out, "  %s %s\n", e.Source, e.ID)
		}
	}
	if d.NotPosted > 0 {
		fmt.Fprintf(s.Out, "%d events can't be posted by today's rules and stay as they are\n", d.NotPosted)
		for _, e := range d.NotPostedEvents[:min(len(d.NotPostedEvents), 10)] {
			fmt.Fprintf(s.Out, "  %s %s: %s\n", e.Source, e.ID, e.Why)
		}
	}
	return nil
}
