package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/ledger"
)

// private hides people as serve does, with a hash that tells what it was given.
func private() *wire.Privacy {
	return &wire.Privacy{Hash: func(role wire.Role, id string, at time.Time) string {
		if strings.HasPrefix(id, "hash-") {
			return id
		}
		return fmt.Sprintf("hash-%s-%x-%d", role, len(id), at.UTC().Unix())
	}, Keep: wire.DefaultKeep, KeepAttribute: wire.DefaultKeepAttribute}
}

const miller = "Miller 4711"

// nameEverywhere puts a name wherever a sender could: into ids of people, text, and members and attributes that
// nobody knows, in every object of the event.
func nameEverywhere(v any, stream domain.Stream) {
	switch v := v.(type) {
	case tree:
		for k, e := range v {
			switch k {
			case "customer_id", "employee_id":
				v[k] = miller
			case "reason", "activity", "description":
				if stream != domain.Books && v["voids"] == nil && v["claim_id"] == nil {
					v[k] = "call " + miller
				}
			case "original":
				continue // with what it is of: see TestNothingPlainStays
			}
			nameEverywhere(e, stream)
		}
		if v["specversion"] != nil {
			v["vip"], v["known"] = miller, nil
			return
		}
		v["customer"] = tree{"customer_id": miller, "phones": []any{miller, 1, nil}}
		v[" remark"] = miller
		v["nothing"] = nil
	case []any:
		for _, e := range v {
			nameEverywhere(e, stream)
		}
	}
}

// TestNothingPlainStays: whatever the type, however it is spelled, structured or binary, nothing that tells who
// somebody is stays, and everything else means what it meant.
func TestNothingPlainStays(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 9))
	for _, e := range everyVariant(t) {
		e = e.clone()
		before, err := new(wire.Decoder).Structured(e.json())
		if err != nil {
			t.Fatal(err)
		}
		stream := before.Event.Stream()
		original, _ := e["data"].(tree)["original"].(tree)
		if original != nil {
			nameEverywhere(original, stream)
		}
		nameEverywhere(e, stream)
		payload := respell(r, e)
		came, err := new(wire.Decoder).Structured(payload)
		if err != nil {
			t.Fatalf("%v: %s", err, payload)
		}
		content, want := came.Content, meaning(came)
		d := wire.Decoder{Privacy: private()}
		env, err := d.Structured(payload)
		if err != nil {
			t.Fatalf("%v: %s", err, payload)
		}
		if env.Content != content {
			t.Fatal("the content hash isn't that of what came")
		}
		data := bytes.Clone(env.Data)
		hidden := d.Hidden(payload)
		if bytes.Contains(hidden, []byte("Miller")) || !json.Valid(hidden) || d.Dropped() == 0 {
			t.Fatalf("dropped %d, hidden is %s", d.Dropped(), hidden)
		}
		checkHidden(t, hidden, data, want)
		if got := meaning(env); got != want {
			t.Fatalf("it means %s\nand meant %s", got, want)
		}
	}
}

// checkHidden holds the hidden payload against the data that is kept and what the event meant, and hides it again.
func checkHidden(t *testing.T, hidden, data []byte, want string) {
	t.Helper()
	d := wire.Decoder{Privacy: private()}
	env, err := d.Structured(hidden)
	if err != nil {
		t.Fatalf("what was hidden is refused: %v: %s", err, hidden)
	}
	if again := d.Hidden(hidden); d.Hides() || !bytes.Equal(again, hidden) || !bytes.Equal(env.Data, data) {
		t.Errorf("hidden twice it is %s\nand was %s\nwith the data %s", again, hidden, data)
	}
	if got := meaning(env); got != want {
		t.Fatalf("read again it means %s\nand meant %s", got, want)
	}
}

// meaning is all of an event but who somebody was and what people wrote.
func meaning(env *wire.Envelope) string {
	text := wire.AppendEvent(nil, &env.Event)
	var e tree
	if err := json.Unmarshal(text, &e); err != nil {
		return err.Error()
	}
	forgetPeople(map[string]any(e))
	out, _ := json.Marshal(e) // what was unmarshalled marshals
	return string(out)
}

func forgetPeople(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			switch k {
			case "customer_id", "employee_id", "reason", "activity", "description":
				delete(v, k)
			default:
				forgetPeople(e)
			}
		}
	case []any:
		for _, e := range v {
			forgetPeople(e)
		}
	}
}

