package wire_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// everyVariant is each sample in full, with each optional member alone left out, and with none of them; and its void.
func everyVariant(t testing.TB) []tree {
	var all []tree
	add := func(s *sample, e tree) {
		if _, err := new(wire.Decoder).Structured(e.json()); err != nil {
			return // a rule between members
		}
		all = append(all, e)
		switch {
		case s.typ.Own(), s.typ == domain.TypePeriodClosed, s.typ == domain.TypePeriodReopened,
			s.typ == domain.TypeEventVoided:
		default:
			all = append(all, voidOf(&sample{event: e}).event)
		}
	}
	for _, s := range samples(t) {
		add(s, s.event)
		bare := s.event.clone()
		for _, pointer := range s.optional {
			add(s, s.edit(pointer, gone))
			if has(bare, pointer) {
				set(bare, pointer, gone)
			}
		}
		add(s, bare)
	}
	for _, v := range choices {
		s := byName(t, v.event)
		before := len(all)
		if add(s, s.edit(v.pointer, v.value)); len(all) == before {
			t.Fatalf("%s with %v at %s is refused", v.event, v.value, v.pointer)
		}
	}
	return all
}

// choices are what events can say that the samples don't.
var choices = []struct {
	event, pointer string
	value          any
}{
	{"order.placed", "/data/lines", []any{
		line("goods", "components", []any{tree{"sku": "b", "quantity": 2}, tree{"sku": "c", "quantity": "0.5"}}),
		line("service", "quantity", 1), line("gift_card", "unit_price", 50), line("tip", "tax", "0.1"),
		line("goods", "components", []any{tree{"sku": "d", "quantity": 1}}),
		tree{"line_id": "6", "sku": "bottle", "kind": "deposit", "quantity": -6, "unit_price": "0.25", "tax": "-0.24"},
	}},
	{"order.placed", "/data/tenders", []any{
		tree{"method": "gift_card", "amount": 30}, tree{"method": "cash", "amount": "26.19"},
	}},
	{"order.cancelled", "/data/cost", "0"},
	{"order.cancelled", "/data/lines", []any{tree{"sku": "a", "quantity": 1}, tree{"line_id": "2", "quantity": "0.5"}}},
	{"order.changed", "/data/lines_added", []any{line("deposit", "quantity", "-1"), line("goods", "unit_cost", "0")}},
	{"order.charged", "/data/credit", false},
	{"dispute.lost", "/data/tax", "100"},
	{"fact.decided", "/data/counts", true},
	{"fact.decided", "/data", tree{"source": "/tills/2", "id": "id-2", "separate": true, "actor": "ann", "reason": "two"}},
}

func TestRoundTrip(t *testing.T) {
	var first, second wire.Decoder
	for _, e := range everyVariant(t) {
		payload := e.json()
		a, err := first.Structured(payload)
		if err != nil {
			t.Fatal(err)
		}
		written := wire.AppendEvent(nil, &a.Event)
		if !json.Valid(written) {
			t.Fatalf("not JSON: %s", written)
		}
		b, err := second.Structured(written)
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, payload, written)
		}
		same(t, a, b, payload)

		attrs := wire.AttributesOf(&a.Event)
		c, err := new(wire.Decoder).Binary(&attrs, wire.AppendData(nil, &a.Event))
		if err != nil {
			t.Fatalf("%v\n%s", err, payload)
		}
		same(t, a, c, payload)
	}
}

func same(t *testing.T, a, b *wire.Envelope, payload []byte) {
	t.Helper()
	if !reflect.DeepEqual(a.Event, b.Event) {
		t.Fatalf("%s\nwas read as\n%+v %+v\nand after writing as\n%+v %+v", payload, a.Event, a.Event.Data, b.Event,
			b.Event.Data)
	}
	if a.Content != b.Content {
		t.Fatalf("%s\nchanged its content by being written", payload)
	}
}

// Strings of any kind survive.
func TestRoundTripOfStrings(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	alphabet := []rune("aZ09 \"\\/<>&'\u00e9\u4e16\U0001F600\u2028\uFFFD\ufeff\n\t")
	for range 2000 {
		var s []rune
		for range 1 + r.IntN(20) {
			s = append(s, alphabet[r.IntN(len(alphabet))])
		}
		e := domain.Event{
			Source: "/s", ID: "1", Type: domain.TypeErrorRejected,
			Time:    mustRead(t, byName(t, "error.rejected").event.json()).Event.Time,
			OrderID: "o-1", StoreID: "s-1", ErrorID: "x-1", Data: &domain.ErrorRejected{Reason: string(s)},
		}
		env := mustRead(t, wire.AppendEvent(nil, &e))
		if got := env.Event.Data.(*domain.ErrorRejected).Reason; got != string(s) {
			t.Fatalf("%q came back as %q", string(s), got)
		}
	}
}

// The decoder forgets what it read before: no member of one event shows up in the next.
func TestDecoderForgets(t *testing.T) {
	var used wire.Decoder
	all := everyVariant(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 5000 {
		e := all[r.IntN(len(all))]
		payload := e.json()
		switch r.IntN(4) {
		case 0:
			_, _ = used.Structured(payload[:r.IntN(len(payload))])
		case 1:
			set(e.clone(), "/traceparent", "x")
		}
		got, err := used.Structured(payload)
		if err != nil {
			t.Fatal(err)
		}
		want := mustRead(t, payload)
		same(t, want, got, payload)
		if !bytes.Equal(want.Data, got.Data) || !bytes.Equal(want.Extensions, got.Extensions) {
			t.Fatalf("%s: raw data differ", payload)
		}
	}
}

func TestRawDataAndExtensions(t *testing.T) {
	payload := []byte(`{"zz":"\u00e9<","data": {"period" : "2026-01", "who":{"b":1,"a":[ 2 ]}} ,
		"specversion":"1.0","id":"1","source":"/b","type":"makegood.period.closed.v1","time":"2026-03-02T11:00:00Z",
		"traceparent":"00-ab","sequence":7,"urgent":true,"nothing":null}`)
	env := mustRead(t, payload)
	if want := `{"period" : "2026-01", "who":{"b":1,"a":[ 2 ]}}`; string(env.Data) != want {
		t.Errorf("data is %s", env.Data)
	}
	if want := `{"sequence":7,"traceparent":"00-ab","urgent":true,"zz":"\u00e9<"}`; string(env.Extensions) != want {
		t.Errorf("extensions are %s", env.Extensions)
	}
}
