package wire_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// TestContractRows holds what the codec takes against the contract's §3, member by member: names, which are required,
// and the words that a row lists.
func TestContractRows(t *testing.T) {
	rows := contractRows(t)
	for _, typ := range domain.Types() {
		row, ok := rows[typ.Name()]
		if !ok {
			t.Errorf("the contract has no row for %s", typ)
			continue
		}
		want := implicit(typ)
		for path, m := range row {
			want[path] = m
		}
		have := map[string]*member{}
		flatten(wire.DataSchema(typ), "", have)
		for _, path := range slices.Sorted(maps.Keys(want)) {
			switch h, w := have[path], want[path]; {
			case h == nil:
				t.Errorf("%s: the contract has %s, the codec hasn't", typ.Name(), path)
			case h.required != w.required:
				t.Errorf("%s: %s is required: %t by the codec, %t by the contract", typ.Name(), path, h.required, w.required)
			case w.words != "" && w.words != h.words:
				t.Errorf("%s: %s is %s by the codec, and %s by the contract", typ.Name(), path, h.words, w.words)
			}
		}
		for _, path := range slices.Sorted(maps.Keys(have)) {
			if _, ok := want[path]; !ok {
				t.Errorf("%s: the codec has %s, the contract hasn't", typ.Name(), path)
			}
		}
	}
}

// member is what is said of one member of an event's data, by its path (lines/sku).
type member struct {
	required bool
	words    string // with / between them, where only some are allowed
}

// implicit are the members that §3 speaks of above its tables.
func implicit(typ domain.Type) map[string]member {
	switch typ.Stream() {
	case domain.Orders:
		return map[string]member{"order_id": {required: true}, "store_id": {required: true}}
	case domain.Errors, domain.Redeliveries:
		return map[string]member{"order_id": {}, "store_id": {}, "error_id": {required: true}}
	case domain.AnyStream:
		return map[string]member{"order_id": {}, "store_id": {}, "error_id": {}, "currency": {}}
	}
	return map[string]member{}
}

// flatten lists the members of a schema's object.
func flatten(schema wire.JSON, under string, into map[string]*member) {
	must, _ := schema["required"].([]string)
	members, _ := schema["properties"].(wire.JSON)
	for name, value := range members {
		s := plain(value.(wire.JSON))
		path := under + name
		m := &member{required: slices.Contains(must, name)}
		if words, ok := s["enum"].([]string); ok {
			m.words = strings.Join(words, "/")
		}
		into[path] = m
		if items, ok := s["items"].(wire.JSON); ok {
			s = items
		}
		if name != "original" { // an event of its own
			flatten(s, path+"/", into)
		}
	}
}

// plain is a schema without what describes it, or says that it may be null.
func plain(s wire.JSON) wire.JSON {
	for _, around := range []string{"anyOf", "allOf"} {
		if inside, ok := s[around].([]any); ok && s["properties"] == nil {
			first, _ := inside[0].(wire.JSON)
			last, _ := inside[len(inside)-1].(wire.JSON)
			if len(inside) == 1 || last["type"] == "null" {
				return plain(first)
			}
		}
	}
	return s
}

// contractSection is the section of the contract under a heading.
func contractSection(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../../domain/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, from, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("the contract has no section %q", heading)
	}
	section, _, _ := strings.Cut(from, "\n## ")
	return section
}

// contractRows reads the tables of §3: per event its members.
func contractRows(t *testing.T) map[string]map[string]member {
	t.Helper()
	section, _, _ := strings.Cut(contractSection(t, "3. Events"), "\n### ")
	rows := map[string]map[string]member{}
	for line := range strings.SplitSeq(section, "\n") {
		if rest, ok := strings.CutPrefix(line, "Any stream: event.voided: "); ok {
			line = "| event.voided | " + rest + " |"
		}
		cells := strings.SplitN(line, "|", 3)
		if len(cells) < 3 || cells[0] != "" || !strings.Contains(cells[1], ".") || strings.Contains(cells[1], "…") {
			continue
		}
		var names []string
		for name := range strings.SplitSeq(cells[1], "/") {
			names = append(names, strings.TrimSpace(name))
		}
		for _, name := range names {
			r := &rowReader{text: strings.TrimSuffix(strings.TrimSpace(cells[2]), "|"), of: name, names: names}
			rows[name] = map[string]member{}
			r.members("", rows[name])
			if r.err != nil {
				t.Errorf("%s: %v", name, r.err)
			}
		}
	}
	for name, row := range rows {
		if _, ok := row["lines_added"]; !ok {
			continue
		}
		for path, m := range rows["order.placed"] {
			if rest, ok := strings.CutPrefix(path, "lines/"); ok {
				rows[name]["lines_added/"+rest] = m
			}
		}
	}
	return rows
}

// rowReader reads one row: members with commas between them, up to the first sentence. A member is its name, ? where it
// is optional, the words that it can be, {members} of an object or [{members}] of a list, and (a comment). In a row of
// several events, a comment that begins with the last part of one's name says that only that one has the member.
type rowReader struct {
	text  string
	of    string
	names []string
	err   error
}

