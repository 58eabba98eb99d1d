package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"text/tabwriter"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/deadletter"
)

type deadlettersCommand struct {
	List    deadlettersList    `cmd:"" default:"1" help:"The open ones."`
	Show    deadlettersShow    `cmd:"" help:"One, with the bytes that came."`
	Replay  deadlettersReplay  `cmd:"" help:"Send one again, after its cause is mended."`
	Discard deadlettersDiscard `cmd:"" help:"Take one off the list; it stays to be shown."`
}

type deadlettersList struct{ booksFlags }

// Run lists what could not be booked.
func (c *deadlettersList) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	var answer struct {
		DeadLetters []deadletter.Letter `json:"dead_letters"`
	}
	if err := books.get(ctx, "/v1/deadletters", nil, &answer); err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "id\tplace\treason\tpointer\tsource\tevent\tlast seen\tdetail")
	for _, d := range answer.DeadLetters {
		fmt.Fprintf(w, "%s\t%s/%d/%d\t%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, d.Topic, d.Partition, d.Offset, d.Reason, d.Pointer,
			d.Source, d.EventID,
			d.LastSeen.Format("2006-01-02 15:04:05"), d.Detail)
	}
	return w.Flush()
}

type deadlettersShow struct {
	booksFlags
	ID   string `arg:"" help:"Of the dead letter."`
	Body bool   `help:"Only the bytes that came, as they came: > FILE."`
}

// Run prints one dead letter, or its bytes.
func (c *deadlettersShow) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	path := "/v1/deadletters/" + url.PathEscape(c.ID)
	if !c.Body {
		return books.get(ctx, path, nil, s.Out)
	}
	var letter struct {
		Payload []byte `json:"payload"`
	}
	if err := books.get(ctx, path, nil, &letter); err != nil {
		return err
	}
	_, err = s.Out.Write(letter.Payload)
	return err
}

type deadlettersReplay struct {
	booksFlags
	actorFlags
	ID string `arg:"" help:"Of the dead letter."`
}

// Run sends one dead letter again.
func (c *deadlettersReplay) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := c.post(ctx, books, "/v1/deadletters/"+url.PathEscape(c.ID)+"/replay"); err != nil {
		return err
	}
	if _, err := books.caughtUp(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.Out, "sent again; if its cause remains, it is a dead letter again")
	return err
}

type deadlettersDiscard struct {
	booksFlags
	actorFlags
	ID string `arg:"" help:"Of the dead letter."`
}

// Run takes one dead letter off the list.
func (c *deadlettersDiscard) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := c.post(ctx, books, "/v1/deadletters/"+url.PathEscape(c.ID)+"/discard"); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.Out, "discarded; should the same come again, it is listed again")
	return err
}
