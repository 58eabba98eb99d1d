package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strings"
	"time"
)

// Record is one CloudEvent as the log took it. Seq is the global order of taking: it alone decides what was recorded
// before what, since two records may share a RecordedAt.
type Record struct {
	Stream     string          // orders, errors, redeliveries or books
	Event      json.RawMessage // structured CloudEvent
	RecordedAt time.Time
	Seq        int64
}

// Identity is what makes an event the same event, however often and by whatever route it comes.
type Identity struct{ Source, ID string }

func (i Identity) less(o Identity) bool {
	if i.Source != o.Source {
		return i.Source < o.Source
	}
	return i.ID < o.ID
}

// event is a decoded record.
type event struct {
	Identity
	kind       string // "order.placed" for makegood.order.placed.v1
	time       time.Time
	subject    string
	data       fields
	seq        int64
	recordedAt time.Time
	epoch      int // how many closes that counted stand before it in the log
}

func (e *event) order() string    { return e.data.str("order_id") }
func (e *event) store() string    { return e.data.str("store_id") }
func (e *event) named() string    { return e.data.str("error_id") } // the case as the event names it
func (e *event) currency() string { return e.data.str("currency") }

// earlier orders events by when they happened; identity decides where that is the same.
func (e *event) earlier(o *event) bool {
	if !e.time.Equal(o.time) {
		return e.time.Before(o.time)
	}
	return e.less(o.Identity)
}

// before is the sequence of section 1: "by epoch, then occurred_at, source, id".
func (e *event) before(o *event) bool {
	if e.epoch != o.epoch {
		return e.epoch < o.epoch
	}
	return e.earlier(o)
}

func decodeRecord(r Record) (*event, error) {
	dec := json.NewDecoder(bytes.NewReader(r.Event))
	dec.UseNumber() // money must never pass through a float
	var envelope fields
	if err := dec.Decode(&envelope); err != nil {
		return nil, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("record %d: more than one JSON value", r.Seq)
	}
	e, err := decodeEnvelope(envelope)
	if err != nil {
		return nil, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	e.seq, e.recordedAt = r.Seq, r.RecordedAt
	return e, nil
}

func decodeEnvelope(envelope fields) (*event, error) {
	e := &event{
		Identity: Identity{envelope.str("source"), envelope.str("id")},
		subject:  envelope.str("subject"),
		data:     envelope.obj("data"),
	}
	if e.Source == "" || e.ID == "" {
		return nil, fmt.Errorf("event without source or id")
	}
	name, isOurs := strings.CutPrefix(envelope.str("type"), "makegood.")
	name, isV1 := strings.CutSuffix(name, ".v1")
	if !isOurs || !isV1 {
		return nil, fmt.Errorf("unknown type %q", envelope.str("type"))
	}
	e.kind = name
	var err error
	if e.time, err = time.Parse(time.RFC3339, envelope.str("time")); err != nil {
		return nil, err
	}
	return e, nil
}

// sameContent tells the same event sent again from another event that took its identity.
func sameContent(a, b *event) bool {
	return a.kind == b.kind && a.time.Equal(b.time) && a.subject == b.subject &&
		sameValue("", map[string]any(a.data), map[string]any(b.data))
}

// decimalFields are the fields that the contract reads as decimals, be they written as "1.50", "1.5" or 1.5.
// A string in any other field is compared as text: order "01" is not order "1".
var decimalFields = func() map[string]bool {
	all := map[string]bool{
		"quantity": true, "unit_price": true, "discount": true, "tax": true, "unit_cost": true,
		"delivery_fee": true, "delivery_tax": true, "payment_fee": true, "net": true, "cost": true, "rating": true,
		"received_quantity": true, "received_unit_cost": true, "carrier_charge": true,
		"drive_minutes": true, "site_minutes": true, "wait_minutes": true, "distance_km": true, "stops": true,
		"minutes": true, "amount": true, "nrv": true, "freight_charge": true, "inspect_minutes": true,
		"fee": true, "value": true, "delivery_cost": true, "commission": true, "fee_returned": true,
	}
	for _, k := range kinds {
		for _, name := range k.decimals {
			all[name] = true
		}
	}
	return all
}()

// IsDecimal reports whether members of that name are read as decimals.
func IsDecimal(name string) bool { return decimalFields[name] }

func sameValue(name string, a, b any) bool {
	if x, y := asDecimal(name, a), asDecimal(name, b); x != nil && y != nil {
		return x.Cmp(y) == 0
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			if w, there := b[k]; !there || !sameValue(k, v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameValue(name, a[i], b[i]) {
				return false
			}
		}
		return true
	default: // string, bool, nil; numbers were handled above
		switch b.(type) {
		case map[string]any, []any:
			return false
		}
		return a == b
	}
}

func asDecimal(name string, v any) *big.Rat {
	switch v := v.(type) {
	case json.Number:
		return parseDecimal(v.String())
	case string:
		if decimalFields[name] {
			return parseDecimal(v)
		}
	}
	return nil
}

// big.Rat would also read 1/3, 0x10 and 1_000, which are no JSON numbers.
var decimalText = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

func parseDecimal(s string) *big.Rat {
	if !decimalText.MatchString(s) {
		return nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	return r
}

// fields is a JSON object. Its readers take what is absent, null or of another form as not given.
type fields map[string]any

func (f fields) has(name string) bool { return f[name] != nil }

func (f fields) str(name string) string {
	s, _ := f[name].(string)
	return s
}

func (f fields) obj(name string) fields {
	m, _ := f[name].(map[string]any)
	return m
}

func (f fields) list(name string) []fields {
	items, _ := f[name].([]any)
	var out []fields
	for _, item := range items {
		m, _ := item.(map[string]any)
		out = append(out, m)
	}
	return out
}

// dec is the decimal of that name, zero where it is not given.
func (f fields) dec(name string) *big.Rat {
	var text string
	switch v := f[name].(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	}
	if r := parseDecimal(text); r != nil {
		return r
	}
	return new(big.Rat)
}

// boolText is "true", "false", or "" where it is not given.
func (f fields) boolText(name string) string {
	if b, ok := f[name].(bool); ok {
		return fmt.Sprint(b)
	}
	return ""
}
