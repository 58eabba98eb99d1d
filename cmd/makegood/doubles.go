package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

type doublesCommand struct {
	List   doublesList   `cmd:"" default:"withargs" help:"What waits for a decision, and what was taken for a double."`
	Show   doublesShow   `cmd:"" help:"An event beside the one that counts in its place."`
	Decide doublesDecide `cmd:"" help:"Say which of two events counts, or that both do."`
}

type doublesList struct {
	booksFlags
	Format string `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

type doublesAnswer struct {
	Doubles        []report.SaidTwice `json:"doubles"`
	Contradictions []report.SaidTwice `json:"contradictions"`
}

// Run lists the contradictions, which wait, and the doubles.
func (c *doublesList) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, now, done, err := c.openBooked(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if c.Format != "table" {
		return books.get(ctx, "/v1/doubles", url.Values{"format": {c.Format}}, s.Out)
	}
	var answer doublesAnswer
	if err := books.get(ctx, "/v1/doubles", nil, &answer); err != nil {
		return err
	}
	if len(answer.Contradictions)+len(answer.Doubles) == 0 {
		_, err := fmt.Fprintln(s.Out, "no event says what another one says, or says otherwise")
		return err
	}
	for _, of := range []struct {
		title string
		list  []report.SaidTwice
		all   uint64
	}{
		{"contradictions: these wait, decide each with makegood doubles decide SOURCE ID", answer.Contradictions,
			now.Contradictions},
		{"doubles: these say what another event says, and post nothing", answer.Doubles, now.Doubles},
	} {
		if len(of.list) == 0 {
			continue
		}
		fmt.Fprintln(s.Out, of.title)
		if err := printSaidTwice(s.Out, of.list); err != nil {
			return err
		}
		if n := uint64(len(of.list)); of.all > n {
			fmt.Fprintf(s.Out, "and %d more\n", of.all-n)
		}
	}
	return nil
}

func printSaidTwice(out io.Writer, list []report.SaidTwice) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "type\torder\tcase\ttime\tsource\tid\tthe one that counts")
	for i := range list {
		e := &list[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s %s\n", report.EventWord(e.Type), e.OrderID, e.ErrorID,
			e.Time.Format(time.DateTime), e.Source, e.ID, e.OfSource, e.OfID)
	}
	return w.Flush()
}

// findSaidTwice is an event on which a person may decide: a double, a contradiction, a refund that is paid by hand, or
// one that somebody decided on, or against, before.
func (c *client) findSaidTwice(ctx context.Context, source, id string) (*report.SaidTwice, error) {
	e, err := c.event(ctx, source, id)
	if err != nil {
		return nil, err
	}
	var whole struct {
		Type string
		Data struct {
			OrderID string `json:"order_id"`
			ErrorID string `json:"error_id"`
			Method  string
		}
	}
	if err := json.Unmarshal(e.Event, &whole); err != nil {
		return nil, fmt.Errorf("read the event %s of %s: %w", id, source, err)
	}
	byHand := whole.Type == domain.TypeRefundIssued.String() && whole.Data.Method == domain.MethodManual
	of := []string{"", domain.Double.String(), domain.Waits.String(), domain.Discarded.String()}
	if !slices.Contains(of, e.Standing) || e.Standing == "" && e.DecidedBy == nil && !byHand {
		return nil, fmt.Errorf("event %s of %s is no double, contradicts no other, and is no refund by hand: makegood"+
			" doubles and makegood flags list those", id, source)
	}
	said := &report.SaidTwice{Standing: e.Standing, Source: source, ID: id, Type: whole.Type, OrderID: whole.Data.OrderID,
		ErrorID: whole.Data.ErrorID}
	if e.Of != nil && (e.DecidedBy == nil || *e.Of != report.EventName{Source: e.DecidedBy.Source, ID: e.DecidedBy.ID}) {
		said.OfSource, said.OfID = e.Of.Source, e.Of.ID
	}
	return said, nil
}

type doublesShow struct {
	booksFlags
	Source string `arg:"" help:"The source of the event, as makegood doubles shows it."`
	ID     string `arg:"" help:"Its id."`
}

// Run shows the event and the one that counts in its place.
func (c *doublesShow) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, _, done, err := c.openBooked(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	said, err := books.findSaidTwice(ctx, c.Source, c.ID)
	if err != nil {
		return err
	}
	return books.showBoth(ctx, s, said)
}

// showBoth prints the data of both events beside each other, member by member; what differs is marked.
func (c *client) showBoth(ctx context.Context, s terminal.Streams, said *report.SaidTwice) error {
	other, err := c.members(ctx, said.Source, said.ID)
	if err != nil {
		return err
	}
	if said.OfID == "" { // a person decides, and nothing stands beside it
		standing := "counts"
		if said.Standing != "" {
			standing = "was decided against"
		}
		return printMembers(s, standing, other)
	}
	counts, err := c.members(ctx, said.OfSource, said.OfID)
	if err != nil {
		return err
	}
	verb := "contradicts it and waits"
	switch said.Standing {
	case domain.Double.String():
		verb = "says the same, and posts nothing"
	case domain.Discarded.String():
		verb = "was decided against"
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\t\tcounts\t%s\n", verb)
	for _, name := range append([]string{"source", "id", "time"}, memberNames(counts, other)...) {
		mark := " "
		if counts[name] != other[name] {
			mark = "≠"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", mark, name, oneLine(counts[name]), oneLine(other[name]))
	}
	return w.Flush()
}

// printMembers prints the data of one event.
func printMembers(s terminal.Streams, standing string, members map[string]string) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\t%s\n", standing)
	for _, name := range append([]string{"source", "id", "time"}, memberNames(members)...) {
		fmt.Fprintf(w, "%s\t%s\n", name, oneLine(members[name]))
	}
	return w.Flush()
}

// members are the members of an event's data, and its source, id and time, as text.
func (c *client) members(ctx context.Context, source, id string) (map[string]string, error) {
	e, err := c.event(ctx, source, id)
	if err != nil {
		return nil, err
	}
	var whole struct {
		Source, ID, Time string
		Data             map[string]json.RawMessage
	}
	if err := json.Unmarshal(e.Event, &whole); err != nil {
		return nil, fmt.Errorf("read the event %s of %s: %w", id, source, err)
	}
	members := map[string]string{}
	for name, value := range whole.Data {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		members[name] = text
	}
	members["source"], members["id"], members["time"] = whole.Source, whole.ID, whole.Time
	return members, nil
}

// memberNames are the names of the members of either event, sorted, but for those that every event has.
func memberNames(events ...map[string]string) []string {
	all := map[string]bool{}
	for _, e := range events {
		for name := range e {
			all[name] = true
		}
	}
	for _, name := range []string{"source", "id", "time"} {
		delete(all, name)
	}
	return slices.Sorted(maps.Keys(all))
}

type doublesDecide struct {
	booksFlags
	actorFlags
	Source   string `arg:"" help:"The source of the event that is decided on, as makegood doubles shows it."`
	ID       string `arg:"" help:"Its id."`
	Counts   bool   `help:"It counts, in the place of the other." xor:"what" required:""`
	Discard  bool   `help:"It does not count; the other does." xor:"what" required:""`
	Separate bool   `help:"They are two facts: both count." xor:"what" required:""`
	Yes      bool   `help:"Don't ask."`
}

// Run shows both events, asks, writes the decision, and waits until it is booked.
func (c *doublesDecide) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, _, done, err := c.openBooked(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	said, err := books.findSaidTwice(ctx, c.Source, c.ID)
	if err != nil {
		return err
	}
	if err := books.showBoth(ctx, s, said); err != nil {
		return err
	}
	words := "counts, and the other does not"
	if said.OfID == "" {
		words = "counts"
	}
	data := map[string]any{"source": c.Source, "id": c.ID, "counts": c.Counts}
	switch {
	case c.Separate:
		words = "is a fact of its own: both count"
		delete(data, "counts")
		data["separate"] = true
	case c.Discard:
		words = "does not count"
	}
	if said.OrderID != "" {
		data["order_id"] = said.OrderID
	}
	if said.ErrorID != "" {
		data["error_id"] = said.ErrorID
	}
	if err := c.decide(ctx, s, c.Yes, fmt.Sprintf("%s of %s %s. Type yes: ", c.ID, c.Source, words), "Why: "); err != nil {
		return err
	}
	now := time.Now()
	if err := books.record(ctx, domain.TypeFactDecided.String(), onceID("decided", now), now, c.data(data)); err != nil {
		return fmt.Errorf("decide on %s: %w", c.ID, err)
	}
	if _, err := books.booked(ctx, s); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "decided by %s: %s %s\n", c.actor(), c.ID, words)
	return err
}

type flagsCommand struct {
	booksFlags
	Format string `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// Run lists what can't be right, and is booked as far as it is known.
func (c *flagsCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, _, done, err := c.openBooked(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if c.Format != "table" {
		return books.get(ctx, "/v1/flags", url.Values{"format": {c.Format}}, s.Out)
	}
	var answer struct {
		Flags []report.Flagged `json:"flags"`
	}
	if err := books.get(ctx, "/v1/flags", nil, &answer); err != nil {
		return err
	}
	return printFlags(s.Out, answer.Flags)
}

func printFlags(out io.Writer, flags []report.Flagged) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\torder\tcase\tby\tsource\tid")
	for i := range flags {
		f := &flags[i]
		by := ""
		if f.Currency != "" {
			by = f.Amount + " " + f.Currency
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", report.Word("flag", f.Code), f.OrderID, f.ErrorID, by, f.Source, f.ID)
	}
	return w.Flush()
}
