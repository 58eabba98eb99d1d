// Package schemas is the contract for machines: a JSON Schema (2020-12) for each type of event, an OpenAPI 3.1 description of
// the HTTP side and an AsyncAPI 3 description of the topics.
//
// The codec in infra/wire decides; a schema says as much of it as JSON Schema can. What it can't: that currencies exist,
// that a subject is the order_id, that names are not said twice, how many decimals a JSON number (no string) has, that a
// void agrees with its original. Tests hold both against each other: every event that the codec's tests, the simulator and
// the reference books make is valid, and every fault that can be expressed is found.
//
// The schemas are written by the tables of events.go rather than lying here as files, so that shared rules stand once;
// `makegood schemas --dir DIR` writes them out.
package schemas

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/makegood/makegood/domain"
)

//go:embed openapi.yaml
var openAPI []byte

//go:embed asyncapi.yaml
var asyncAPI []byte

// OpenAPI describes the HTTP side.
func OpenAPI() []byte { return openAPI }

// AsyncAPI describes the topics.
func AsyncAPI() []byte { return asyncAPI }

// Base is what schemas' identifiers begin with. It is a name, not an address.
const Base = "urn:makegood:schema:"

// FileName is where the schema of a type is found: makegood.order.placed.v1.json.
func FileName(t domain.Type) string { return t.String() + ".json" }

// Event is the schema of a type, as JSON.
func Event(t domain.Type) ([]byte, error) {
	data, ok := events[t.Name()]
	if !ok {
		return nil, fmt.Errorf("there is no schema of %s", t)
	}
	b, err := json.MarshalIndent(envelope(t, data), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", t, err)
	}
	return append(b, '\n'), nil
}

// envelope is the CloudEvent around data.
func envelope(t domain.Type, data object) object {
	must := []string{"specversion", "id", "source", "type", "time", "data"}
	members := object{
		"specversion": object{"const": "1.0"},
		"id":          ref("id"),
		"source":      ref("source"),
		"type":        object{"const": t.String()},
		"time":        ref("moment"),
		"datacontenttype": object{"type": []string{"string", "null"}, "description": "JSON in UTF-8; nothing else is spoken.",
			"pattern": `^[^;]+[/+][Jj][Ss][Oo][Nn] *(; *[Cc][Hh][Aa][Rr][Ss][Ee][Tt] *= *"?([Uu][Tt][Ff]-?8|[Uu][Ss]-[Aa][Ss][Cc][Ii][Ii])"? *)?$`},
		"dataschema":  object{"type": []string{"string", "null"}},
		"data_base64": object{"type": "null"},
		"data":        data,
	}
	if t.Stream() != domain.Books && t != domain.TypeEventVoided {
		must = append(must, "subject")
		members["subject"] = described(ref("id"), "The order_id; of a case without an order, the error_id. It is the Kafka key.")
	}
	return object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": Base + t.String(), "title": t.String(),
		"type": "object", "required": must, "properties": members, "$defs": definitions,
		// Extension attributes are kept; CloudEvents allows no objects there.
		"additionalProperties": object{"type": []string{"string", "number", "boolean", "null"}},
	}
}
