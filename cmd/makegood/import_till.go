package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/tills"
	"github.com/makegood/makegood/infra/tills/pipe"
)

// tillImport are the flags that have files read by a mapping.
type tillImport struct {
	Till string   `help:"${import_till}" placeholder:"NAME|MAPPING.yaml"`
	As   string   `help:"${import_as}" placeholder:"NAME"`
	Kind string   `help:"The kind that the files are of; without it the body tells."`
	Set  []string `help:"A setting, such as store_id=s1; may be repeated." sep:"none" placeholder:"NAME=VALUE"`

	mapping *tills.Mapping
	of      tills.Till
}

// load finds the mapping, and the settings of the till.
func (c *tillImport) load(tillsFile string) error {
	set, err := pairs(c.Set)
	if err != nil {
		return fmt.Errorf("--set: %w", err)
	}
	if tillsFile != "" {
		configured, err := pipe.ReadConfig(tillsFile)
		if err != nil {
			return fmt.Errorf("--tills: %w", err)
		}
		for _, t := range configured {
			if t.Name == c.Till {
				c.of, c.Till, c.Kind = t.Engine(), t.Mapping, cmp.Or(c.Kind, t.Kind)
			}
		}
	}
	if c.mapping, err = tills.Load(c.Till); err != nil {
		return fmt.Errorf("--till: %w", err)
	}
	c.of.Name = cmp.Or(c.As, c.of.Name, c.mapping.Name)
	if c.of.Settings == nil {
		c.of.Settings = map[string]string{}
	}
	for name, value := range set {
		c.of.Settings[name] = value
	}
	if err := c.mapping.CheckTill(c.of); err != nil {
		return fmt.Errorf("--till: %w", err)
	}
	return nil
}

// file maps a file and sends its events. What of it is refused is counted with the reasons.
func (c *tillImport) file(ctx context.Context, name string, s terminal.Streams, out *sender) error {
	body, err := readBody(name, s)
	if err != nil {
		return err
	}
	got := c.mapping.Map(ctx, c.of, tills.Input{Body: body, Kind: c.Kind})
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, e := range got.Events {
		var id struct{ ID string }
		if err := json.Unmarshal(e.JSON, &id); err != nil {
			return fmt.Errorf("an event that was made: %w", err)
		}
		if err := out.add(ctx, e.JSON, false, fmt.Sprintf("%s: %s", name, id.ID)); err != nil {
			return err
		}
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	for _, r := range got.Refusals {
		out.refuse(fmt.Sprintf("%s: %s", name, r))
	}
	return nil
}
