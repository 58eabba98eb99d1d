package against

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/wire"
)

// TestDecimals holds the members that the reference reads as decimals against the schema of every kind: a member is a
// decimal if it may be written as a string or as a number, and only then.
func TestDecimals(t *testing.T) {
	t.Parallel()
	for _, typ := range domain.Types() {
		each(wire.DataSchema(typ), "", func(path string, schema wire.JSON) {
			name := path[strings.LastIndex(path, "/")+1:]
			if is := isNumber(schema); is != reference.IsDecimal(name) {
				t.Errorf("%s: %s is a number by the schema: %t; by the reference: %t", typ.Name(), path[1:], is, !is)
			}
		})
	}
}

// each visits the members of an object's schema, each with its path (/lines/sku) and what it says without null and
// descriptions. The original that a void carries is an event of its own.
func each(schema wire.JSON, under string, visit func(path string, schema wire.JSON)) {
	members, _ := schema["properties"].(wire.JSON)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		of := plain(members[name].(wire.JSON))
		visit(under+"/"+name, of)
		if items, is := of["items"].(wire.JSON); is {
			of = plain(items)
		}
		if name != "original" {
			each(of, under+"/"+name, visit)
		}
	}
}

// plain is a schema without what it is wrapped in: a description, or that it may be null. What it refers to stands in
// its place.
func plain(schema wire.JSON) wire.JSON {
	if name, is := schema["$ref"].(string); is {
		return plain(wire.SchemaDefinitions()[strings.TrimPrefix(name, "#/$defs/")].(wire.JSON))
	}
	if of, is := schema["allOf"].([]any); is && schema["properties"] == nil {
		return plain(of[0].(wire.JSON))
	}
	if of, is := schema["anyOf"].([]any); is && len(of) == 2 && of[1].(wire.JSON)["type"] == "null" {
		return plain(of[0].(wire.JSON))
	}
	return schema
}

// isNumber reports whether a value may be written as a number.
func isNumber(schema wire.JSON) bool {
	of, _ := schema["anyOf"].([]any)
	return slices.ContainsFunc(of, func(one any) bool {
		kind := one.(wire.JSON)["type"]
		return kind == "number" || kind == "integer"
	})
}

// TestEveryMemberSaidTwice lets two sources tell every business fact of random streams, where the second changes or
// leaves out one member: domain and the reference agree on whether the two say the same, which of them counts, and what
// is booked. Each member of each kind of fact is changed at least once.
func TestEveryMemberSaidTwice(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	least, most := int64(3), int64(60)
	if reference.AllStreams() {
		least = 24
	}
	for seed := int64(0); seed < least || seed < most && len(unasked(asked)) > 0; seed++ {
		records := reference.Generate(seed, reference.Options{Orders: 6, StockFixes: true})
		var books []reference.Record
		for _, r := range records {
			if r.Stream == "books" {
				books = append(books, r)
			}
		}
		for _, r := range records {
			f := fact{seed: seed, first: r, typ: domain.ParseType([]byte(readTold(t, r)["type"].(string)))}
			if id := reference.BusinessID(f.typ.Name()); id != "" && r.Stream != "books" && f.data(t)[id] != nil {
				f.sayTwice(t, asked, books)
			}
		}
	}
	for _, path := range unasked(asked) {
		t.Errorf("%s: no stream has it, or no other value of it is taken", path)
	}
}

// unasked lists the members of facts that were neither changed nor left out yet.
func unasked(asked map[string]int) []string {
	var all []string
	for _, typ := range domain.Types() {
		if reference.BusinessID(typ.Name()) == "" || typ.Stream() == domain.Books {
			continue
		}
		each(wire.DataSchema(typ), "", func(path string, _ wire.JSON) {
			apart := slices.ContainsFunc(notAsked, func(s string) bool { return strings.Contains(path, s) })
			if asked[typ.Name()+path] == 0 && !apart {
				all = append(all, typ.Name()+path)
			}
		})
	}
	return all
}

// notAsked are members that can't change alone (tenders sum to the total), that are about time alone, or that another
// kind has too (lines that are added are those of order.placed).
var notAsked = []string{"/tenders/amount", "/promise", "/lines_added/components"}

// fact is an event that tells a business fact, of the stream of a seed.
type fact struct {
	seed  int64
	first reference.Record
	typ   domain.Type
}

func (f *fact) data(t *testing.T) map[string]any {
	t.Helper()
	return readTold(t, f.first)["data"].(map[string]any)
}

