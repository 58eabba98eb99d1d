package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

type voidCommand struct {
	booksFlags
	Source string `arg:"" help:"The source of the event to be taken back, as makegood explain and the page show it."`
	ID     string `arg:"" help:"Its id."`
	Actor  string `help:"Who does this; the user of the operating system where nobody is named."`
	Reason string `help:"Why." required:""`
	Yes    bool   `help:"Don't ask."`
}

// Run shows what the event posted, asks, takes it back, and waits until that is booked. What is void already stays as
// it is.
func (c *voidCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, _, done, err := c.openBooked(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	original, err := books.event(ctx, c.Source, c.ID)
	if err != nil {
		return err
	}
	var envelope struct{ Type, Subject string }
	if err := json.Unmarshal(original.Event, &envelope); err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	if v := original.VoidedBy; v != nil {
		by := v.Actor
		if by == "" {
			by = v.Source
		}
		_, err := fmt.Fprintf(s.Out, "%s %s was voided by %s at %s (%s): nothing was changed\n",
			report.EventWord(envelope.Type), c.ID, oneLine(by), v.RecordedAt.Format(time.RFC3339), oneLine(v.Reason))
		return err
	}
	fmt.Fprintf(s.Out, "%s %s of %s, recorded at %s, posted in %s, %s\n", report.EventWord(envelope.Type), c.ID, c.Source,
		original.RecordedAt.Format(time.RFC3339),
		original.PostingPeriod, about(envelope.Subject))
	if err := printLines(s, original); err != nil {
		return err
	}
	if err := agree(ctx, s, c.Yes, "Take all of this back? Type yes: "); err != nil {
		return err
	}
	now := time.Now()
	by := actorFlags{Actor: c.Actor, Reason: c.Reason}
	id := voidID(c.Source, c.ID)
	if err := books.recordAbout(ctx, envelope.Subject, domain.TypeEventVoided.String(), id, now,
		by.data(map[string]any{"voids": map[string]string{"source": c.Source, "id": c.ID},
			"original": original.Event})); err != nil {
		return fmt.Errorf("void %s: %w", c.ID, err)
	}
	if _, err := books.booked(ctx, s); err != nil {
		return err
	}
	void, err := books.event(ctx, actorSource, id)
	if err != nil {
		return fmt.Errorf("the void was sent and is not in the books, see makegood deadletters: %w", err)
	}
	fmt.Fprintf(s.Out, "voided by %s, posted in %s\n", by.actor(), void.PostingPeriod)
	return printLines(s, void)
}

// voidID derives the identity from what is voided: the same void sent again is the same event.
func voidID(source, id string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", source, id))
	return "void-" + hex.EncodeToString(sum[:16])
}

// event asks for one event of the books.
func (c *client) event(ctx context.Context, source, id string) (*report.BookedEvent, error) {
	var e report.BookedEvent
	err := c.get(ctx, "/v1/events", url.Values{"source": {source}, "id": {id}}, &e)
	var p *problem
	if errors.As(err, &p) && p.Status == http.StatusNotFound {
		return nil, fmt.Errorf("the books hold no event %s of %s", id, source)
	}
	return &e, err
}

func about(subject string) string {
	if subject == "" {
		return "of no order"
	}
	return "of " + subject
}

// printLines writes the journal entry of an event, debits and credits apart.
func printLines(s terminal.Streams, e *report.BookedEvent) error {
	if len(e.Lines) == 0 {
		fmt.Fprintln(s.Out, "  it posts nothing")
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, l := range e.Lines {
		debit, credit := l.Amount, ""
		if amount, negative := strings.CutPrefix(l.Amount, "-"); negative {
			debit, credit = "", amount
		}
		fmt.Fprintf(w, "  %s %s\t%12s\t%12s\t%s\t%s\t%s\n", l.Account, l.Name, debit, credit, l.Currency,
			strings.ToLower(l.Basis), l.Element)
	}
	for _, missing := range e.Unpriced {
		fmt.Fprintf(w, "  unpriced: no rate %s\n", missing)
	}
	return w.Flush()
}
