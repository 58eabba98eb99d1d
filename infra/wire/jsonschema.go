package wire

import (
	"fmt"
	"maps"

	"github.com/makegood/makegood/domain"
)

// JSON is a piece of a JSON document: of a JSON Schema here.
type JSON map[string]any

// DataSchema is the JSON Schema (2020-12) of the data of a type of event. It refers to SchemaDefinitions.
func DataSchema(t domain.Type) JSON { return codecs[t].schema() }

// schema is the JSON Schema of an object of the contract. Others than its members are kept, so they are allowed.
func (s *shape[T]) schema() JSON {
	need, members := []string{}, JSON{}
	for i := range s.fields {
		f := &s.fields[i]
		if f.schema == nil {
			panic(fmt.Sprintf("wire: there is no schema of %s", f.name))
		}
		members[f.name] = f.schema
		if f.need == required {
			need = append(need, f.name)
		} else {
			members[f.name] = JSON{"anyOf": []any{f.schema, JSON{"type": "null"}}} // the same as leaving it out
		}
	}
	o := JSON{"type": "object", "required": need, "properties": members}
	if len(s.rules) > 0 {
		o["allOf"] = s.rules
	}
	return o
}

// described says something about a member, for people.
func (f field[T]) described(text string) field[T] {
	f.schema = JSON{"allOf": []any{f.schema}, "description": text}
	return f
}

func ref(name string) JSON { return JSON{"$ref": "#/$defs/" + name} }

func oneOf(words []string) JSON { return JSON{"enum": words} }

// oneOrNone is a word, or none at all.
func oneOrNone(word string) JSON { return JSON{"enum": []any{word, nil}} }

// said requires members that may not be null.
func said(names ...string) JSON {
	members := JSON{}
	for _, n := range names {
		members[n] = JSON{"not": JSON{"type": "null"}}
	}
	return JSON{"required": names, "properties": members}
}

// is holds where a member is there and has a value.
func is(name string, value any) JSON {
	return JSON{"required": []string{name}, "properties": JSON{name: JSON{"const": value}}}
}

// when is a rule: where one thing holds, another must.
func when(holds, then JSON) JSON { return JSON{"if": holds, "then": then} }

// either is a rule: where one thing holds, another must, and elsewhere a third.
func either(holds, then, other JSON) JSON { return JSON{"if": holds, "then": then, "else": other} }

// no says that a member isn't there.
func no(name string) JSON { return JSON{"properties": JSON{name: JSON{"type": "null"}}} }

// each is an object whose members are of these schemas, where they are there.
func each(members JSON) JSON { return JSON{"properties": members} }

// orNull is a schema of what may be left out.
func orNull(of JSON) JSON { return JSON{"anyOf": []any{of, JSON{"type": "null"}}} }

var (
	anyText  = JSON{"type": "string"}
	someText = JSON{"type": "string", "minLength": 1}
	yesOrNo  = JSON{"type": "boolean"}
	place    = wholeFrom(0, "^[0-9]+$") // of a partition, or an offset in it
)

// wholeFrom is a whole number, or a string of one.
func wholeFrom(least int, pattern string) JSON {
	return JSON{"anyOf": []any{
		JSON{"type": "integer", "minimum": least}, JSON{"type": "string", "pattern": pattern},
	}}
}

const (
	yearPattern = `(19[7-9][0-9]|20[0-9]{2}|21[0-3][0-9]|214[0-8])`
	datePattern = yearPattern + `-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])`
	timePattern = `[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?` +
		`([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])`
)

// numberSchema is a decimal string or a JSON number, which makegood reads from its digits, never through a float.
// Senders that can't keep digits in numbers send strings.
func numberSchema(least int, sign, decimals, description string) JSON {
	const most = 1_000_000_000_000
	return JSON{"description": description, "anyOf": []any{
		JSON{"type": "string", "pattern": `^` + sign + `[0-9]+(\.[0-9]{1,` + decimals + `})?([eE][+-]?[0-9]{1,3})?$`},
		JSON{"type": "number", "minimum": least, "maximum": most},
	}}
}

// SchemaDefinitions are what the schemas of events refer to as #/$defs/….
func SchemaDefinitions() JSON { return maps.Clone(definitions) }

var definitions = JSON{
	"id": JSON{"description": "1 to 128 characters, none of them a control character.", "type": "string",
		"minLength": 1, "maxLength": maxID, "pattern": "^[^\u0000-\u001f\u007f-\u009f]*$"},
	"source": JSON{"description": "A URI-reference (RFC 3986): the till or system that sends.", "type": "string",
		"minLength": 1, "maxLength": maxSource, "format": "uri-reference",
		"pattern": "^[^\u0000-\u0020\u007f-\u00a0<>\"{}|\\\\^`]*$"},
	"currency": JSON{"description": "ISO 4217.", "type": "string", "pattern": "^[A-Z]{3}$"},
	"amount": numberSchema(0, "", "4",
		"Money, a quantity, minutes or kilometres: not below zero, at most 4 decimals."),
	"unit": numberSchema(0, "", "6", "A price, cost or rate for one of something: not below zero, at most 6 decimals."),
	"signed": numberSchema(-1_000_000_000_000, "-?", "4",
		"An amount that may be below zero where the contract says so: at most 4 decimals."),
	"moment": JSON{"description": "RFC 3339, 1970 to 2148.", "type": "string",
		"pattern": "^" + datePattern + timePattern + "$"},
	"momentOrDate": JSON{"description": "RFC 3339, or a date, which is midnight UTC.", "type": "string",
		"pattern": "^" + datePattern + "(" + timePattern + ")?$"},
	"digest": JSON{"description": "SHA-256, in hexadecimal digits.", "type": "string", "pattern": "^[0-9a-f]{64}$"},
	"period": JSON{"description": "A month.", "type": "string", "pattern": "^" + yearPattern + "-(0[1-9]|1[0-2])$"},
}
