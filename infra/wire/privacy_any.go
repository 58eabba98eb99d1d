package wire

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/makegood/makegood/domain"
)

// HideRecord hides people in a record of the log whatever it is, for those who keep what could not be booked. Of a
// valid event it is what Hidden gives. Of other JSON only members stay that the contract has somewhere, with ids
// hashed by the time of the event. What is no JSON nobody can tell apart, nor ids where no time can be read: kept
// is false then, and the payload empty. Headers that are none of CloudEvents' own, ours, or kept go as well.
func (p *Privacy) HideRecord(headers map[string]string, payload []byte) (_ map[string]string, hidden []byte,
	kept bool) {
	left := maps.Clone(headers)
	maps.DeleteFunc(left, func(name, _ string) bool { return !p.keepsHeader(name) })
	d := Decoder{Privacy: p}
	if _, err := d.Kafka(headers, payload); err == nil {
		return left, d.Hidden(payload), true
	}
	// Half a pair of surrogates is no text, for all that JSON allows it.
	slash := bytes.IndexByte(payload, '\\')
	if !json.Valid(payload) || !utf8.Valid(payload) || slash >= 0 && loneSurrogate(payload, slash) >= 0 {
		return left, nil, false
	}
	w := anyWalk{privacy: p, cursor: cursor{text: payload}, typ: typeIn(headers[KafkaPrefix+"type"])}
	w.readTime(headers[KafkaPrefix+"time"])
	w.findAttributes(payload)
	if !w.value(0) {
		return left, nil, false
	}
	return left, w.hiding.apply(make([]byte, 0, len(payload)), payload), true
}

// keepsHeader reports whether a header of a Kafka record stays.
func (p *Privacy) keepsHeader(name string) bool {
	attribute, is := strings.CutPrefix(name, KafkaPrefix)
	if !is {
		return strings.EqualFold(name, KafkaContentType) || strings.HasPrefix(name, "makegood_") || p.keepsAttribute(name)
	}
	switch attribute {
	case "specversion", "id", "source", "type", "time", "subject", "dataschema":
		return true
	}
	return p.keepsAttribute(attribute)
}

// anyWalk walks through JSON that is well-formed, and no event of the contract.
type anyWalk struct {
	privacy *Privacy
	cursor  cursor
	hiding  hiding
	typ     domain.Type
	time    time.Time
	timed   bool
	path    []string
}

func typeIn(name string) domain.Type { return domain.ParseType([]byte(name)) }

func (w *anyWalk) readTime(text string) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		w.time, w.timed = t, true
	}
}

// findAttributes looks for the type and the time of the event, which say what may stay and which key hides its
// people.
func (w *anyWalk) findAttributes(payload []byte) {
	var e struct {
		Type any `json:"type"`
		Time any `json:"time"`
	}
	if json.Unmarshal(payload, &e) != nil {
		return // a list
	}
	if name, is := e.Type.(string); is {
		w.typ = typeIn(name)
	}
	if text, is := e.Time.(string); is {
		w.readTime(text)
	}
}

// value steps over the value that comes next. It returns false where it is too deep.
func (w *anyWalk) value(depth int) bool {
	switch next := w.cursor.next(); next {
	case kindObject:
		return depth < MaxDepth && w.object(depth+1)
	case kindList:
		if depth == MaxDepth {
			return false
		}
		w.cursor.enter()
		for w.cursor.element() {
			if !w.value(depth + 1) {
				return false
			}
		}
	default:
		w.cursor.scalar(next)
	}
	return !w.cursor.bad
}

func (w *anyWalk) object(depth int) bool {
	w.cursor.enter()
	for {
		raw, ok := w.cursor.member()
		if !ok {
			return !w.cursor.bad
		}
		start := w.cursor.named
		name := string(appendUnescaped(nil, raw))
		w.path = append(w.path, name)
		known := knownMembers()[name]
		switch {
		case known == knownPerson:
			w.person(start, name)
		case known == knownMember:
			if !w.value(depth) {
				return false
			}
		default:
			w.cursor.frame()
			if !w.privacy.Keep(w.typ, strings.Join(w.belowData(), ".")) {
				w.hiding.drop(w.cursor.text[start:w.cursor.at])
			}
		}
		w.path = w.path[:len(w.path)-1]
	}
}

// belowData is the way to the member from data on, or where there is none from the beginning.
func (w *anyWalk) belowData() []string {
	if len(w.path) > 1 && w.path[0] == "data" {
		return w.path[1:]
	}
	return w.path
}

// person hides the id that comes next. What isn't a string is none, and goes.
func (w *anyWalk) person(start int, name string) {
	isString := w.cursor.next() == kindString
	at := w.cursor.at
	raw := w.cursor.frame()
	if !isString || !w.timed || len(raw) < len(`""`) {
		w.hiding.drop(w.cursor.text[start:w.cursor.at])
		return
	}
	role, _ := roleOf(name)
	id := string(appendUnescaped(nil, raw[1:len(raw)-1]))
	w.hiding.edits = append(w.hiding.edits,
		edit{old: w.cursor.text[at:w.cursor.at], to: w.privacy.Hash(role, id, w.time)})
}

type knownAs uint8

const (
	knownMember knownAs = iota + 1 // by its name it says nothing of people
	knownPerson
)

// knownMembers are the names that members of the contract have, free text apart.
var knownMembers = sync.OnceValue(func() map[string]knownAs {
	known := map[string]knownAs{}
	var add func(v any)
	add = func(v any) {
		switch v := v.(type) {
		case JSON:
			if members, is := v["properties"].(JSON); is {
				for name := range members {
					known[name] = knownMember
				}
			}
			for _, e := range v {
				add(e)
			}
		case []any:
			for _, e := range v {
				add(e)
			}
		}
	}
	for _, t := range domain.Types() {
		add(codecs[t].schema())
	}
	for _, name := range []string{"specversion", "id", "source", "type", "time", "subject", "datacontenttype",
		"dataschema", "data", "original", "voids"} {
		known[name] = knownMember
	}
	for name := range texts {
		delete(known, name)
	}
	known["customer_id"], known["employee_id"] = knownPerson, knownPerson
	return known
})

// texts are the names of the members that are free text.
var texts = map[string]bool{}

// quotation finds what quote put into a sentence.
var quotation = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// WithoutQuotes is a reason why an event was refused, without what its sender wrote: that may say something of
// people.
func WithoutQuotes(detail string) string {
	return quotation.ReplaceAllLiteralString(detail, "“…”")
}