// TestHiddenBinary: of an event in binary mode the headers are filtered as well.
func TestHiddenBinary(t *testing.T) {
	e := byName(t, "order.placed").event.clone()
	nameEverywhere(e["data"], domain.Orders)
	data := e["data"].(tree).json()
	attrs := wire.Attributes{SpecVersion: "1.0", ID: "1", Source: "urn:t", Type: "makegood.order.placed.v1",
		Time: "2026-03-02T09:30:00Z", Subject: "o-1", DataContentType: "application/json",
		Extensions: []wire.Extension{{Name: "vip", Value: miller}, {Name: "traceparent", Value: "00-ab"}}}
	p := private()
	d := wire.Decoder{Privacy: p}
	env, err := d.Binary(&attrs, data)
	if err != nil {
		t.Fatal(err)
	}
	p.KeepExtensions(&attrs)
	if string(env.Extensions) != `{"traceparent":"00-ab"}` || len(attrs.Extensions) != 1 {
		t.Errorf("the extensions are %s, the headers %v", env.Extensions, attrs.Extensions)
	}
	if hidden := d.Hidden(data); bytes.Contains(hidden, []byte("Miller")) || !bytes.Equal(hidden, env.Data) {
		t.Errorf("hidden it is %s\nand is kept as %s", hidden, env.Data)
	}
}

// TestKeepAlso: what is listed stays, in this type or in any, and ids are hashed in any case.
func TestKeepAlso(t *testing.T) {
	payload := []byte(`{"specversion":"1.0","id":"1","source":"urn:t","type":"makegood.order.cancelled.v1",` +
		`"time":"2026-01-10T09:00:00Z","subject":"o1","deskid":"a","vip":"b","data":{"order_id":"o1","store_id":"s1",` +
		`"by":"business","reason":"why","currency":"USD","net":"1","gift":{"note":"n","to":{"x":1}},"colour":"red",` +
		`"person":{"customer_id":"mary","employee_id":[7]},"lines":[{"sku":"a","quantity":1,"gift":"g"}]}}`)
	for _, c := range []struct {
		keep []string
		want []string
	}{
		{nil, nil},
		{[]string{"order.cancelled.reason"}, []string{`"reason":"why"`}},
		{[]string{"order.placed.reason"}, nil},
		{[]string{"*.gift", "attribute.vip"}, []string{`"gift":{"note":"n","to":{"x":1}}`, `"vip":"b"`}},
		{[]string{"*.lines.gift"}, []string{`"gift":"g"`}},
		{[]string{"*.person"}, []string{`"person":{"customer_id":"hash-customer-4-1768035600","employee_id":"withheld"}`}},
		{[]string{"*"}, []string{`"reason":"why"`, `"colour":"red"`, `"gift":"g"`, `"deskid":"a"`, `"note":"n"`}},
	} {
		p := private()
		p.KeepAlso(c.keep)
		d := wire.Decoder{Privacy: p}
		if _, err := d.Structured(payload); err != nil {
			t.Fatal(err)
		}
		hidden := string(d.Hidden(payload))
		kept := 0
		for _, text := range []string{`"reason"`, `"colour"`, `"gift":{`, `"person"`, `"gift":"g"`, `"deskid"`, `"vip"`} {
			if strings.Contains(hidden, text) {
				kept++
			}
		}
		for _, want := range c.want {
			if !strings.Contains(hidden, want) {
				t.Errorf("with %v %s is missing in %s", c.keep, want, hidden)
			}
		}
		if all := len(c.keep) == 1 && c.keep[0] == "*"; !all && kept != len(c.want) {
			t.Errorf("with %v %d are kept in %s", c.keep, kept, hidden)
		} else if all && strings.Contains(hidden, "mary") {
			t.Errorf("with * it is %s", hidden)
		}
	}
}

// FuzzHidden: what is accepted can be hidden, is accepted then as the same event, and is left alone from then on.
func FuzzHidden(f *testing.F) {
	for _, e := range everyVariant(f) {
		f.Add(e.json())
		e = e.clone()
		nameEverywhere(e, domain.Orders)
		f.Add(e.json())
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		d := wire.Decoder{Privacy: private()}
		env, err := d.Structured(payload)
		if err != nil {
			return
		}
		hidden := d.Hidden(payload)
		if wire.CheckSize(hidden, nil) != nil {
			return
		}
		checkHidden(t, hidden, bytes.Clone(env.Data), meaning(env))
		var persons []string
		collect(hidden, &persons)
		for _, p := range persons {
			if !strings.HasPrefix(p, "hash-") {
				t.Fatalf("the id %q is left in %s", p, hidden)
			}
		}
	})
}

// collect finds the ids of people in the data of events that the contract has.
func collect(payload []byte, into *[]string) {
	env, err := new(wire.Decoder).Structured(payload)
	if err != nil {
		return
	}
	event := &env.Event
	for {
		data := reflect.Indirect(reflect.ValueOf(event.Data))
		for _, name := range []string{"CustomerID", "EmployeeID"} {
			if v := data.FieldByName(name); v.IsValid() && v.String() != "" {
				*into = append(*into, v.String())
			}
		}
		void, is := event.Data.(*domain.EventVoided)
		if !is {
			return
		}
		event = void.Original
	}
}