func (r *rowReader) members(under string, into map[string]member) {
	for r.err == nil {
		name := r.take("abcdefghijklmnopqrstuvwxyz_")
		if name == "" {
			r.err = fmt.Errorf("a member is expected at %.40q", r.text)
			return
		}
		path := under + name
		m := member{required: !r.skip("?")}
		inside := map[string]member{}
		switch {
		case r.skip("[{"):
			r.members(path+"/", inside)
			r.expect("}]")
		case r.skip("{"):
			r.members(path+"/", inside)
			r.expect("}")
		case r.skip("[as in order.placed]"):
		case r.skip(" ") && !strings.HasPrefix(r.text, "("):
			m.words = r.take("abcdefghijklmnopqrstuvwxyz_/")
		}
		r.skip(" ")
		if r.mine() {
			into[path] = m
			maps.Copy(into, inside)
		}
		if !r.skip(", ") {
			return
		}
	}
}

// mine reads the comment of a member, if there is one, and reports whether the event has the member.
func (r *rowReader) mine() bool {
	if !strings.HasPrefix(r.text, "(") {
		return true
	}
	end := strings.Index(r.text, ")")
	if end < 0 {
		r.err = fmt.Errorf("a comment doesn't end: %.40q", r.text)
		return true
	}
	comment := r.text[1:end]
	r.text = r.text[end+1:]
	for _, name := range r.names {
		_, last, _ := strings.Cut(name, ".")
		if rest, is := strings.CutPrefix(comment, last); is && len(r.names) > 1 && (rest == "" || rest[0] == ':') {
			return name == r.of
		}
	}
	return true
}

func (r *rowReader) take(letters string) string {
	n := len(r.text) - len(strings.TrimLeft(r.text, letters))
	taken := r.text[:n]
	r.text = r.text[n:]
	return taken
}

func (r *rowReader) skip(prefix string) bool {
	rest, ok := strings.CutPrefix(r.text, prefix)
	r.text = rest
	return ok
}

func (r *rowReader) expect(s string) {
	if r.err == nil && !r.skip(s) {
		r.err = fmt.Errorf("%q is expected at %.40q", s, r.text)
	}
}

// generated is a sample made of what the codec says of a type: for one that has none written down.
func generated(typ domain.Type) *sample {
	s := &sample{name: typ.Name(), typ: typ}
	s.wrap(s.values(wire.DataSchema(typ), "/data"))
	if typ.Stream() == domain.Books {
		return s
	}
	for _, pointer := range []string{"/data/order_id", "/data/store_id"} { // of what has an order
		if !slices.Contains(s.required, pointer) {
			s.required = append(s.required, pointer)
			s.optional = slices.DeleteFunc(s.optional, func(p string) bool { return p == pointer })
		}
	}
	return s
}

// TestGenerated: samples that are made of declarations are events, but for types with rules between their members.
func TestGenerated(t *testing.T) {
	ruled := []domain.Type{domain.TypeOrderPlaced, domain.TypeRateSet, domain.TypeFactDecided,
		domain.TypeVendorTerms, domain.TypeEventVoided}
	for _, typ := range domain.Types() {
		if slices.Contains(ruled, typ) {
			continue
		}
		s, written := generated(typ), sampleOf(t, typ)
		mustRead(t, s.event.json())
		for _, pointers := range [][2][]string{{s.required, written.required}, {s.optional, written.optional}} {
			a, b := slices.Sorted(slices.Values(pointers[0])), slices.Sorted(slices.Values(pointers[1]))
			if !slices.Equal(a, b) {
				t.Errorf("%s: made\n%v\nand written\n%v", typ, a, b)
			}
		}
	}
}

// values is an object with every member that a schema has.
func (s *sample) values(schema wire.JSON, path string) tree {
	must, _ := schema["required"].([]string)
	members, _ := schema["properties"].(wire.JSON)
	o := tree{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		here := path + "/" + name
		if slices.Contains(must, name) {
			s.required = append(s.required, here)
		} else {
			s.optional = append(s.optional, here)
		}
		o[name] = s.value(plain(members[name].(wire.JSON)), here)
	}
	return o
}

func (s *sample) value(schema wire.JSON, path string) any {
	switch schema["$ref"] {
	case "#/$defs/amount", "#/$defs/unit", "#/$defs/signed":
		return json.Number("12.5")
	case "#/$defs/currency":
		return "EUR"
	case "#/$defs/moment", "#/$defs/momentOrDate":
		return "2026-03-02T10:00:00Z"
	case "#/$defs/period":
		return "2026-01"
	case "#/$defs/source":
		return "/tills/2"
	case "#/$defs/digest":
		return strings.Repeat("0f", 32)
	case "#/$defs/id":
		known := map[string]string{"/data/order_id": "o-1", "/data/store_id": "s-1", "/data/error_id": "x-1"}
		return cmp.Or(known[path], "id of "+path)
	}
	if words, ok := schema["enum"].([]string); ok {
		return words[0]
	}
	switch schema["type"] {
	case "boolean":
		return true
	case "object":
		return s.values(schema, path)
	case "array":
		return []any{s.value(schema["items"].(wire.JSON), path+"/0")}
	case "string":
		return "some text"
	}
	return json.Number("3")
}
