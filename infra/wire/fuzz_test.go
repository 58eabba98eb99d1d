package wire_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// checkAccepted: whatever was accepted is JSON, and means the same after it was written and read again.
func checkAccepted(t *testing.T, d *wire.Decoder, env *wire.Envelope, payload []byte) {
	if !json.Valid(env.Data) || (len(env.Extensions) > 0 && !json.Valid(env.Extensions)) {
		t.Fatalf("kept what is no JSON: %s %s", env.Data, env.Extensions)
	}
	content := env.Content
	written := wire.AppendEvent(nil, &env.Event)
	again, err := d.Structured(written)
	if err != nil {
		t.Fatalf("%v\n%s\nwas written as\n%s", err, payload, written)
	}
	rewritten := wire.AppendEvent(nil, &again.Event)
	if string(rewritten) != string(written) {
		t.Fatalf("%s\nwas written as\n%s\nand then as\n%s", payload, written, rewritten)
	}
	// What isn't known isn't written. Where everything is known, the content is the same.
	if hasUnknown(payload, written) {
		content = again.Content
	}
	if again.Content != content {
		t.Fatalf("%s\nmeans something else as\n%s", payload, written)
	}
}

// hasUnknown reports whether written lacks a member's name that payload has.
func hasUnknown(payload, written []byte) bool {
	var a, b any
	if json.Unmarshal(payload, &a) != nil || json.Unmarshal(written, &b) != nil {
		return true
	}
	known := map[string]bool{}
	names(b, known)
	// Members of the contract may be left out in writing where they say nothing.
	for _, typ := range domain.Types() {
		members := map[string]*member{}
		flatten(wire.DataSchema(typ), "", members)
		for path := range members {
			known[path[strings.LastIndexByte(path, '/')+1:]] = true
		}
	}
	for _, name := range []string{"datacontenttype", "dataschema", "subject"} {
		known[name] = true
	}
	all := map[string]bool{}
	names(a, all)
	for name := range all {
		if !known[name] {
			return true
		}
	}
	return misplaced(a, b)
}

// misplaced reports whether a has a member with a value other than null, in data, where b has none by this name: one of
// another event's, which this one doesn't know.
func misplaced(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, _ := b.(map[string]any)
		for k, v := range a {
			if w, ok := b[k]; v != nil && (!ok || misplaced(v, w)) {
				return true
			}
		}
	case []any:
		b, _ := b.([]any)
		for i := range a {
			if i >= len(b) || misplaced(a[i], b[i]) {
				return true
			}
		}
	}
	return false
}

func names(v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			into[k] = true
			names(e, into)
		}
	case []any:
		for _, e := range v {
			names(e, into)
		}
	}
}

func FuzzStructured(f *testing.F) {
	for _, e := range everyVariant(f) {
		f.Add(e.json())
	}
	for _, s := range []string{``, `{}`, `[`, `{"id":"\ud800"}`, `{"data":{"a":` + strings.Repeat("[", 100) + `}}`,
		"\xef\xbb\xbf{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := string(payload)
		var d wire.Decoder
		env, err := d.Structured(payload)
		if string(payload) != before {
			t.Fatal("the payload was changed")
		}
		if err != nil {
			checkRefused(t, err)
			checkReferee(t, err, payload)
			return
		}
		if !json.Valid(payload) {
			t.Fatalf("accepted what is no JSON: %s", payload)
		}
		checkAccepted(t, new(wire.Decoder), env, payload)
	})
}

func checkRefused(t *testing.T, err error) {
	var e *wire.Error
	if !errors.As(err, &e) || e.Code == "" || e.Detail == "" || (e.Pointer != "" && e.Pointer[0] != '/') {
		t.Fatalf("%#v", err)
	}
}

// checkReferee: what is called no JSON is none by encoding/json's rules either, and the other way round.
func checkReferee(t *testing.T, err error, payload []byte) {
	var e *wire.Error
	if !errors.As(err, &e) || e.Code == wire.CodeBadUTF8 || e.Code == wire.CodeEventTooLarge {
		return // said before anybody looked at the JSON
	}
	var object map[string]any
	isObject := json.Valid(payload) && json.Unmarshal(payload, &object) == nil && object != nil
	if refused := e.Code == wire.CodeBadJSON; refused == isObject {
		t.Fatalf("an object of JSON: %t, and refused with %v: %q", isObject, err, payload)
	}
}

