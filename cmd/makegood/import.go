package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/pos/onlineretail"
	"github.com/makegood/makegood/infra/wire"
)

type importCommand struct {
	booksFlags
	SourceFormat string   `help:"${source_format}" name:"format" enum:"cloudevents,online-retail" default:"cloudevents"`
	Files        []string `arg:"" help:"Files, plain or .gz; - is standard input."`

	tillImport   `group:"Files of a till:"`
	OnlineRetail onlineRetailFlags `embed:"" prefix:"retail-" group:"What Online Retail doesn't hold, and is assumed:"`
}

type onlineRetailFlags struct {
	Store string `help:"The store that all invoices are of." default:""`
}

// errRefused makes the exit status tell that something was refused.
var errRefused = errors.New("not everything was accepted")

// Run imports the files and says what became of them.
func (c *importCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	if c.Till != "" {
		if err := c.load(c.Tills); err != nil {
			return err
		}
	}
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	before, sealsBefore, err := books.caughtUpWithSeals(ctx)
	if err != nil {
		return err
	}
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(s.Err), progressbar.OptionSetDescription("importing"),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetSpinnerChangeInterval(0)) // its own goroutine reads what Set writes without the lock
	out := newSender(ctx, books, func(accepted int) { _ = bar.Set(accepted) }) // a bar that can't be drawn stops nothing
	for _, name := range c.Files {
		read := c.file
		if c.Till != "" {
			read = c.tillImport.file
		}
		if err := read(ctx, name, s, out); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := out.wait(ctx); err != nil {
		return err
	}
	_ = bar.Finish()
	after, sealsAfter, err := books.caughtUpWithSeals(ctx)
	if err != nil {
		return err
	}
	// The books count what others sent meanwhile as well: then no more is known than that it can't be more. Seals that
	// makegood wrote meanwhile are known, and nobody's events.
	seals := uint64(max(sealsAfter-sealsBefore, 0))
	atMost, added := "", after.Events-min(after.Events, before.Events+seals)
	if added > uint64(out.accepted) || after.sinceBooked(before)-int64(seals) > int64(out.accepted) {
		atMost, added = "at most ", min(added, uint64(out.accepted))
	}
	fmt.Fprintf(s.Out, "accepted %d, refused %d, new %s%d\n", out.accepted, out.refused, atMost, added)
	if atMost != "" {
		fmt.Fprintln(s.Out, "  others wrote at the same time, or something had to be sent twice")
	}
	for _, r := range out.refusals {
		fmt.Fprintln(s.Out, "  refused", r)
	}
	if more := out.refused - len(out.refusals); more > 0 {
		fmt.Fprintf(s.Out, "  and %d more\n", more)
	}
	for _, changed := range []struct {
		what      string
		was, is   uint64
		otherwise string
	}{
		{"dead letters", before.DeadLetters, after.DeadLetters, "makegood deadletters"},
		{"unpriced events", before.Unpriced, after.Unpriced, "makegood unpriced"},
	} {
		if changed.is > changed.was {
			fmt.Fprintf(s.Out, "%d more %s: %s\n", changed.is-changed.was, changed.what, changed.otherwise)
		}
	}
	if out.refused > 0 {
		return errRefused
	}
	return nil
}

func (c *importCommand) file(ctx context.Context, name string, s terminal.Streams, out *sender) error {
	in := s.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	if c.SourceFormat == "online-retail" {
		return c.onlineRetail(ctx, name, in, s, out)
	}
	return importEvents(ctx, name, in, out)
}

// importEvents reads CloudEvents, one a line or in one JSON array.
func importEvents(ctx context.Context, name string, in io.Reader, out *sender) error {
	buffered := bufio.NewReaderSize(in, wire.MaxEvent+2)
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		defer z.Close()
		buffered = bufio.NewReaderSize(z, wire.MaxEvent+2)
	}
	array, err := beginsArray(buffered)
	if err != nil {
		return err
	}
	if array {
		return importArray(ctx, name, buffered, out)
	}
	return importLines(ctx, name, buffered, out)
}

// beginsArray looks at the first character that is no white space.
func beginsArray(in *bufio.Reader) (bool, error) {
	for {
		c, err := in.ReadByte()
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			continue
		}
		return c == '[', in.UnreadByte()
	}
}

func importLines(ctx context.Context, name string, in *bufio.Reader, out *sender) error {
	for number := 1; ; number++ {
		line, err := in.ReadSlice('\n')
		place := fmt.Sprintf("%s:%d", name, number)
		if errors.Is(err, bufio.ErrBufferFull) {
			out.mu.Lock()
			out.refuse(fmt.Sprintf("%s: event_too_large: a line of more than %d bytes", place, wire.MaxEvent))
			out.mu.Unlock()
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = in.ReadSlice('\n')
			}
			line = nil
		}
		if err != nil && err != io.EOF {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if aerr := addEvent(ctx, line, place, out); aerr != nil {
				return aerr
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

func importArray(ctx context.Context, name string, in io.Reader, out *sender) error {
	decoder := json.NewDecoder(in)
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for index := 0; decoder.More(); index++ {
		var event json.RawMessage
		if err := decoder.Decode(&event); err != nil {
			return fmt.Errorf("element %d, near byte %d: %w", index, decoder.InputOffset(), err)
		}
		if err := addEvent(ctx, event, fmt.Sprintf("%s[%d]", name, index), out); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("the array doesn't end: %w", err)
	}
	return nil
}

// addEvent hands an event on, unless it can't stand in a batch with others.
func addEvent(ctx context.Context, event []byte, place string, out *sender) error {
	if !json.Valid(event) {
		out.mu.Lock()
		defer out.mu.Unlock()
		out.refuse(place + ": bad_json: not JSON")
		return nil
	}
	var head struct {
		Type any `json:"type"`
	}
	// What is no object will be refused by the gateway, with its reason.
	_ = json.Unmarshal(event, &head)
	name, _ := head.Type.(string)
	return out.add(ctx, event, domain.ParseType([]byte(name)).Stream() == domain.Books, place)
}

// onlineRetail imports UCI's file and accounts for every row of it.
func (c *importCommand) onlineRetail(ctx context.Context, name string, in io.Reader, s terminal.Streams,
	out *sender) error {
	options := onlineretail.Defaults()
	if c.OnlineRetail.Store != "" {
		options.StoreID = c.OnlineRetail.Store
	}
	fmt.Fprintln(s.Out, options.Assumptions())
	var event []byte
	account, err := onlineretail.Import(ctx, in, options, func(e *domain.Event) error {
		event = wire.AppendEvent(event[:0], e)
		return out.add(ctx, event, e.Stream() == domain.Books, e.ID)
	})
	fmt.Fprintln(s.Out, account.String())
	return err
}