// sayTwice lets another source tell the fact too, with each member changed, and without it, before the first and after
// it. asked counts by the member's name how often that was done: four times are enough.
func (f *fact) sayTwice(t *testing.T, asked map[string]int, books []reference.Record) {
	t.Helper()
	each(wire.DataSchema(f.typ), "", func(path string, schema wire.JSON) {
		if asked[f.typ.Name()+path] >= 4 {
			return
		}
		for _, change := range []func(any) any{func(v any) any { return another(v, schema) }, func(any) any { return nil }} {
			twin := readTold(t, f.first)
			data := twin["data"].(map[string]any)
			if !edit(data, strings.Split(path[1:], "/"), change) {
				return
			}
			twin["id"], twin["source"] = "twin", "/webhooks/twin" // after the first, in the sequence
			if asked[f.typ.Name()+path] < 2 {
				twin["source"] = "/a/twin" // before it
			}
			if path == "/order_id" {
				twin["subject"] = data["order_id"]
			}
			text, err := json.Marshal(twin)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := new(wire.Decoder).Structured(text); err != nil {
				continue // no event
			}
			second := f.first
			second.Event = text
			for _, log := range [][]reference.Record{after(books, f.first, second), after(books, second, f.first)} {
				if d := compare(log, f.seed); d != "" {
					f.keep(t, path[1:], log, d)
				}
			}
			asked[f.typ.Name()+path]++
		}
	})
}

// keep writes down a log in which the fact is told twice and where the books differ, without the records that aren't
// needed for that.
func (f *fact) keep(t *testing.T, member string, log []reference.Record, difference string) {
	t.Helper()
	kept := reference.Shrink(log, func(part []reference.Record) bool {
		return sortOf(compare(part, f.seed)) == sortOf(difference)
	})
	name := fmt.Sprintf("twice-%s-%s-%d", f.typ.Name(), strings.ReplaceAll(member, "/", "-"), f.seed)
	path, err := reference.KeepHistory(name, kept)
	if err != nil {
		t.Error(err)
	}
	t.Errorf("%s, seed %d: another %s, or none: %s\nkept: "+
		"go test ./domain/reference/against ./projections/post -run '^TestReplay$' -history %s", f.typ.Name(), f.seed, member,
		difference, path)
}

// after puts two records into a log where the first of them stood, and numbers all again.
func after(log []reference.Record, first, second reference.Record) []reference.Record {
	at := slices.IndexFunc(log, func(r reference.Record) bool { return r.Seq > first.Seq })
	if at < 0 {
		at = len(log)
	}
	log = slices.Insert(slices.Clone(log), at, first, second)
	for i := range log {
		log[i].Seq = int64(i + 1)
	}
	return log
}

func readTold(t *testing.T, r reference.Record) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(r.Event))
	d.UseNumber()
	e := map[string]any{}
	if err := d.Decode(&e); err != nil {
		t.Fatal(err)
	}
	return e
}

// edit changes a member, of the first element of each list on its way; it reports whether the member was there. What
// becomes nil is left out.
func edit(o map[string]any, path []string, change func(any) any) bool {
	v, there := o[path[0]]
	switch {
	case !there:
		return false
	case len(path) == 1:
		if o[path[0]] = change(v); o[path[0]] == nil {
			delete(o, path[0])
		}
		return true
	}
	if all, is := v.([]any); is && len(all) > 0 {
		v = all[0]
	}
	inside, is := v.(map[string]any)
	return is && edit(inside, path[1:], change)
}

// another is another value that a member with this schema may have.
func another(v any, schema wire.JSON) any {
	if words, is := schema["enum"].([]string); is {
		return words[(slices.Index(words, v.(string))+1)%len(words)]
	}
	switch v := v.(type) {
	case bool:
		return !v
	case json.Number:
		return json.Number(more(v.String()))
	case []any:
		return append(v, v[0])
	case string:
		pattern, _ := schema["pattern"].(string)
		switch {
		case isNumber(schema):
			return more(v)
		case pattern == "^[A-Z]{3}$":
			if v == "CHF" {
				return "USD"
			}
			return "CHF"
		case strings.HasPrefix(pattern, "^(19"):
			return "2026-01-01T00:00:00Z"
		}
		return v + "-x"
	}
	return v
}

// more is a decimal and one.
func more(v string) string {
	n, is := new(big.Rat).SetString(v)
	if !is {
		panic(fmt.Sprintf("%s is no number", strconv.Quote(v)))
	}
	text := n.Add(n, big.NewRat(1, 1)).FloatString(6)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