// TestHideRecord: whatever is wrong with an event, and wherever, no name is left of it where it is kept, and what is
// hidden once stays as it is.
func TestHideRecord(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 10))
	p := private()
	kept := 0
	for _, e := range everyVariant(t) {
		e = e.clone()
		env, err := new(wire.Decoder).Structured(e.json())
		if err != nil {
			t.Fatal(err)
		}
		stream := env.Event.Stream()
		if original, is := e["data"].(tree)["original"].(tree); is {
			nameEverywhere(original, stream)
		}
		nameEverywhere(e, stream)
		damage(r, e)
		payload := respell(r, e)
		if r.IntN(8) == 0 {
			payload = payload[:r.IntN(len(payload))]
		}
		checkRecord(t, p, nil, payload, &kept)
		data, _ := e["data"].(tree)
		checkRecord(t, p, map[string]string{"ce_type": "makegood.order.placed.v1", "ce_time": "2026-03-02T09:30:00Z",
			"ce_vip": miller, "till": miller, "makegood_first": "0/1"}, respell(r, data), &kept)
	}
	if kept < 100 {
		t.Errorf("only %d were kept at all", kept)
	}
}

// damage breaks the contract somewhere.
func damage(r *rand.Rand, e tree) {
	data, _ := e["data"].(tree)
	switch r.IntN(6) {
	case 0:
		e["type"] = "makegood.order.painted.v1"
	case 1:
		delete(data, "store_id")
	case 2:
		data["customer_id"] = tree{"id": miller}
	case 3:
		data["employee_id"] = []any{miller}
	case 4:
		e["time"] = "yesterday"
	case 5:
		data["currency"] = tree{"code": "USD", "said by": miller}
	}
}

func checkRecord(t *testing.T, p *wire.Privacy, headers map[string]string, payload []byte, kept *int) {
	t.Helper()
	left, hidden, whole := p.HideRecord(headers, payload)
	if strings.Contains(fmt.Sprint(left), "Miller") || strings.Contains(string(hidden), "Miller") {
		t.Fatalf("of %s is left %v, %s", payload, left, hidden)
	}
	if !whole {
		if hidden != nil {
			t.Fatalf("not kept, and still there: %s", hidden)
		}
		return
	}
	*kept++
	if !json.Valid(hidden) {
		t.Fatalf("%s became %s", payload, hidden)
	}
	if _, again, _ := p.HideRecord(left, hidden); string(again) != string(hidden) {
		t.Fatalf("hidden twice %s became %s", hidden, again)
	}
}

// FuzzHideRecord: nothing makes it fail, whatever a producer writes.
func FuzzHideRecord(f *testing.F) {
	for _, e := range samples(f) {
		f.Add(e.event.json())
	}
	f.Add([]byte(`{"customer_id":"\ud800"}`))
	f.Add([]byte(`[[{"customer_id":4711,"time":"2026-01-01T00:00:00Z"}]]`))
	p := private()
	f.Fuzz(func(t *testing.T, payload []byte) {
		_, hidden, kept := p.HideRecord(map[string]string{"ce_time": "2026-03-02T09:30:00Z"}, payload)
		if kept && !json.Valid(hidden) && json.Valid(payload) {
			t.Fatalf("%s became %s", payload, hidden)
		}
	})
}

func TestWithoutQuotes(t *testing.T) {
	said := fmt.Sprintf("%q is none of [a b], and %q is a 1:1 match", `Mil"ler\\`, "x")
	if got := wire.WithoutQuotes(said); got != "“…” is none of [a b], and “…” is a 1:1 match" {
		t.Errorf("%s", got)
	}
}

// TestNamedPointers: where people are hidden, the place of a fault has no name that the contract doesn't have.
func TestNamedPointers(t *testing.T) {
	const order = `{"specversion":"1.0","id":"1","source":"//x","type":"makegood.order.placed.v1","subject":"1",` +
		`"time":"2026-01-10T09:00:00Z","data":{"order_id":"1","store_id":"s","currency":"USD","lines":[%s]}}`
	for line, want := range map[string][2]string{
		`{"line_id":"1","x":[{},{"jane@x.com":1,"jane@x.com":2}]}`: {"/data/lines/0/x/1/jane@x.com", "/data/lines/0/*/1/*"},
		`{"line_id":7}`: {"/data/lines/0/line_id", "/data/lines/0/line_id"},
	} {
		for _, privacy := range []*wire.Privacy{nil, private()} {
			d := wire.Decoder{Privacy: privacy}
			_, err := d.Structured(fmt.Appendf(nil, order, line))
			named := want[1]
			if privacy == nil {
				named = want[0]
			}
			if wrong, is := errors.AsType[*wire.Error](err); !is || wrong.Pointer != want[0] || wrong.Named != named {
				t.Errorf("%s, people hidden %v: %#v", line, privacy != nil, err)
			}
			headers := map[string]string{wire.KafkaContentType: wire.ContentTypeEvent}
			_, err = decode.Private(privacy)(headers, fmt.Appendf(nil, order, line))
			if r, is := errors.AsType[*ledger.Rejection](err); !is || r.Pointer != named {
				t.Errorf("%s, people hidden %v: %#v", line, privacy != nil, err)
			}
		}
	}
}
