package schemas

// object is a piece of JSON Schema.
type object map[string]any

// property is a member of an event's data.
type property struct {
	name     string
	required bool
	schema   object
}

func must(name string, schema object) property { return property{name, true, schema} }

// may is a member that can be left out, which null says as well.
func may(name string, schema object) property {
	return property{name, false, object{"anyOf": []any{schema, object{"type": "null"}}}}
}

// members is an object of the contract. Others than these are kept, so they are allowed.
func members(all ...property) object {
	required, properties := []string{}, object{}
	for _, p := range all {
		properties[p.name] = p.schema
		if p.required {
			required = append(required, p.name)
		}
	}
	return object{"type": "object", "required": required, "properties": properties}
}

// where adds rules between members.
func (o object) where(rules ...object) object {
	all, _ := o["allOf"].([]any)
	for _, r := range rules {
		all = append(all, r)
	}
	o["allOf"] = all
	return o
}

// when is a rule: where a member has a value, others are required.
func when(name string, value any, then object) object {
	return object{"if": object{"required": []string{name}, "properties": object{name: object{"const": value}}}, "then": then}
}

// said requires members that may not be null.
func said(names ...string) object {
	properties := object{}
	for _, n := range names {
		properties[n] = object{"not": object{"type": "null"}}
	}
	return object{"required": names, "properties": properties}
}

func isSaid(name string) object { return said(name) }

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

func described(o object, text string) object {
	return object{"allOf": []any{o}, "description": text}
}

func words(all ...string) object { return object{"enum": all} }

func some(of object) object { return object{"type": "array", "items": of, "minItems": 1} }

func listOf(of object) object { return object{"type": "array", "items": of} }

var (
	id, text, said1        = ref("id"), object{"type": "string"}, object{"type": "string", "minLength": 1}
	amount, unit, currency = ref("amount"), ref("unit"), ref("currency")
	signed                 = ref("signed")
	moment, momentOrDate   = ref("moment"), ref("momentOrDate")
	flag                   = object{"type": "boolean"}
)

const (
	year  = `(19[7-9][0-9]|20[0-9]{2}|21[0-3][0-9]|214[0-8])`
	date  = year + `-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])`
	clock = `[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])`
)

// number is a decimal string or a JSON number, which makegood reads from its digits, never through a float. Senders that
// can't keep digits in numbers send strings.
func number(decimals, description string) object { return numberFrom(0, "", decimals, description) }

// mostNumber bounds every number of an event, on both sides of zero.
const mostNumber = 1_000_000_000_000

func numberFrom(least int, sign, decimals, description string) object {
	return object{"description": description, "anyOf": []any{
		object{"type": "string", "pattern": `^` + sign + `[0-9]+(\.[0-9]{1,` + decimals + `})?([eE][+-]?[0-9]{1,3})?$`},
		object{"type": "number", "minimum": least, "maximum": mostNumber},
	}}
}

var definitions = object{
	"id": object{"description": "1 to 128 characters, none of them a control character.", "type": "string", "minLength": 1, "maxLength": 128,
		"pattern": "^[^\u0000-\u001f\u007f-\u009f]*$"},
	"source": object{"description": "A URI-reference (RFC 3986): the till or system that sends.", "type": "string", "minLength": 1, "maxLength": 1024,
		"format": "uri-reference", "pattern": "^[^\u0000-\u0020\u007f-\u00a0<>\"{}|\\\\^`]*$"},
	"currency": object{"description": "ISO 4217.", "type": "string", "pattern": "^[A-Z]{3}$"},
	"amount":   number("4", "Money, a quantity, minutes or kilometres: not below zero, at most 4 decimals."),
	"unit":     number("6", "A price, cost or rate for one of something: not below zero, at most 6 decimals."),
	"signed": numberFrom(-mostNumber, "-?", "4",
		"An amount that may be below zero where the contract says so: at most 4 decimals."),
	"moment":       object{"description": "RFC 3339, 1970 to 2148.", "type": "string", "pattern": "^" + date + clock + "$"},
	"momentOrDate": object{"description": "RFC 3339, or a date, which is midnight UTC.", "type": "string", "pattern": "^" + date + "(" + clock + ")?$"},
	"period":       object{"description": "A month.", "type": "string", "pattern": "^" + year + "-(0[1-9]|1[0-2])$"},
}
