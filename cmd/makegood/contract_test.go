package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/makegood/makegood/domain"
)

// TestOpenAPIHasEveryRoute: what the server answers is described, and what is described is answered.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	var text bytes.Buffer
	if err := c.get(t.Context(), "/openapi.yaml", nil, &text); err != nil {
		t.Fatal(err)
	}
	var description struct {
		OpenAPI string                    `yaml:"openapi"`
		Paths   map[string]map[string]any `yaml:"paths"`
	}
	if err := yaml.Unmarshal(text.Bytes(), &description); err != nil {
		t.Fatal(err)
	}
	var described []string
	for path, methods := range description.Paths {
		for method := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	var answered []string
	for _, pattern := range app.Routes {
		answered = append(answered, strings.TrimSuffix(pattern, "{$}"))
	}
	slices.Sort(described)
	slices.Sort(answered)
	for _, r := range answered {
		if !slices.Contains(described, r) {
			t.Errorf("%s is not in openapi.yaml", r)
		}
	}
	for _, r := range described {
		if !slices.Contains(answered, r) {
			t.Errorf("%s is in openapi.yaml, and nobody answers it", r)
		}
	}

	var topics bytes.Buffer
	if err := c.get(t.Context(), "/asyncapi.yaml", nil, &topics); err != nil {
		t.Fatal(err)
	}
	var async struct {
		Channels map[string]struct {
			Address  string         `yaml:"address"`
			Messages map[string]any `yaml:"messages"`
		} `yaml:"channels"`
	}
	if err := yaml.Unmarshal(topics.Bytes(), &async); err != nil {
		t.Fatal(err)
	}
	for _, typ := range domain.Types() {
		name := typ.Name()
		for stream := domain.Orders; stream <= domain.Books; stream++ {
			channel := async.Channels[stream.String()]
			_, has := channel.Messages[name]
			if should := typ.Stream() == stream || typ == domain.TypeEventVoided; has != should ||
				channel.Address != "makegood."+stream.String() {
				t.Errorf("asyncapi.yaml: %s on %s (%s): %v", name, stream, channel.Address, has)
			}
		}
		var schema bytes.Buffer
		if err := c.get(t.Context(), "/schemas/"+typ.String()+".json", nil, &schema); err != nil ||
			!strings.Contains(schema.String(), typ.String()) {
			t.Errorf("the schema of %s: %v", typ, err)
		}
	}
}
