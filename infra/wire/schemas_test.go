package wire_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/domain/simulator"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/infra/wire/schemas"
)

// eventSchemas are the schemas of every type, compiled.
func eventSchemas(t testing.TB) map[string]*jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	for _, typ := range domain.Types() {
		text, err := schemas.Event(typ)
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(schemas.Base+typ.String(), document); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]*jsonschema.Schema{}
	for _, typ := range domain.Types() {
		s, err := c.Compile(schemas.Base + typ.String())
		if err != nil {
			t.Fatal(err)
		}
		all[typ.String()] = s
	}
	return all
}

func validate(t testing.TB, s *jsonschema.Schema, payload []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v) //nolint:wrapcheck // a test
}

// TestSchemasOfSamples: every member there is, each one taken away, each one null.
func TestSchemasOfSamples(t *testing.T) {
	all := eventSchemas(t)
	for _, s := range samples(t) {
		schema := all[s.typ.String()]
		if err := validate(t, schema, s.event.json()); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		for _, value := range []any{gone, nil} {
			for _, pointer := range s.required {
				if _, ofCase := at(s.event, "/data/error_id"); ofCase && pointer == "/data/order_id" {
					continue // may be left out where the subject is the error_id, which a schema can't compare
				}
				e := s.edit(pointer, value)
				if validate(t, schema, e.json()) == nil {
					t.Errorf("%s without %s is valid", s.name, pointer)
				}
			}
			for _, pointer := range s.optional {
				e := s.edit(pointer, value)
				_, refused := new(wire.Decoder).Structured(e.json())
				if err := validate(t, schema, e.json()); (err == nil) != (refused == nil) {
					t.Errorf("%s without %s: the schema says %v, the codec %v", s.name, pointer, err, refused)
				}
			}
		}
	}
}

// beyondSchemas are the codes of faults that JSON Schema can't see, or sees in part.
var beyondSchemas = map[string]bool{
	wire.CodeTooDeep: true, wire.CodeDuplicateMember: true, wire.CodeSubjectMismatch: true,
	wire.CodeVoidMismatch: true, wire.CodeNotVoidable: true,
	wire.CodeBadCurrency:       true, // that a code is assigned
	wire.CodeBadURI:            true, // its grammar
	wire.CodeTooManyDecimals:   true, // of a JSON number, whose digits validators don't keep
	wire.CodeBadTime:           true, // the 30th of February
	wire.CodeTooLarge:          true, // of a string
	wire.CodeDiscountAboveLine: true, wire.CodeTendersMismatch: true,
}

// betweenMembers are rules that compare two members, which JSON Schema can't.
var betweenMembers = map[string]bool{
	"order.placed/data/lines/0/tax": true, "error.classified/data/same_as": true, "dispute.lost/data/tax": true,
}

// TestSchemasOfRules: what the codec takes is valid, and what it refuses isn't, where a schema can say why.
func TestSchemasOfRules(t *testing.T) {
	all := eventSchemas(t)
	found, passed := 0, 0
	for _, c := range rules() {
		s := byName(t, c.event)
		e := s.edit(c.pointer, c.value)
		payload := e.json()
		if !json.Valid(payload) || c.code == wire.CodeDuplicateMember {
			continue
		}
		err := validate(t, all[s.typ.String()], payload)
		switch {
		case c.code == "" && err != nil:
			t.Errorf("%s with %v at %s is taken, and the schema says: %v", c.event, c.value, c.pointer, err)
		case c.code != "" && err == nil && !beyondSchemas[c.code] &&
			!betweenMembers[c.event+cmp.Or(c.where, c.pointer)] && s.typ != domain.TypeEventVoided:
			t.Errorf("%s with %v at %s is refused as %s, and valid by the schema", c.event, c.value, c.pointer, c.code)
		case c.code != "" && err != nil:
			found++
		default:
			passed++
		}
	}
	if found < 100 || passed < 50 {
		t.Errorf("only %d faults were found and %d events valid: is the table there?", found, passed)
	}
}

// TestCodesInOpenAPI: the description of the HTTP side lists every code that an event can be refused with.
func TestCodesInOpenAPI(t *testing.T) {
	source, err := os.ReadFile("fault.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`(?m)^\tCode\w+ += "(\w+)"$`).FindAllSubmatch(source, -1)
	if len(codes) < 30 {
		t.Fatalf("only %d codes were found in the source", len(codes))
	}
	for _, c := range codes {
		if !bytes.Contains(schemas.OpenAPI(), []byte("\n            - "+string(c[1])+"\n")) {
			t.Errorf("openapi.yaml doesn't know the code %s", c[1])
		}
		if !bytes.Contains(source, []byte("//	"+string(c[1])+" ")) {
			t.Errorf("the table of codes doesn't know %s", c[1])
		}
	}
}

// TestSchemasOfSimulation: whatever the simulator sends.
func TestSchemasOfSimulation(t *testing.T) {
	all := eventSchemas(t)
	config := simulator.Defaults()
	config.Start, config.Orders, config.ErrorRate = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC), 400, 0.5
	simulation, err := simulator.New(config)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[domain.Type]int{}
	for {
		event, more := simulation.Next()
		if !more {
			break
		}
		seen[event.Type]++
		if err := validate(t, all[event.Type.String()], wire.AppendEvent(nil, &event)); err != nil {
			t.Fatalf("%s: %v", event.Type, err)
		}
	}
	if len(seen) < 15 {
		t.Errorf("the simulation has only %d types of events", len(seen))
	}
}

// TestSchemasOfReference: whatever the second set of books is tested with, stockroom cases, months and voids among
// it. It is tested with every kind of event: one that its generator never makes, or that it has no rule for, would be
// booked by one set of rules alone.
func TestSchemasOfReference(t *testing.T) {
	all := eventSchemas(t)
	seen := map[string]bool{}
	options := reference.Everything
	options.Orders = 60
	for seed := range int64(6) {
		for _, r := range reference.Generate(seed, options) {
			var envelope struct {
				Type string `json:"type"`
			}
			if err := json.Unmarshal(r.Event, &envelope); err != nil {
				t.Fatal(err)
			}
			schema := all[envelope.Type]
			if schema == nil {
				t.Fatalf("there is no schema of %s", envelope.Type)
			}
			seen[envelope.Type] = true
			if err := validate(t, schema, r.Event); err != nil {
				t.Fatalf("%v\n%s", err, short(r.Event))
			}
		}
	}
	for _, typ := range domain.Types() {
		if !seen[typ.String()] || !slices.Contains(reference.Types, typ.Name()) {
			t.Errorf("the reference doesn't know %s, or never makes one", typ)
		}
	}
}
