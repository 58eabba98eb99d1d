package wire

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
	"unsafe"

	"github.com/makegood/makegood/domain"
)

// Role is what somebody is to the business. A customer and an employee of one id are two persons.
type Role string

const (
	Customer Role = "customer"
	Employee Role = "employee"
)

// Withheld stands where a text was hidden that the contract requires.
const Withheld = "withheld"

// Privacy says what an event may keep of people. A Decoder that has one reads an event as it came, content hash
// included, and notes what is to be hidden: its Envelope has the hashed ids and the data without what is dropped, and
// Hidden writes the payload so. What was hidden before is left as it is, so hiding twice changes nothing. The same
// bytes with the same Privacy give the same bytes.
type Privacy struct {
	// Hash gives the hash of a person's id, in an event that happened at that time. It gives its own hashes back as
	// they are.
	Hash func(role Role, id string, at time.Time) string
	// First gives the hash of it by the oldest key that is left, by which somebody is known again after a rotation.
	// Nil: nobody is.
	First func(role Role, id string) string
	// Keep reports whether a member stays that is free text, or that the contract doesn't know: "reason",
	// "lines.note".
	Keep func(of domain.Type, member string) bool
	// KeepAttribute reports whether an attribute of the envelope stays that CloudEvents doesn't know.
	KeepAttribute func(name string) bool
}

func (p *Privacy) keepsAttribute(name string) bool { return p.KeepAttribute(name) }

// KeepExtensions takes the extension attributes away that aren't kept, and says how many.
func (p *Privacy) KeepExtensions(a *Attributes) int {
	before := len(a.Extensions)
	a.Extensions = slices.DeleteFunc(a.Extensions, func(x Extension) bool { return !p.keepsAttribute(x.Name) })
	return before - len(a.Extensions)
}

// hiding is what is to be hidden of the event that is being read.
type hiding struct {
	edits   []edit
	unknown int // how many members that the contract doesn't know the cursor is inside of
	dropped int // members and attributes
	data    []byte
	member  []byte
}

// edit replaces a piece of the payload: a value by a string, or where there is none a whole member by nothing.
type edit struct {
	old []byte
	to  string
}

func (h *hiding) begin() {
	clear(h.edits)
	h.edits, h.unknown, h.dropped = h.edits[:0], 0, 0
}

func (h *hiding) drop(member []byte) {
	h.edits = append(h.edits, edit{old: member})
	h.dropped++
}

// take adds what is to be hidden of an event inside this one.
func (h *hiding) take(inner *hiding) {
	h.edits = append(h.edits, inner.edits...)
	h.dropped += inner.dropped
}

// Dropped is how many members and attributes of the event that was read last are dropped, texts withheld included.
func (d *Decoder) Dropped() int { return d.hiding.dropped }

// Hides reports whether anything of the event that was read last is hidden.
func (d *Decoder) Hides() bool { return len(d.hiding.edits) > 0 || d.hiding.dropped > 0 }

// Hidden is the payload that was read last, with people's ids hashed and without what is dropped: the same slice
// where there is nothing to hide, else a new one.
func (d *Decoder) Hidden(payload []byte) []byte {
	if len(d.hiding.edits) == 0 {
		return payload
	}
	return d.hiding.apply(make([]byte, 0, len(payload)+64), payload)
}

// within is the data with what is hidden in it; valid until the next event where it isn't data itself.
func (h *hiding) within(data []byte) []byte {
	if len(h.edits) == 0 {
		return data
	}
	h.data = h.apply(h.data[:0], data)
	return h.data
}

// apply appends text with those edits made that are in it.
func (h *hiding) apply(to, text []byte) []byte {
	slices.SortFunc(h.edits, func(a, b edit) int { return cmp.Compare(address(a.old), address(b.old)) })
	from, begin := 0, len(to)
	first := address(text)
	for _, e := range h.edits {
		at := int(address(e.old) - first)
		if address(e.old) < first || at+len(e.old) > len(text) {
			continue // in another part of the payload
		}
		to = append(to, text[from:at]...)
		from = at + len(e.old)
		if e.to != "" {
			to = appendString(to, e.to)
			continue
		}
		// A member goes with one comma: the one before it, or where it is the first the one behind it.
		kept := len(to)
		for kept > begin && to[kept-1] <= ' ' {
			kept--
		}
		if kept > begin && to[kept-1] == ',' {
			to = to[:kept-1]
			continue
		}
		next := from
		for next < len(text) && text[next] <= ' ' {
			next++
		}
		if next < len(text) && text[next] == ',' {
			from = next + 1
		}
	}
	return append(to, text[from:]...)
}

// address is where a slice begins, to find its place in another one that it is a piece of.
func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// hidePerson is the id to keep for one that was read, from start on.
func (d *Decoder) hidePerson(role Role, id string, start int) string {
	if d.Privacy == nil || d.err != nil || d.cursor.bad {
		return id
	}
	hash := d.Privacy.Hash(role, id, d.envelope.Event.Time)
	if hash != id {
		if role == Customer && d.Privacy.First != nil && d.envelope.Event.Type == domain.TypeOrderPlaced {
			if first := d.Privacy.First(role, id); first != hash {
				d.envelope.Customer = first
			}
		}
		d.hiding.edits = append(d.hiding.edits, edit{old: d.cursor.text[start:d.cursor.at], to: hash})
	}
	return hash
}

