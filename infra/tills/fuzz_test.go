package tills_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/infra/tills"
)

// fuzzReading holds a decoder against what every body must come to: it is read or refused, and twice
// alike.
func fuzzReading(f *testing.F, read string, more func(t *testing.T, body []byte, got string)) {
	f.Helper()
	of := reader(f, read)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, all := of(body)
		if len(all.Events) > 0 && len(all.Refusals) > 0 && !strings.Contains(read, "json") {
			t.Fatalf("%d events and %v", len(all.Events), all.Refusals)
		}
		if len(all.Events)+len(all.Refusals) == 0 {
			t.Fatal("neither read nor refused")
		}
		for _, r := range all.Refusals {
			if r.Code == tills.CodeProgram && strings.Contains(r.Reason, "gojq failed") {
				t.Fatal(r)
			}
		}
		if again, _ := of(body); again != got {
			t.Fatalf("%s and then %s", got, again)
		}
		if more != nil && len(all.Refusals) == 0 {
			more(t, body, got)
		}
	})
}

// FuzzReadJSON: what is read is what encoding/json reads, number by number.
func FuzzReadJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.50,null,true,"x\u00fc"]}`, "1 2", `[1e5,-0,9007199254740993]`, "{", `{"a":1}{`} {
		f.Add([]byte(s))
	}
	fuzzReading(f, "{format: json}", func(t *testing.T, body []byte, got string) {
		if bytes.Contains(body, []byte{0xef}) || strings.ContainsAny(got, "\\") {
			return // a byte order mark; escapes that are written in another way
		}
		var all []string
		d := json.NewDecoder(strings.NewReader(string(body)))
		d.UseNumber()
		for {
			var v any
			if err := d.Decode(&v); err != nil {
				break
			}
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(all, string(b)) { // what is said twice comes out once
				all = append(all, string(b))
			}
		}
		same := func(s string) string { return strings.NewReplacer(`"`, "", " ", "").Replace(s) }
		if want := strings.Join(all, " "); same(want) != same(got) && !strings.Contains(want, "\\") {
			t.Fatalf("%s\n got %s\nwant %s", body, got, want)
		}
	})
}

func FuzzReadXML(f *testing.F) {
	for _, s := range []string{"<a/>", "<a b='1'>x<c>1</c><c/></a>", "<!DOCTYPE a []><a>&b;</a>",
		"<?xml version='1.0'?><a>&#9;</a>"} {
		f.Add([]byte(s))
	}
	fuzzReading(f, "{format: xml}", func(t *testing.T, body []byte, _ string) {
		if strings.Contains(string(body), "<!DOCTYPE") && !strings.Contains(string(body), "<!--") &&
			!strings.Contains(string(body), "<![CDATA[") && !strings.Contains(string(body), "<?") {
			t.Fatal("a document type was read")
		}
	})
}

func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\n\"x\";1\n", "a\tb\n", "a,a\n", "\xef\xbb\xbfa\n1,2\n", "a\n\"\n"} {
		f.Add([]byte(s))
	}
	fuzzReading(f, "{format: csv}", nil)
}

func FuzzReadForm(f *testing.F) {
	for _, s := range []string{"a=1&b=2", "a=%20&a", "&&", "%zz"} {
		f.Add([]byte(s))
	}
	fuzzReading(f, "{format: form}", nil)
}

func FuzzReadXLSX(f *testing.F) {
	f.Add(sheet(f, func(x *excelize.File) { set(f, x, "Sheet1", map[string]any{"A1": "a", "A2": 1.5}) }))
	fuzzReading(f, "{format: xlsx}", nil)
}

// FuzzMapping: a page is a mapping, or an error that says why; a mapping maps in bounded time, and what comes out is a
// valid event that never went through a float.
func FuzzMapping(f *testing.F) {
	for _, program := range []string{
		`{type: "makegood.error.rejected.v1", id: "\(.a)", time: "2026-01-10T09:00:00Z", subject: "o", data: {error_id: "e",
		order_id: "o", store_id: "s", reason: "x"}}`, ".a + 1", "[.[] | . as $x | {$x}]", "def f: .[]?; [f, f] | add",
		`.a |= . + 1 | .b[3] = 2 | del(.c)`, `reduce .[] as $x (0; . + 1)`, `"1.50" | dadd("2") | dround("EUR")`,
	} {
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program string) {
		m, err := mappingOf(t, program)
		if err != nil {
			return
		}
		got := m.Map(context.Background(), tills.Till{Name: "x"}, tills.Input{Body: []byte(`{"a": 7, "b": [1, "1.50"],` +
			` "c": {}}`)})
		for _, r := range got.Refusals {
			if strings.Contains(r.Reason, "gojq failed") {
				t.Fatal(r)
			}
		}
		for _, e := range got.Events {
			if !json.Valid(e.JSON) {
				t.Fatalf("%s", e.JSON)
			}
		}
	})
}

// FuzzVerify: nobody is believed who doesn't have the secret.
func FuzzVerify(f *testing.F) {
	f.Add("t=1768035600,v1=00", `{"notificationItems":[{"NotificationRequestItem":{}}]}`)
	f.Add("Basic bWU6eA==", adyenItem)
	var all []*tills.Mapping
	for _, sign := range []string{"{scheme: stripe, header: X}", "{scheme: adyen}", "{scheme: square, header: X}",
		"{scheme: basic}",
		"{scheme: token, header: X}", "{scheme: hmac, header: X, over: timestamp+body, timestamp: X}"} {
		all = append(all, signedBy(f, sign))
	}
	f.Fuzz(func(t *testing.T, header, body string) {
		for _, m := range all {
			r := tills.Request{URL: "https://x.example/" + header, Body: []byte(body),
				Headers: map[string]string{"X": header, "Authorization": header}}
			if err := m.Verify(r, []string{"5ec4e7aa00ff5ec4e7aa00ff5ec4e7aa"}, moment); err == nil {
				t.Fatalf("%s believed %q", m.Scheme(), header)
			}
		}
	})
}
