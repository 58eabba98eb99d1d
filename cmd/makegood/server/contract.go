package server

import (
	"net/http"
	"strings"

	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/wire/schemas"
)

// ContractFiles are the contract for machines, by the names that they have in a folder and on the server.
func ContractFiles() (map[string][]byte, error) {
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

// showContract serves the contract for machines to everybody: it holds nobody's numbers.
func showContract(server *gateway.Server) error {
	files, err := ContractFiles()
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
