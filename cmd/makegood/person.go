package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/people"
	"github.com/makegood/makegood/projections/report"
)

type personCommand struct {
	booksFlags
	actorFlags
	ID     string `arg:"" help:"${person_id}"`
	Erase  bool   `help:"Take them out of what is kept."`
	Yes    bool   `help:"Don't ask."`
	Format string `help:"table or json." enum:"table,json" default:"table"`
}

// Run lists what there is of somebody, and erases it where that is wanted.
func (c *personCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	if c.ID == "-" {
		line, err := io.ReadAll(io.LimitReader(s.In, 4<<10))
		if err != nil {
			return fmt.Errorf("read the id: %w", err)
		}
		c.ID = strings.TrimSpace(string(line))
		c.Yes = c.Yes || !c.Erase // nothing more can be read
	}
	books, _, done, err := c.openBooked(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	found, err := books.person(ctx, c.ID)
	if err != nil {
		return err
	}
	if c.Format == "json" && !c.Erase {
		return json.NewEncoder(s.Out).Encode(found)
	}
	if err := printPerson(s, found); err != nil || !c.Erase {
		return err
	}
	if err := agree(ctx, s, c.Yes, "Erase this person from what is kept? It can't be undone. Type yes: "); err != nil {
		return err
	}
	return c.erase(ctx, books, s)
}

// erase erases, and waits until nothing is left.
func (c *personCommand) erase(ctx context.Context, books *client, s terminal.Streams) error {
	body, err := json.Marshal(c.data(map[string]any{"id": c.ID}))
	if err != nil {
		return fmt.Errorf("write who is erased: %w", err)
	}
	var answer struct {
		Person string `json:"person"`
	}
	if err := books.post(ctx, "/v1/person/erase", "application/json", bytes.NewReader(body), &answer); err != nil {
		return err
	}
	const patience = 10 * time.Minute
	for deadline := time.Now().Add(patience); ; {
		left, err := books.person(ctx, c.ID)
		if err != nil {
			return err
		}
		if len(left.Events)+len(left.DeadLetters) == 0 {
			_, err := fmt.Fprintf(s.Out, "erased: %s takes their place, amounts stay. "+
				"The log still holds the hashes: see the page on people\n", answer.Person)
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the erasure is on record, and %d events and %d dead letters still name them after %s",
				len(left.Events), len(left.DeadLetters), patience)
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
}

func (c *client) person(ctx context.Context, id string) (*report.Person, error) {
	body, err := json.Marshal(map[string]string{"id": id})
	if err != nil {
		return nil, fmt.Errorf("write who is meant: %w", err)
	}
	var p report.Person
	return &p, c.post(ctx, "/v1/person", "application/json", bytes.NewReader(body), &p)
}

func printPerson(s terminal.Streams, p *report.Person) error {
	fmt.Fprintf(s.Out, "kept as %s\n", strings.Join(p.Hashes, ", "))
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	if len(p.Orders) > 0 {
		fmt.Fprintln(w, "\norder\tplaced\tstore\tbrought\tits fixes cost\t")
		for _, o := range p.Orders {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", o.OrderID, o.PlacedAt.Format(time.RFC3339), o.StoreID, o.Contribution,
				o.Net, o.Currency)
		}
	}
	if len(p.Cases) > 0 {
		fmt.Fprintln(w, "\ncase\torder\tkind\tcost\t")
		for _, k := range p.Cases {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.ErrorID, k.OrderID, k.Kind, k.Net, k.Currency)
		}
	}
	if len(p.Events) > 0 {
		fmt.Fprintln(w, "\nevent\ttype\tof\tat\tsource")
		for _, e := range p.Events {
			of := e.OrderID
			if of == "" {
				of = e.ErrorID
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", oneLine(e.ID), report.EventWord(e.Type), of,
				e.OccurredAt.Format(time.RFC3339), e.Source)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, id := range p.DeadLetters {
		fmt.Fprintln(s.Out, "dead letter", id)
	}
	_, err := fmt.Fprintf(s.Out, "%d events, %d left out, %d dead letters\n", len(p.Events), p.LeftOut, len(p.DeadLetters))
	return err
}

type peopleKeyCommand struct {
	New     peopleKeyNew     `cmd:"" help:"Make a file with the first key, for processes that are to share it."`
	Rotate  peopleKeyRotate  `cmd:"" help:"Add a key, which hides people in events from a time on."`
	Destroy peopleKeyDestroy `cmd:"" help:"Destroy a key: nobody can tell any more whose its hashes are."`
}

type peopleKeyNew struct {
	File string `arg:"" help:"The file; it must not be there yet." type:"path"`
}

// Run makes the file.
func (c *peopleKeyNew) Run(s terminal.Streams) error {
	if err := people.Create(c.File); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Out, "%s was made, for its owner alone to read. Keep a copy apart from those of the books\n",
		c.File)
	return err
}

type peopleKeyRotate struct {
	File string        `arg:"" help:"The file." type:"existingfile"`
	In   time.Duration `help:"${new_key_in}" default:"1h"`
}

// Run adds a key.
func (c *peopleKeyRotate) Run(s terminal.Streams) error {
	if c.In < time.Minute {
		return errors.New("--in: less than a minute is no time for every process to read it")
	}
	from := time.Now().Add(c.In)
	name, err := people.Rotate(c.File, from)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "key %s is for events from %s on. Bring the file to every process before\n", name,
		from.UTC().Format(time.RFC3339))
	return err
}

type peopleKeyDestroy struct {
	File string `arg:"" help:"The file." type:"existingfile"`
	Key  string `arg:"" help:"The name of the key."`
	Yes  bool   `help:"Don't ask."`
}

// Run destroys a key.
func (c *peopleKeyDestroy) Run(ctx context.Context, s terminal.Streams) error {
	if err := agree(ctx, s, c.Yes, "Nobody will find a person under this key's hashes again. Type yes: "); err != nil {
		return err
	}
	if err := people.Destroy(c.File, c.Key); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Out, "key %s is destroyed in this file. Destroy its copies as well\n", c.Key)
	return err
}
