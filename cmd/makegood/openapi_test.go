package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.yaml.in/yaml/v3"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/infra/wire/schemas"
)

// openAPI is the description of the HTTP side, strict: what it says nothing about may not be in an answer.
type openAPI struct {
	*testing.T
	document map[string]any
	compiler *jsonschema.Compiler
	asked    map[string]bool // operations that gave an answer with a body
	seen     map[string]bool // members that were in an answer, by place in the document
}

func readOpenAPI(t *testing.T) *openAPI {
	t.Helper()
	var read any
	if err := yaml.Unmarshal(schemas.OpenAPI(), &read); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(document)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("urn:openapi", document); err != nil {
		t.Fatal(err)
	}
	return &openAPI{T: t, document: document.(map[string]any), compiler: c, asked: map[string]bool{},
		seen: map[string]bool{}}
}

// closeObjects forbids members that aren't described.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, open := v["additionalProperties"]; !open && v["properties"] != nil {
			v["additionalProperties"] = false
		}
		for _, member := range v {
			closeObjects(member)
		}
	case []any:
		for _, element := range v {
			closeObjects(element)
		}
	}
}

// at finds a part of the document by its place, and follows where that points to.
func (o *openAPI) at(place ...string) (any, []string) {
	var part any = o.document
	for i, name := range place {
		object, ok := part.(map[string]any)
		if !ok {
			return nil, place
		}
		part = object[name]
		if object, ok = part.(map[string]any); ok {
			if ref, ok := object["$ref"].(string); ok {
				return o.at(append(strings.Split(strings.TrimPrefix(ref, "#/"), "/"), place[i+1:]...)...)
			}
		}
	}
	return part, place
}

// see notes which described members v has.
func (o *openAPI) see(v any, place []string) {
	schema, place := o.at(place...)
	described, _ := schema.(map[string]any)
	switch v := v.(type) {
	case map[string]any:
		properties, _ := described["properties"].(map[string]any)
		for name, member := range v {
			if properties[name] != nil {
				o.seen[strings.Join(append(slices.Clone(place), name), "/")] = true
				o.see(member, append(slices.Clone(place), "properties", name))
			}
		}
	case []any:
		for _, element := range v {
			o.see(element, append(slices.Clone(place), "items"))
		}
	}
}

// disturbed asks for the status while something of the log is lost in the store, and another topic isn't what it was.
func (o *openAPI) disturbed(app *server.App, c *client) {
	o.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(app.Brokers...))
	if err != nil {
		o.Fatal(err)
	}
	defer client.Close()
	grow := kmsg.NewPtrCreatePartitionsRequest()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = "makegood.books", 3
	grow.Topics, grow.TimeoutMillis = append(grow.Topics, topic), 5000
	if _, err := grow.RequestWith(o.Context(), client); err != nil {
		o.Fatal(err)
	}
	if err := app.Store.DB.Exec(o.Context(), "INSERT INTO gaps (stream, partition, first, upto, records, found, closed) "+
		"VALUES ('orders', 0, 100, 200, 0, now64(3), 0)"); err != nil {
		o.Fatal(err)
	}
	for until := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		answer := o.ask(c, "GET", "/v1/status", nil, "", "")
		if problems, _ := answer["problems"].([]any); len(problems) > 0 {
			return
		}
		if time.Now().After(until) {
			o.Fatalf("the status never says what is wrong: %v", answer)
		}
	}
}

// unseen are the described members of what place leads to that were in no answer.
func (o *openAPI) unseen(place []string, visited map[string]bool) []string {
	schema, place := o.at(place...)
	here := strings.Join(place, "/")
	described, ok := schema.(map[string]any)
	if !ok || visited[here] {
		return nil
	}
	visited[here] = true
	var all []string
	properties, _ := described["properties"].(map[string]any)
	for name := range properties {
		if !o.seen[here+"/"+name] {
			all = append(all, here+"/"+name)
		}
		all = append(all, o.unseen(append(slices.Clone(place), "properties", name), visited)...)
	}
	return append(all, o.unseen(append(slices.Clone(place), "items"), visited)...)
}

// ask sends a request and holds the answer against its description. path is as described, with {…} for what values
// have.
func (o *openAPI) ask(c *client, method, path string, values url.Values, contentType, body string) map[string]any {
	o.Helper()
	code, text, kind, what := o.do(c, method, path, values, contentType, body)
	operation := []string{"paths", path, strings.ToLower(method)}
	status := fmt.Sprint(code)
	if responses, _ := o.at(append(operation, "responses")...); responses.(map[string]any)[status] == nil {
		status = "default"
	}
	if status == "default" && code < 400 {
		o.Fatalf("%s: that status is not described", what)
	}
	content, place := o.at(append(operation, "responses", status, "content")...)
	if media, _ := content.(map[string]any); media[kind] == nil {
		o.Errorf("%s: that type is not described", what)
		return nil
	}
	if code < 400 {
		o.asked[strings.Join(operation, " ")] = true
	}
	if !strings.HasSuffix(kind, "json") {
		return nil
	}
	place = append(slices.Clone(place), kind, "schema")
	if described, _ := o.at(place...); described == nil {
		return nil // a schema of its own
	}
	escaped := make([]string, len(place))
	for i, name := range place {
		escaped[i] = url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	schema, err := o.compiler.Compile("urn:openapi#/" + strings.Join(escaped, "/"))
	if err != nil {
		o.Fatalf("%s: %v", what, err)
	}
	answer, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		o.Fatalf("%s: %v: %s", what, err, text)
	}
	if err := schema.Validate(answer); err != nil {
		o.Errorf("%s: %v\n%s", what, err, text)
	}
	o.see(answer, place)
	object, _ := answer.(map[string]any)
	return object
}

// do sends a request, and gives the answer with the type of its body and words for it.
func (o *openAPI) do(c *client, method, path string, values url.Values, contentType, body string) (
	status int, text []byte, kind, what string) {
	o.Helper()
	target, query := path, url.Values{}
	for name, of := range values {
		if strings.Contains(path, "{"+name+"}") {
			target = strings.Replace(target, "{"+name+"}", url.PathEscape(of[0]), 1)
			continue
		}
		query[name] = of
	}
	request, err := http.NewRequestWithContext(o.Context(), method, c.base+target+"?"+query.Encode(),
		strings.NewReader(body))
	if err != nil {
		o.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		o.Fatal(err)
	}
	defer response.Body.Close()
	if text, err = io.ReadAll(response.Body); err != nil {
		o.Fatal(err)
	}
	kind, _, err = mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil {
		o.Fatalf("%s %s: %v", method, target, err)
	}
	what = fmt.Sprintf("%s %s?%s: %d %s", method, target, query.Encode(), response.StatusCode, kind)
	return response.StatusCode, text, kind, what
}
