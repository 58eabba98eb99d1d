package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// contract is §3 of the contract, written down a second time: per type its members, `?` behind the optional ones, `??`
// behind those of them that came after the first version, and after the name a value as a sender may write it. The
// code's tables are held against this one.
var contract = []struct {
	event, stream, data string
}{
	{"order.placed", "orders", `
		order_id="o-1" store_id="s-1" customer_id?="c-1" channel?="web" employee_id?="e-1" currency="EUR"
		lines=[{line_id="1" sku="p-1" vendor_id?="v-1" kind??="goods" quantity=2.5 unit_price="19.123456" discount?="1.25"
		tax?=3.8 unit_cost?="12.5" components??=[{sku="p-1a" quantity=2}]}] delivery_fee?="4.9" delivery_tax?="0.93"
		payment_fee?="0.35" delivery_cost??="3.2" commission??="5.5" tenders??=[{method="card" amount="56.19"}]
		promise?={from?="2026-03-02T10:00:00+01:00" until?="2026-03-02T12:00:00+01:00"}`},
	{"order.promise_changed", "orders", `
		order_id="o-1" store_id="s-1" promise={from?="2026-03-02T10:00:00Z" until?="2026-03-03T12:00:00Z"}
		agreed_with_customer=true`},
	{"order.delivered", "orders", `
		order_id="o-1" store_id="s-1" delivered_at?="2026-03-02T11:59:59.123456789Z" lines?=[{sku="p-1" quantity=2
		condition?="damaged"}] documents_ok?=false`},
	{"order.cancelled", "orders", `
		order_id="o-1" store_id="s-1" change_id??="n-1" by="business" reason?="sold out" currency="EUR" net?="100"
		tax?="19" cost?="60" lines??=[{line_id?="1" sku?="p-1" quantity=1}]`},
	{"order.changed", "orders", `
		order_id="o-1" store_id="s-1" change_id?="n-1" by="customer" reason?="another size" currency="EUR"
		lines_added?=[{line_id="2" sku="p-2" vendor_id?="v-1" kind?="goods" quantity=1 unit_price="250" discount?="5"
		tax?="20" unit_cost?="110" components?=[{sku="p-2a" quantity=1}]}] lines_removed?=[{line_id?="1" sku?="p-1"
		quantity="1.5"}] promise?={from?="2026-03-02T10:00:00Z" until?="2026-03-02T12:00:00Z"}`},
	{"order.charged", "orders", `
		order_id="o-1" store_id="s-1" charge_id="h-1" kind="commission" currency="EUR" amount="12.5" credit?=true`},
	{"feedback.received", "orders", `
		order_id="o-1" store_id="s-1" rating=2 public=false channel?="mail" customer_id?="c-1"`},
	{"error.reported", "errors", `
		order_id="o-1" store_id="s-1" error_id="x-1" kind="wrong_item" found="after_delivery" detected_by="customer"
		party_at_fault?="supplier" vendor_id?="v-1" employee_id?="e-1" root_cause?="pick_pack" avoidable?=true
		severity?="major" currency?="EUR" lines?=[{sku="p-1" quantity=1 unit_cost?="60" received_sku?="p-2"
		received_quantity?="2" received_unit_cost?="55"}] experiment??={name="call" arm="holdout"}`},
	{"error.classified", "errors", `
		order_id="o-1" store_id="s-1" error_id="x-1" kind?="damaged" root_cause?="carrier" party_at_fault?="carrier"
		vendor_id?="v-1" employee_id?="e-1" avoidable?=false severity?="minor" same_as??="x-2"`},
	{"error.rejected", "errors", `
		order_id="o-1" store_id="s-1" error_id="x-1" reason="the customer was mistaken"`},
	{"goods.scrapped", "errors", `
		order_id="o-1" store_id="s-1" error_id="x-1" scrap_id??="g-1" currency="EUR" reason?="mould" lines=[{sku="p-1"
		quantity="3" unit_cost?="1.000001"}]`},
	{"redelivery.dispatched", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" redelivery_id="r-1" mode="own_truck" currency="EUR" lines=[{sku="p-1"
		quantity=1 unit_cost?="60"}] carrier_charge?="7.5" promise?={from?="2026-03-02T10:00:00Z"
		until?="2026-03-02T12:00:00Z"}`},
	{"redelivery.completed", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" redelivery_id="r-1" trip_id??="t-1" succeeded=true currency="EUR"
		vehicle?="van-1" drive_minutes?=30 site_minutes?=15 wait_minutes?=5 distance_km?="24.25" stops?=3
		carrier_charge?="1.1"`},
	{"labour.spent", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" labour_id="l-1" role="agent" minutes=18 activity?="phone"
		currency="EUR"`},
	{"refund.issued", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id?="x-1" refund_id="f-1" currency="EUR" net="10" tax?="1.9" method?="card"
		fee_returned??="0.4" replaces_goods??=true`},
	{"concession.granted", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" concession_id="k-1" kind="voucher" currency="EUR" amount="10"
		tax?="1" expires?="2027-03-02"`},
	{"voucher.redeemed", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" concession_id="k-1" currency="EUR" amount="8" redemption_id??="b-1"`},
	{"voucher.expired", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" concession_id="k-1" currency="EUR" amount="2" redemption_id??="b-1"`},
	{"return.received", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" return_id="t-1" currency="EUR" lines=[{sku="p-2" quantity=1
		unit_cost?="55" was="wrong_item" grade="saleable" nrv?="45"}] freight_charge?="6" inspect_minutes?=6
		inspect_role?="inspector"`},
	{"salvage.sold", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" salvage_id="a-1" currency="EUR" amount="5"`},
	{"dispute.opened", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id?="x-1" dispute_id="d-1" currency="EUR" amount="100" fee?="15"`},
	{"dispute.won", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id?="x-1" dispute_id="d-1" currency="EUR" amount="100" fee_returned??="15"`},
	{"dispute.lost", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id?="x-1" dispute_id="d-1" currency="EUR" amount="100" tax??="8"`},
	{"marketplace.charged", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" charge_id="h-1" currency="EUR" amount="3" tax??="0.57"`},
	{"claim.filed", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" claim_id="m-1" party="carrier" party_id?="c-1" currency="EUR"
		amount="30" lines?=[{sku="p-1" quantity=1 unit_cost?="30"}]`},
	{"claim.accepted", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" claim_id="m-1" party="supplier" party_id?="v-1" currency="EUR"
		amount="25"`},
	{"claim.settled", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" claim_id="m-1" party="insurer" party_id?="i-1" currency="EUR"
		amount="25" payment_id??="y-1"`},
	{"claim.closed", "redeliveries", `
		order_id="o-1" store_id="s-1" error_id="x-1" claim_id="m-1" reason="short_paid"`},
	{"rate.set", "books", `
		rate="fleet_hour" key="*" value="60.200001" currency="EUR" effective_from="2026-01-01"`},
	{"quality.spent", "books", `
		spend_id="q-1" category="prevention" store_id?="s-1" target_cause?="pick_pack" currency="EUR" amount="500"
		description?="training"`},
	{"period.closed", "books", `
		period="2026-01"`},
	{"period.reopened", "books", `
		period="2026-01"`},
	{"deadletter.replayed", "books", `
		dead_letter_id="0f1e2d3c" topic?="makegood.orders" partition?=3 offset?=42 actor="ann"
		reason?="the till was mended"`},
	{"deadletter.discarded", "books", `
		dead_letter_id="0f1e2d3c" topic?="makegood.orders" partition?="3" offset?=42 actor="ann" reason?="a test order"`},
	{"books.rebuilt", "books", `
		rebuild_id="b-1" closed_periods?=true`},
	{"fact.decided", "books", `
		source="/tills/2" id="id-2" order_id?="o-1" error_id?="x-1" counts?=false separate?=false actor="ann"
		reason="the till was reset"`},
	{"person.erased", "books", `
		person="p-erased00-abcdefghijklmnopqrstuvwxyz" hashes=[{hash="p-3fa91c02-abcdefghijklmnopqrstuvwxyz"}] actor="ann"
		reason="asked for it"`},
	{"vendor.terms", "books", `
		vendor_id="v-1" window_days=30 effective_from="2026-01-01"
		covers=[{element="GOODS" cause?="supplier_quality" share??="0.5" clause?="art-4.2"}]`},
}

// tree is a JSON object that can be edited.
type tree map[string]any

// sample is a type's event with every member there is. optional lists the pointers of those that may be left out.
type sample struct {
	name     string
	typ      domain.Type
	event    tree
	required []string
	optional []string
	later    []string // of the optional ones, those that the first version didn't have
}

// samples are one of each type, in the contract's order: as written above, else as the codec's declaration makes it.
func samples(t testing.TB) []*sample {
	t.Helper()
	var all []*sample
	for _, typ := range domain.Types() {
		if typ != domain.TypeEventVoided {
			all = append(all, sampleOf(t, typ))
		}
	}
	return append(all, voidOf(all[0]))
}

func sampleOf(t testing.TB, typ domain.Type) *sample {
	for _, row := range contract {
		if row.event != typ.Name() {
			continue
		}
		if typ.Stream().String() != row.stream {
			t.Fatalf("%s is on stream %s, and the contract says %s", row.event, typ.Stream(), row.stream)
		}
		s := &sample{name: row.event, typ: typ}
		p := &notation{text: row.data + "}", s: s}
		s.wrap(p.object("/data"))
		return s
	}
	return generated(typ)
}

// wrap puts the envelope around data.
func (s *sample) wrap(data tree) {
	s.event = tree{
		"specversion": "1.0", "id": "id-1", "source": "/stores/s-1", "type": s.typ.String(),
		"time": "2026-03-02T11:00:00+01:00", "data": data,
	}
	if order, ok := data["order_id"]; ok && s.typ.Stream() != domain.Books {
		s.event["subject"] = order
	}
}

// voidOf takes back a whole event.
func voidOf(s *sample) *sample {
	original := s.event.clone()
	v := &sample{name: "event.voided", typ: domain.TypeEventVoided, event: tree{
		"specversion": "1.0", "id": "void-of-" + original["id"].(string), "source": "/back-office",
		"type": "makegood.event.voided.v1",
		"time": "2026-03-05T08:00:00Z",
		"data": tree{"voids": tree{"source": original["source"], "id": original["id"]}, "reason": "keyed twice",
			"original": original},
	}}
	for _, name := range []string{"order_id", "store_id", "error_id", "currency"} {
		if original["type"] == domain.TypeFactDecided.String() {
			break // it names the order of another event, and is itself of none
		}
		if value, ok := at(original, "/data/"+name); ok {
			set(v.event, "/data/"+name, value)
			v.optional = append(v.optional, "/data/"+name)
		}
	}
	if subject, ok := original["subject"]; ok {
		v.event["subject"] = subject
	}
	for _, pointer := range s.later {
		v.later = append(v.later, "/data/original"+pointer)
	}
	v.required = []string{"/data/voids", "/data/voids/source", "/data/voids/id", "/data/reason", "/data/original"}
	return v
}

// notation reads the little language of the table above.
type notation struct {
	text string
	s    *sample
}

func (p *notation) object(path string) tree {
	o := tree{}
	for {
		p.text = strings.TrimLeft(p.text, " \t\n")
		if p.text[0] == '}' {
			p.text = p.text[1:]
			return o
		}
		name, rest, _ := strings.Cut(p.text, "=")
		p.text = rest
		name, later := strings.CutSuffix(name, "??")
		name, isOptional := strings.CutSuffix(name, "?")
		isOptional = isOptional || later
		here := path + "/" + name
		if later {
			p.s.later = append(p.s.later, here)
		}
		if isOptional {
			p.s.optional = append(p.s.optional, here)
		} else {
			p.s.required = append(p.s.required, here)
		}
		switch p.text[0] {
		case '{':
			p.text = p.text[1:]
			o[name] = p.object(here)
		case '[':
			p.text = p.text[2:]
			o[name] = []any{p.object(here + "/0")}
			p.text = p.text[1:]
		default:
			d := json.NewDecoder(strings.NewReader(p.text))
			d.UseNumber()
			var value any
			if err := d.Decode(&value); err != nil {
				panic(fmt.Sprint(here, ": ", err))
			}
			o[name] = value
			p.text = p.text[d.InputOffset():]
		}
	}
}

// edit is the sample with another value at a pointer, gone for none. What an order's lines sum to would no longer be
// what was paid: its tenders go, where it isn't about them.
func (s *sample) edit(pointer string, value any) tree {
	e := s.event.clone()
	if s.typ == domain.TypeOrderPlaced && !strings.HasPrefix(pointer, "/data/tenders") {
		set(e, "/data/tenders", gone)
	}
	set(e, pointer, value)
	return e
}

func (t tree) clone() tree { return clone(t).(tree) }

func clone(v any) any {
	switch v := v.(type) {
	case tree:
		c := make(tree, len(v))
		for k, e := range v {
			c[k] = clone(e)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = clone(v[i])
		}
		return c
	}
	return v
}

// raw is JSON that is written as it stands.
type raw string

func (t tree) json() []byte {
	var b bytes.Buffer
	writeJSON(&b, t, nil)
	return b.Bytes()
}

// writeJSON writes v, members in the order that shuffle gives.
func writeJSON(b *bytes.Buffer, v any, shuffle func([]string)) {
	switch v := v.(type) {
	case tree:
		keys := slices.Sorted(maps.Keys(v))
		if shuffle != nil {
			shuffle(keys)
		}
		b.WriteByte('{')
		for i, k := range keys {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, k, nil)
			b.WriteByte(':')
			writeJSON(b, v[k], shuffle)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, e, shuffle)
		}
		b.WriteByte(']')
	case raw:
		b.WriteString(string(v))
	default:
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		b.Write(text)
	}
}

// at finds a value by its pointer.
func at(v any, pointer string) (any, bool) {
	for _, step := range strings.Split(pointer, "/")[1:] {
		switch o := v.(type) {
		case tree:
			e, ok := o[step]
			if !ok {
				return nil, false
			}
			v = e
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(o) {
				return nil, false
			}
			v = o[i]
		default:
			return nil, false
		}
	}
	return v, true
}

func has(v any, pointer string) bool {
	_, ok := at(v, pointer)
	return ok
}

// set puts a value at a pointer, gone takes it away.
func set(t tree, pointer string, value any) {
	i := strings.LastIndexByte(pointer, '/')
	parent := any(t)
	if i > 0 {
		var ok bool
		if parent, ok = at(t, pointer[:i]); !ok {
			panic("nothing at " + pointer)
		}
	}
	switch o := parent.(type) {
	case tree:
		if value == gone {
			delete(o, pointer[i+1:])
			return
		}
		o[pointer[i+1:]] = value
	case []any:
		n, err := strconv.Atoi(pointer[i+1:])
		if err != nil {
			panic(err)
		}
		o[n] = value
	}
}

type absence struct{}

var gone = absence{}

func byName(t testing.TB, name string) *sample {
	t.Helper()
	for _, s := range samples(t) {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no event %s", name)
	return nil
}

func mustRead(t testing.TB, payload []byte) *wire.Envelope {
	t.Helper()
	env, err := new(wire.Decoder).Structured(payload)
	if err != nil {
		t.Fatalf("%v\n%s", err, payload)
	}
	return env
}
