// Package schemas is the contract for machines: a JSON Schema (2020-12) for each type of event, an OpenAPI 3.1
// description of the HTTP side and an AsyncAPI 3 description of the topics.
//
// The codec in infra/wire decides; a schema says as much of it as JSON Schema can. What it can't: that currencies
// exist, that a subject is the order_id, that names are not said twice, how many decimals a JSON number (no string)
// has, that a void agrees with its original, that tenders sum to the total. Tests hold both against each other: every
// event that the codec's tests, the simulator and the reference books make is valid, and every fault that can be
// expressed is found.
//
// The schemas follow from the codec's own declarations, and the topics from the list of events, so that a new event
// needs nothing here; `makegood schemas --dir DIR` writes them out. The two descriptions are made when they are
// first asked for, which takes some milliseconds.
package schemas

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/sql"
)

//go:embed openapi.yaml.tmpl
var openAPITemplate string

var openAPI = sync.OnceValue(func() []byte {
	var text bytes.Buffer
	t := template.Must(template.New("openapi").Funcs(vocabulary).Funcs(template.FuncMap{"quoted": strconv.Quote,
		"schema": columnSchema, "camel": camel, "tables": insightTables, "sums": func(p insight.Part) bool {
			return slices.ContainsFunc(p.Columns, func(c insight.Column) bool { return c.Sum })
		}}).Parse(openAPITemplate))
	if err := t.Execute(&text, insight.Questions()); err != nil {
		panic(err) // the template is a part of this program
	}
	return text.Bytes()
})

// vocabulary are the words of the domain that the description of the HTTP side lists.
var vocabulary = template.FuncMap{
	"streams": func() string { return listed(domain.Streams()) },
	"bases":   func() string { return listed(domain.Bases()[1:]) },
	"rates":   func() string { return listed(domain.SettableRates()) },
	"flags": func() string {
		var codes []string
		for _, f := range domain.FlagCodes() {
			codes = append(codes, f.Code)
		}
		return listed(codes)
	},
	"account": sql.Account,
}

func listed(words []string) string { return strings.Join(words, ", ") }

// camel is a name as schemas have it: WhatIf of what-if.
func camel(name string) string {
	var all strings.Builder
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '/' }) {
		all.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return all.String()
}

// insightTables are the tables of a question, each under the name of its schema.
func insightTables(name string, q *insight.Question) []insight.Part {
	all := []insight.Part{{Name: name, Columns: q.Columns}}
	for _, p := range q.Parts {
		all = append(all, insight.Part{Name: name + camel(p.Name), Columns: p.Columns})
	}
	return all
}

// columnSchema is the schema of a column's values, as one line of YAML.
func columnSchema(c insight.Column) string {
	if c.Estimate {
		return fmt.Sprintf(`{$ref: "#/components/schemas/Estimate", description: %q}`, c.About)
	}
	kind := "type: [string, \"null\"]"
	switch c.Unit {
	case insight.Count:
		kind = "type: [integer, \"null\"]"
	case insight.YesNo:
		kind = "type: [boolean, \"null\"]"
	case insight.List:
		kind = "type: array, items: {type: string}"
	}
	return fmt.Sprintf("{%s, description: %q}", kind, c.About)
}

// OpenAPI describes the HTTP side. What the owner asks follows from the declarations in projections/insight.
func OpenAPI() []byte { return openAPI() }

//go:embed asyncapi.yaml.tmpl
var asyncAPITemplate string

var asyncAPI = sync.OnceValue(func() []byte {
	type stream struct {
		Name         string
		OnePartition bool
		Types        []domain.Type
	}
	var all struct {
		Streams []stream
		Types   []domain.Type
	}
	all.Types = domain.Types()
	for _, name := range domain.Streams() {
		s := stream{Name: name, OnePartition: name == domain.Books.String()}
		for _, t := range all.Types {
			if on := t.Stream(); on.String() == name || on == domain.AnyStream {
				s.Types = append(s.Types, t)
			}
		}
		all.Streams = append(all.Streams, s)
	}
	var text bytes.Buffer
	if err := template.Must(template.New("asyncapi").Parse(asyncAPITemplate)).Execute(&text, all); err != nil {
		panic(err) // the template is a part of this program
	}
	return text.Bytes()
})

// AsyncAPI describes the topics.
func AsyncAPI() []byte { return asyncAPI() }

// Base is what schemas' identifiers begin with. It is a name, not an address.
const Base = "urn:makegood:schema:"

// FileName is where the schema of a type is found: makegood.order.placed.v1.json.
func FileName(t domain.Type) string { return t.String() + ".json" }

// Event is the schema of a type, as JSON.
func Event(t domain.Type) ([]byte, error) {
	b, err := json.MarshalIndent(envelope(t), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", t, err)
	}
	return append(b, '\n'), nil
}

// envelope is the CloudEvent around the data of a type.
func envelope(t domain.Type) wire.JSON {
	const utf8JSON = `^[^;]+[/+][Jj][Ss][Oo][Nn] *` +
		`(; *[Cc][Hh][Aa][Rr][Ss][Ee][Tt] *= *"?([Uu][Tt][Ff]-?8|[Uu][Ss]-[Aa][Ss][Cc][Ii][Ii])"? *)?$`
	ref := func(name string) wire.JSON { return wire.JSON{"$ref": "#/$defs/" + name} }
	must := []string{"specversion", "id", "source", "type", "time", "data"}
	members := wire.JSON{
		"specversion": wire.JSON{"const": "1.0"},
		"id":          ref("id"),
		"source":      ref("source"),
		"type":        wire.JSON{"const": t.String()},
		"time":        ref("moment"),
		"datacontenttype": wire.JSON{"type": []string{"string", "null"},
			"description": "JSON in UTF-8; nothing else is spoken.", "pattern": utf8JSON},
		"dataschema":  wire.JSON{"type": []string{"string", "null"}},
		"data_base64": wire.JSON{"type": "null"},
		"data":        wire.DataSchema(t),
	}
	if stream := t.Stream(); stream != domain.Books && stream != domain.AnyStream {
		must = append(must, "subject")
		members["subject"] = wire.JSON{"allOf": []any{ref("id")},
			"description": "The order_id; of a case without an order, the error_id. It is the Kafka key."}
	}
	return wire.JSON{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": Base + t.String(), "title": t.String(),
		"type": "object", "required": must, "properties": members, "$defs": wire.SchemaDefinitions(),
		// Extension attributes are kept; CloudEvents allows no objects there.
		"additionalProperties": wire.JSON{"type": []string{"string", "number", "boolean", "null"}},
	}
}
