package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/wire/schemas"
)

type schemasCommand struct {
	Dir string `help:"Folder to write them to; without it they are listed." type:"path"`
}

// contractFiles are the contract for machines, by the names that they have in a folder and on the server.
func contractFiles() (map[string][]byte, error) {
	files := map[string][]byte{"openapi.yaml": schemas.OpenAPI(), "asyncapi.yaml": schemas.AsyncAPI()}
	for _, t := range domain.Types() {
		schema, err := schemas.Event(t)
		if err != nil {
			return nil, err
		}
		files["schemas/"+schemas.FileName(t)] = schema
	}
	return files, nil
}

// Run writes the JSON Schema of every event, and the descriptions of the HTTP side and the topics.
func (c *schemasCommand) Run(_ context.Context, s streams) error {
	files, err := contractFiles()
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
		fmt.Fprintln(s.out, "schemas/"+schemas.FileName(t))
	}
	_, err = fmt.Fprintln(s.out, "openapi.yaml\nasyncapi.yaml")
	return err
}

// showContract serves the contract for machines to everybody: it holds nobody's numbers.
func showContract(server *gateway.Server) error {
	files, err := contractFiles()
	if err != nil {
		return err
	}
	serve := func(kind string, body []byte) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			_, _ = w.Write(body) // a reader that went away can't be told
		})
	}
	server.Handle("GET /openapi.yaml", gateway.Open, serve("application/yaml", files["openapi.yaml"]))
	server.Handle("GET /asyncapi.yaml", gateway.Open, serve("application/yaml", files["asyncapi.yaml"]))
	server.Handle("GET /schemas/{name}", gateway.Open, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := files["schemas/"+strings.TrimSuffix(r.PathValue("name"), ".json")+".json"]
		if !ok {
			gateway.WriteProblem(w, gateway.NewProblem(http.StatusNotFound, gateway.ProblemNotFound,
				"there is no schema of that name"))
			return
		}
		serve("application/schema+json", body).ServeHTTP(w, r)
	}))
	return nil
}
