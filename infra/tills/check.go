package tills

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"sync"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// checker makes CloudEvents of what programs give, and holds each against the contract as the gateway does.
type checker struct {
	source  string
	decoder *wire.Decoder
	floats  floats
}

// decoders are used again by the next checker: one takes some 6 KiB.
var decoders = sync.Pool{New: func() any { return new(wire.Decoder) }}

// attributes are those that a program gives, in the order in which they are written.
var attributes = []string{"specversion", "id", "source", "type", "time", "subject", "traceparent", "tracestate", "data"}

// maxEventDepth is the contract's: an event that is nested deeper is refused by it anyway.
const maxEventDepth = wire.MaxDepth

func (c *checker) event(v any) (Event, *failure) {
	e, is := v.(map[string]any)
	if !is {
		return Event{}, &failure{code: CodeNotAnEvent, reason: "an event is an object, not " + show(v),
			hint: "{type, id, time, subject, data}"}
	}
	e = c.completed(e)
	if wrong := knownMembers(e); wrong != nil {
		return Event{}, wrong
	}
	if wrong := c.floats.asID(e); wrong != nil {
		return Event{}, wrong
	}
	b := []byte{'{'}
	for _, name := range attributes {
		v := e[name]
		if v == nil {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), '"', ':')
		var wrong *failure
		if b, wrong = appendValue(b, v, "/"+name, 0); wrong != nil {
			return Event{}, wrong
		}
	}
	b = append(b, '}')
	envelope, err := c.decoder.Structured(b)
	if err != nil {
		return Event{}, contractFailure(err, e)
	}
	return Event{JSON: b, Key: strings.Clone(envelope.Event.Subject()), Type: envelope.Event.Type.String(),
		source: strings.Clone(envelope.Event.Source), id: strings.Clone(envelope.Event.ID)}, nil
}

func contractFailure(err error, e map[string]any) *failure {
	var wrong *wire.Error
	if !errors.As(err, &wrong) {
		return &failure{code: CodeNotAnEvent, reason: err.Error()}
	}
	f := &failure{code: wrong.Code, reason: wrong.Detail, pointer: wrong.Pointer}
	v, there := at(e, wrong.Pointer)
	if f.on, f.failedOn = v, there && v != nil && v != ""; there && !strings.Contains(wrong.Detail, show(v)) {
		f.value = show(v)
	}
	switch wrong.Code {
	case wire.CodeTooManyDecimals:
		f.hint = "amount takes zeros off; dround(currency) rounds"
	case wire.CodeNotANumber:
		f.hint = ".x | amount refuses what is no number where it is read"
	case wire.CodeWrongType:
		f.hint = "an id is a text: .id | tostring"
	case wire.CodeNegative:
		f.hint = "what takes an amount back is another event, or dabs"
	case wire.CodeBadTime:
		f.hint = "a local time: in_zone($till.zone); another form: parse_time(form; zone)"
	case wire.CodeBadCurrency:
		f.hint = "ascii_upcase, where the till writes eur"
	case wire.CodeRequired:
		if strings.HasSuffix(wrong.Pointer, "/store_id") || strings.HasSuffix(wrong.Pointer, "/currency") {
			f.hint = "the till's own: $till.store_id, $till.currency (--set)"
		}
	case wire.CodeUnknownType:
		if near := nearest(fmt.Sprint(e["type"]), eventTypes()); near != "" {
			f.hint = "do you mean " + near + "?"
		}
	}
	return f
}

// at is the value that a pointer (RFC 6901) leads to.
func at(v any, pointer string) (any, bool) {
	if pointer == "" {
		return v, false
	}
	for _, step := range stepsOf(pointer) {
		next, there := inside(v, step)
		if !there {
			return nil, false
		}
		v = next
	}
	return v, true
}

func eventTypes() []string {
	var names []string
	for _, t := range domain.Types() {
		names = append(names, t.String())
	}
	return names
}

// completed adds what every event of a till has, also to the original that a void carries.
func (c *checker) completed(e map[string]any) map[string]any { return c.completedAt(e, 0) }

func (c *checker) completedAt(e map[string]any, depth int) map[string]any {
	whole := make(map[string]any, len(e)+2)
	for k, v := range e {
		whole[k] = v
	}
	if whole["specversion"] == nil {
		whole["specversion"] = "1.0"
	}
	if whole["source"] == nil {
		whole["source"] = c.source
	}
	data, is := whole["data"].(map[string]any)
	if whole["type"] != domain.TypeEventVoided.String() || !is || depth > wire.MaxVoids {
		return whole
	}
	void := make(map[string]any, len(data))
	for k, v := range data {
		void[k] = v
	}
	if original, is := void["original"].(map[string]any); is {
		original = c.completedAt(original, depth+1)
		void["original"] = original
		if void["voids"] == nil {
			void["voids"] = map[string]any{"source": original["source"], "id": original["id"]}
		}
		if whole["subject"] == nil {
			whole["subject"] = original["subject"]
		}
	}
	if voids, is := void["voids"].(map[string]any); is && voids["source"] == nil {
		void["voids"] = map[string]any{"source": c.source, "id": voids["id"]}
	}
	whole["data"] = void
	return whole
}

// appendValue writes JSON. A null member is left out, which says the same. A float is none of ours.
func appendValue(b []byte, v any, pointer string, depth int) ([]byte, *failure) {
	if len(b) > wire.MaxEvent {
		return b, &failure{code: wire.CodeEventTooLarge, reason: fmt.Sprintf("an event has at most %d bytes", wire.MaxEvent)}
	}
	if depth > maxEventDepth {
		return b, &failure{code: wire.CodeTooDeep, reason: "the event is nested too deep", pointer: pointer}
	}
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case *big.Int:
		return v.Append(b, 10), nil
	case string:
		return appendText(b, v), nil
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			var wrong *failure
			if b, wrong = appendValue(b, e, pointer+"/"+strconv.Itoa(i), depth+1); wrong != nil {
				return b, wrong
			}
		}
		return append(b, ']'), nil
	case map[string]any:
		return appendObject(b, v, pointer, depth)
	}
	return b, &failure{code: CodeFloat, reason: fmt.Sprintf("%v went through a float", v), hint: floatHint,
		pointer: pointer}
}

func appendObject(b []byte, o map[string]any, pointer string, depth int) ([]byte, *failure) {
	b = append(b, '{')
	first := true
	for _, name := range memberOrder(o) {
		if o[name] == nil {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendText(b, name), ':')
		var wrong *failure
		if b, wrong = appendValue(b, o[name], pointer+"/"+pointerEscapes.Replace(name), depth+1); wrong != nil {
			return b, wrong
		}
	}
	return append(b, '}'), nil
}

var pointerUnescapes = strings.NewReplacer("~1", "/", "~0", "~")

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// appendText writes a text as JSON. Most texts have plain characters alone, and are written as they are.
func appendText(b []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		return append(append(append(b, '"'), s...), '"')
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string is always JSON
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}