func FuzzBinary(f *testing.F) {
	for _, s := range samples(f) {
		subject, _ := s.event["subject"].(string)
		f.Add(s.event["id"].(string), s.event["source"].(string), s.event["type"].(string), s.event["time"].(string),
			subject, "application/json", "ext", s.event["data"].(tree).json())
	}
	f.Fuzz(func(t *testing.T, id, source, typ, time, subject, contentType, extension string, data []byte) {
		headers := map[string]string{"content-type": contentType, "ce_specversion": "1.0", "ce_id": id,
			"ce_source": source, "ce_type": typ,
			"ce_time": time, "ce_subject": subject, "ce_extension": extension}
		var d wire.Decoder
		env, err := d.Kafka(headers, data)
		if err != nil {
			checkRefused(t, err)
			return
		}
		if wire.ModeOf(contentType, true) == wire.BinaryMode && !json.Valid(data) {
			t.Fatalf("accepted what is no JSON: %s", data)
		}
		content, written := env.Content, wire.AppendEvent(nil, &env.Event)
		again, err := new(wire.Decoder).Structured(written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if !hasUnknown(data, wire.AppendData(nil, &env.Event)) && again.Content != content {
			t.Fatalf("%s means something else in structured mode", data)
		}
	})
}

// FuzzNumbers holds the hash of a number that the contract doesn't know against exact arithmetic: two spellings have
// one hash exactly where they have one value.
func FuzzNumbers(f *testing.F) {
	for _, n := range [][2]string{{"1", "1.0"}, {"1.5", "15e-1"}, {"0", "-0"}, {"0", "0e9"}, {"1e2", "100"},
		{"1e20", "100000000000000000000"},
		{"12345678901234567890", "12345678901234567891"}, {"0.000001", "1e-6"}, {"0.0000001", "1e-7"}, {"-1e-7", "1e-7"},
		{"1000000000000", "1e12"}, {"1000000000001", "1e12"}} {
		f.Add(n[0], n[1])
	}
	e := byName(f, "period.closed").event
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 60 || len(b) > 60 || strings.ContainsAny(a+b, `"{}[],: `+"\t\n\r") || !json.Valid([]byte(a)) ||
			!json.Valid([]byte(b)) {
			return
		}
		x, y, ok := exactly(a, b)
		if !ok {
			return
		}
		content := func(n string) uint64 {
			c := e.clone()
			set(c, "/data/n", raw(n))
			return mustRead(t, c.json()).Content
		}
		if (content(a) == content(b)) != (x.Cmp(y) == 0) {
			t.Fatalf("%s and %s: same value %t, same content %t", a, b, x.Cmp(y) == 0, content(a) == content(b))
		}
		// As a number of the contract it is accepted by its value, or refused for a reason, in either spelling.
		s := byName(t, "salvage.sold").event
		var d wire.Decoder
		for _, n := range []any{raw(a), a} {
			set(s, "/data/amount", n)
			env, err := d.Structured(s.json())
			if err != nil {
				checkRefused(t, err)
				continue
			}
			checkAccepted(t, new(wire.Decoder), env, s.json())
		}
	})
}

func exactly(a, b string) (x, y *big.Rat, ok bool) {
	for _, s := range []string{a, b} {
		if i := strings.IndexAny(s, "eE"); i >= 0 && len(s)-i > 5 {
			return nil, nil, false // beyond what is worth computing
		}
	}
	x, ok1 := new(big.Rat).SetString(a)
	y, ok2 := new(big.Rat).SetString(b)
	return x, y, ok1 && ok2
}

func FuzzHTTPHeaders(f *testing.F) {
	f.Add("Euro%20%E2%82%AC", `"a\"b"`)
	f.Fuzz(func(t *testing.T, id, extension string) {
		var a wire.Attributes
		a.HTTPHeader(http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {id}, "Ce-Source": {"/s"},
			"Ce-Type": {"makegood.period.closed.v1"},
			"Ce-Time": {"2026-03-02T11:00:00Z"}, "Ce-X": {extension}})
		var d wire.Decoder
		env, err := d.Binary(&a, []byte(`{"period":"2026-01"}`))
		if err != nil {
			checkRefused(t, err)
			return
		}
		checkAccepted(t, new(wire.Decoder), env, env.Data)
	})
}
