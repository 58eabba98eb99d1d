package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire/schemas"
)

type schemasCommand struct {
	Dir string `help:"Folder to write them to; without it they are listed." type:"path"`
}

// Run writes the JSON Schema of every event, and the descriptions of the HTTP side and the topics.
func (c *schemasCommand) Run(_ context.Context, s terminal.Streams) error {
	files, err := server.ContractFiles()
	if err != nil {
		return err
	}
	for name, body := range files {
		if c.Dir == "" {
			continue
		}
		path := filepath.Join(c.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write the schemas: %w", err)
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			return fmt.Errorf("write the schemas: %w", err)
		}
	}
	for _, t := range domain.Types() {
		fmt.Fprintln(s.Out, "schemas/"+schemas.FileName(t))
	}
	_, err = fmt.Fprintln(s.Out, "openapi.yaml\nasyncapi.yaml")
	return err
}