// hideText is the text to keep for one that was read as the last member.
func (d *Decoder) hideText(name string, n need, s string) string {
	if d.Privacy == nil || d.err != nil || d.cursor.bad || s == "" || n == required && s == Withheld ||
		d.Privacy.Keep(d.envelope.Event.Type, name) {
		return s
	}
	if n == required {
		at := d.cursor.named
		value := d.cursor.text[at:d.cursor.at]
		quote := lastValue(value)
		d.hiding.edits = append(d.hiding.edits, edit{old: value[quote:], to: Withheld})
		d.hiding.dropped++
		return Withheld
	}
	d.hiding.drop(d.cursor.text[d.cursor.named:d.cursor.at])
	return ""
}

// lastValue is where the value begins in a member whose value is a string.
func lastValue(member []byte) int {
	c := cursor{text: member}
	c.string() // the name
	c.peek()
	c.at++ // the colon
	c.peek()
	return c.at
}

// hideUnknown drops the member that was read last, which begins at start and which the contract doesn't know. edits
// is how many there were before it.
func (d *Decoder) hideUnknown(start, edits int) {
	if d.Privacy == nil || d.cursor.bad || d.hiding.unknown > 0 ||
		d.Privacy.Keep(d.envelope.Event.Type, d.memberName()) {
		return
	}
	d.hiding.edits = d.hiding.edits[:edits] // what is hidden in it goes with it
	d.hiding.drop(d.cursor.text[start:d.cursor.at])
}

// hideUnknownPerson hides the id of a person in a place that the contract doesn't have, should that stay. What
// isn't a string is no id, and isn't looked into.
func (d *Decoder) hideUnknownPerson(name string, start int) {
	role, is := roleOf(name)
	if !is || d.Privacy == nil || d.err != nil || d.cursor.bad {
		return
	}
	raw := d.cursor.text[start:d.cursor.at]
	if raw[0] == '"' {
		if id := d.unescape(raw[1 : len(raw)-1]); id != Withheld {
			d.hidePerson(role, id, start)
		}
		return
	}
	d.hiding.edits = append(d.hiding.edits, edit{old: raw, to: Withheld})
}

// roleOf is who is named by a member of that name; false where it names nobody.
func roleOf(name string) (Role, bool) {
	switch name {
	case "customer_id":
		return Customer, true
	case "employee_id":
		return Employee, true
	}
	return "", false
}

// memberName is the way from data to the value that is being read, without places in lists: "lines.note".
func (d *Decoder) memberName() string {
	name := d.hiding.member[:0]
	for _, s := range d.path[min(d.base+1, len(d.path)):] {
		if s.index >= 0 {
			continue
		}
		if len(name) > 0 {
			name = append(name, '.')
		}
		name = append(name, s.name...)
	}
	d.hiding.member = name
	return unsafe.String(unsafe.SliceData(name), len(name))
}

// DefaultKeep is what stays of free text and of what the contract doesn't know, unless it is told otherwise: what
// numbers are made of (the method of a refund), what says nothing of a person (a channel), and who changed the books
// and why, which an auditor has to see. Everything else that people typed is dropped.
func DefaultKeep(of domain.Type, member string) bool {
	switch {
	case of == domain.TypeEventVoided:
		return member == "reason" || member == "actor"
	case of == domain.TypeRefundIssued:
		return member == "method"
	case of == domain.TypeOrderPlaced, of == domain.TypeFeedbackReceived:
		return member == "channel"
	case of.Stream() == domain.Books:
		switch member {
		case "actor", "reason", "description", "target_cause", "events":
			return true
		}
	}
	return false
}

// DefaultKeepAttribute keeps the attributes of distributed tracing.
func DefaultKeepAttribute(name string) bool { return name == "traceparent" || name == "tracestate" }

// KeepAlso adds to what is kept by default: names like "order.cancelled.reason" and "order.placed.lines.note", with *
// for any type, and "attribute.NAME" for an attribute of the envelope. "*" alone keeps everything but ids.
func (p *Privacy) KeepAlso(names []string) {
	also := map[string]bool{}
	for _, name := range names {
		also[name] = true
	}
	keep, keepAttribute := p.Keep, p.KeepAttribute
	p.Keep = func(of domain.Type, member string) bool {
		return keep(of, member) || also["*"] || also["*."+member] || also[of.Name()+"."+member]
	}
	p.KeepAttribute = func(name string) bool { return keepAttribute(name) || also["*"] || also["attribute."+name] }
}

// CheckSize holds an event against MaxEvent once more: hashes may be longer than the ids that they stand for. attrs
// are those of binary mode. The error is an *Error.
func CheckSize(payload []byte, attrs *Attributes) error {
	n := len(payload)
	if attrs != nil {
		n += attrs.size()
	}
	if n > MaxEvent {
		return &Error{Code: CodeEventTooLarge,
			Detail: fmt.Sprintf("%d bytes with people's ids hashed: an event has at most %d", n, MaxEvent)}
	}
	return nil
}

// HideExtensions is the JSON object of extension attributes that the ledger keeps without those that aren't kept; nil
// where none is left.
func (p *Privacy) HideExtensions(object []byte) []byte {
	all := map[string]json.RawMessage{}
	if len(object) == 0 || json.Unmarshal(object, &all) != nil {
		return object
	}
	before := len(all)
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { return !p.keepsAttribute(name) })
	if len(all) == before {
		return object
	}
	if len(all) == 0 {
		return nil
	}
	left, err := json.Marshal(all)
	if err != nil {
		return object // it was read from JSON just now
	}
	return left
}
