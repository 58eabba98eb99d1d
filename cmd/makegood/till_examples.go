package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/tills"
)

type tillTestCommand struct {
	Dir     string `arg:"" help:"${examples}" type:"existingdir"`
	Mapping string `help:"A mapping that is built in, or a file; without it the one in the folder."`
	Write   bool   `help:"Write what comes out now as what must, of examples that don't say it yet."`
	Seed    uint64 `help:"Of the order in which the bodies come the second time; 0 draws one." default:"0"`
}

var errExamples = errors.New("not all examples are right")

// Run maps the bodies of each example, and again twice and in another order.
func (c *tillTestCommand) Run(ctx context.Context, s terminal.Streams) error {
	folder := os.DirFS(c.Dir)
	if c.Mapping == "" {
		file, err := tills.MappingOf(folder)
		if err != nil {
			return fmt.Errorf("%w: name it with --mapping", err)
		}
		c.Mapping = filepath.Join(c.Dir, file)
	}
	mapping, err := tills.Load(c.Mapping)
	if err != nil {
		return err
	}
	cases, err := tills.Cases(folder)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		return fmt.Errorf("there is no example in %s: CASE.in.json, or another ending", c.Dir)
	}
	for c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	wrong := 0
	for i := range cases {
		one := &cases[i]
		got := one.Run(ctx, mapping, c.Seed)
		if c.Write && !one.Written {
			if err := c.write(one, got); err != nil {
				return err
			}
			fmt.Fprintf(s.Out, "written  %s: %d events, %d refused: read them\n", one.Name, len(got.Events), len(got.Refusals))
			continue
		}
		if len(got.Problems) == 0 {
			fmt.Fprintf(s.Out, "right    %s: %d events, %d refused\n", one.Name, len(got.Events), len(got.Refusals))
			continue
		}
		wrong++
		fmt.Fprintf(s.Out, "WRONG    %s\n", one.Name)
		for _, p := range got.Problems {
			fmt.Fprintf(s.Out, "  %s\n", p)
		}
	}
	fmt.Fprintf(s.Out, "%d of %d examples are right (--seed %d)\n", len(cases)-wrong, len(cases), c.Seed)
	if wrong > 0 {
		return errExamples
	}
	return nil
}

func (c *tillTestCommand) write(one *tills.Case, got tills.Got) error {
	if len(got.Refusals) > 0 {
		var codes strings.Builder
		for _, r := range got.Refusals {
			codes.WriteString(r.Code + "\n")
		}
		if err := os.WriteFile(filepath.Join(c.Dir, one.Name+".refused.txt"), []byte(codes.String()), 0o644); err != nil {
			return err
		}
	}
	if len(got.Refusals) > 0 && len(got.Events) == 0 {
		return nil
	}
	var lines []byte
	for _, e := range got.Events {
		lines = append(append(lines, e.JSON...), '\n')
	}
	return os.WriteFile(filepath.Join(c.Dir, one.Name+".want.ndjson"), lines, 0o644)
}

type tillNewCommand struct {
	Name string `arg:"" help:"Of the mapping, and of the folder that is made for it."`
	From string `help:"A mapping that is built in, to be copied and changed." placeholder:"MAPPING"`
}

// Run makes the folder. It writes over nothing.
func (c *tillNewCommand) Run(s terminal.Streams) error {
	if !tills.IsName(c.Name) {
		return fmt.Errorf("a name is made of small letters, digits, _ and -: not %q", c.Name)
	}
	files, err := c.files()
	if err != nil {
		return err
	}
	if err := os.Mkdir(c.Name, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(c.Name, name), text, 0o644); err != nil {
			return err
		}
	}
	if c.From != "" {
		_, err = fmt.Fprintf(s.Out, "%s is the mapping %s, to be changed.\nTry it:  makegood till map %[1]s FILE\n",
			filepath.Join(c.Name, c.Name+".yaml"), c.From)
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s is a mapping with comments, beside examples.\nTest it:  makegood till test %s\n",
		filepath.Join(c.Name, c.Name+".yaml"), c.Name)
	return err
}

func (c *tillNewCommand) files() (map[string][]byte, error) {
	if c.From == "" {
		return tills.NewFiles(c.Name)
	}
	text, err := tills.CopyOf(c.From, c.Name)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	return map[string][]byte{c.Name + ".yaml": text}, nil
}
