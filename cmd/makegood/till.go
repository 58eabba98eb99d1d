package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/tills"
)

// tillCommand is what helps to connect a till, a shop, a processor, a carrier.
type tillCommand struct {
	Map  tillMapCommand  `cmd:"" help:"The events that a mapping makes of files, without a server."`
	Test tillTestCommand `cmd:"" help:"Hold a mapping against examples: bodies, and what it must make of them."`
	New  tillNewCommand  `cmd:"" help:"A mapping to begin with, and examples, in a folder."`
	List tillListCommand `cmd:"" help:"The tills that are served: last seen, mapped, refused, waiting."`
}

type tillMapCommand struct {
	Mapping string   `arg:"" help:"A mapping that is built in, by its name, or a file."`
	Files   []string `arg:"" help:"What the till sent or exported; - is standard input."`
	Kind    string   `help:"The kind that the files are of; without it the header or the body tells."`
	Header  []string `help:"A header that the till sent; may be repeated." sep:"none" placeholder:"NAME=VALUE"`
	Set     []string `help:"A setting, such as store_id=s1; may be repeated." sep:"none" placeholder:"NAME=VALUE"`
}

// Run prints the events, one a line, and on the other stream what was refused, with its place. What is refused in one
// file stops nothing in the others.
func (c *tillMapCommand) Run(ctx context.Context, s terminal.Streams) error {
	mapping, err := tills.Load(c.Mapping)
	if err != nil {
		return err
	}
	headers, err := pairs(c.Header)
	if err != nil {
		return fmt.Errorf("--header: %w", err)
	}
	settings, err := pairs(c.Set)
	if err != nil {
		return fmt.Errorf("--set: %w", err)
	}
	till := tills.Till{Name: mapping.Name, Settings: settings}
	refused := 0
	for _, name := range c.Files {
		body, err := readBody(name, s)
		if err != nil {
			refused++
			fmt.Fprintln(s.Err, err)
			continue
		}
		got := mapping.Map(ctx, till, tills.Input{Body: body, Headers: headers, Kind: c.Kind})
		for _, e := range got.Events {
			if _, err := fmt.Fprintf(s.Out, "%s\n", e.JSON); err != nil {
				return err
			}
		}
		for _, r := range got.Refusals {
			refused++
			fmt.Fprintf(s.Err, "%s: %s\n", name, r)
		}
	}
	if refused > 0 {
		return errRefused
	}
	return nil
}

// readBody reads a file, at most one byte more than a body may have.
func readBody(name string, s terminal.Streams) ([]byte, error) {
	in := s.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, tills.MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return body, nil
}

// pairs are NAME=VALUE.
func pairs(said []string) (map[string]string, error) {
	m := map[string]string{}
	for _, s := range said {
		name, value, is := strings.Cut(s, "=")
		if !is || name == "" {
			return nil, fmt.Errorf("%q is not NAME=VALUE", s)
		}
		m[name] = value
	}
	return m, nil
}
