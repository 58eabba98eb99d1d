package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"text/tabwriter"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
)

type doctorCommand struct {
	server.Config
	JSON bool `help:"As JSON, a finding a line." name:"json"`
}

// errUnwell says that something is wrong. What it is has been printed.
var errUnwell = errors.New("something is wrong with the deployment")

// Run looks at the deployment and says of each thing whether it is well. It fails where something is wrong.
func (c *doctorCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) error {
	found, err := server.Examine(ctx, c.Config, logger)
	if err != nil {
		return err
	}
	wrong := 0
	out := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	lines := json.NewEncoder(s.Out)
	for _, f := range found {
		state, said := "ok", f.Seen
		if f.Wrong != "" {
			wrong++
			state, said = "WRONG", f.Wrong
		}
		if c.JSON {
			err = lines.Encode(map[string]any{"where": f.Where, "code": f.Code, "ok": f.Wrong == "", "said": said, "do": f.Do})
		} else {
			_, err = fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", state, f.Where, f.Code, said)
			if f.Do != "" && err == nil {
				_, err = fmt.Fprintf(out, "\t\t\t→ %s\n", f.Do)
			}
		}
		if err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%w: %d of %d findings", errUnwell, wrong, len(found))
	}
	return nil
}
