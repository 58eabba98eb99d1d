package wire

import "github.com/makegood/makegood/domain"

// MaxVoids is how deep voids of voids may be nested, the outermost counted.
const MaxVoids = 4

// An event.voided carries the whole event that it takes back. What it says itself of order, store, case and currency
// may be left out, and must agree where it is there: the void takes these from its original.

var voids = object(
	sourceOf("source", func(v *domain.EventVoided) *string { return &v.Source }),
	id("id", required, func(v *domain.EventVoided) *string { return &v.ID }),
)

var _ = event(object(
	agreeing("order_id", func(e *domain.Event) *string { return &e.OrderID }),
	agreeing("store_id", func(e *domain.Event) *string { return &e.StoreID }),
	agreeing("error_id", func(e *domain.Event) *string { return &e.ErrorID }),
	agreeing("currency", func(e *domain.Event) *string { return &e.Currency }),
	nested("voids", required, voids, func(v *domain.EventVoided) *domain.EventVoided { return v }),
	text("reason", required, func(v *domain.EventVoided) *string { return &v.Reason }),
	original,
).checked(func(d *Decoder, v *domain.EventVoided) {
	e, o := &d.envelope.Event, v.Original
	switch {
	case o.Source != v.Source:
		d.failVoids("source", "voids.source is %s and the original's is %s", v.Source, o.Source)
	case o.ID != v.ID:
		d.failVoids("id", "voids.id is %s and the original's is %s", v.ID, o.ID)
	case o.Type == domain.TypePeriodClosed || o.Type == domain.TypePeriodReopened:
		d.failAt("original", CodeNotVoidable, "a %s is not voided: close the period, or reopen it", o.Type)
	case o.Type == domain.TypeDeadLetterReplayed || o.Type == domain.TypeDeadLetterDiscarded:
		d.failAt("original", CodeNotVoidable, "a %s is not voided: it says who did something, which stays done", o.Type)
	case o.Type == domain.TypeBooksSealed:
		d.failAt("original", CodeNotVoidable, "a %s is not voided: what it seals doesn't change", o.Type)
	case o.Type == domain.TypePersonErased:
		d.failAt("original", CodeNotVoidable, "a %s is not voided: nobody can tell any more who it was", o.Type)
	case o.Type == domain.TypeBooksRebuilt:
		d.failAt("original", CodeNotVoidable,
			"a %s is not voided: set or void the rates that it should not have used, and rebuild again", o.Type)
	}
	if decided, is := o.Data.(*domain.FactDecided); is { // the order and the case that it was about
		d.agrees("order_id", &e.OrderID, decided.OrderID)
		d.agrees("error_id", &e.ErrorID, decided.ErrorID)
	}
	for _, m := range [...]struct {
		name       string
		said, real *string
	}{
		{"order_id", &e.OrderID, &o.OrderID},
		{"store_id", &e.StoreID, &o.StoreID},
		{"error_id", &e.ErrorID, &o.ErrorID},
		{"currency", &e.Currency, &o.Currency},
	} {
		if *m.said != "" && *m.said != *m.real {
			d.failAt(m.name, CodeVoidMismatch, "%s is %s here and %s in the original", m.name, quote(*m.said), quote(*m.real))
		}
		*m.said = *m.real
	}
	if d.err == nil && o.Stream() != domain.Books {
		d.checkSubject(o.Subject(), "subject of the original")
	}
}))

// agrees checks what a void says of the order or the case that a decision was about, if the decision said that, and
// takes it out: an event of the stream books has neither.
func (d *Decoder) agrees(name string, said *string, real string) {
	if *said != "" && real != "" && *said != real {
		d.failAt(name, CodeVoidMismatch, "%s is %s here and %s in the original", name, quote(*said), quote(real))
	}
	*said = ""
}

func (d *Decoder) failVoids(name, format, a, b string) {
	d.push("voids")
	d.failAt(name, CodeVoidMismatch, format, quote(a), quote(b))
	d.pop()
}

// sourceOf is the source of another event.
func sourceOf[T any](name string, at func(*T) *string) field[T] {
	return field[T]{
		name: name, need: required, schema: ref("source"),
		read: func(d *Decoder, v *T) uint64 {
			s, ok := d.string()
			if !ok {
				return 0
			}
			d.checkSource(s)
			*at(v) = s
			return hashText(s)
		},
		write: writeString(required, at),
	}
}

// agreeing is a member that repeats what the original says: it adds nothing to the content.
func agreeing(name string, at func(*domain.Event) *string) field[domain.EventVoided] {
	return field[domain.EventVoided]{
		name: name, schema: ref("id"),
		read: func(d *Decoder, _ *domain.EventVoided) uint64 {
			if s, ok := d.string(); ok {
				d.checkID(s)
				*at(&d.envelope.Event) = s
			}
			return 0
		},
		write: func(b []byte, e *domain.Event, _ *domain.EventVoided) []byte { return appendText(b, optional, *at(e)) },
	}
}

var original = field[domain.EventVoided]{
	name: "original", need: required,
	schema: JSON{
		"description": "The whole voided event, valid by the schema of its own type.", "type": "object",
		"required": []string{"specversion", "id", "source", "type", "time", "data"},
		"properties": JSON{"specversion": JSON{"const": specVersion}, "id": ref("id"), "source": ref("source"),
			"time": ref("moment"), "data": JSON{"type": "object"},
			"type": JSON{"type": "string", "pattern": `^makegood\.[a-z_.]+\.v1$`}},
	},
	read: func(d *Decoder, v *domain.EventVoided) uint64 {
		if next := d.cursor.next(); next != kindObject {
			d.fail(CodeWrongType, "the whole voided event is expected, not %s", next)
			return 0
		}
		return d.readOriginal(d.cursor.frame(), v)
	},
	write: func(b []byte, _ *domain.Event, v *domain.EventVoided) []byte { return AppendEvent(b, v.Original) },
}

// readOriginal reads the event inside a void with a decoder of its own, since both are in use at once.
func (d *Decoder) readOriginal(raw []byte, v *domain.EventVoided) uint64 {
	if d.voids+1 > MaxVoids {
		d.fail(CodeTooDeep, "voids of voids are at most %d deep", MaxVoids)
		return 0
	}
	if d.inner == nil {
		d.inner = &Decoder{voids: d.voids + 1}
	}
	in := d.inner
	in.begin()
	in.Privacy = d.Privacy
	in.escapes, in.depth = d.escapes, d.depth
	in.path = append(in.path, d.path...)
	in.read(in.readEnvelope(raw, true))
	if in.cursor.bad {
		d.cursor.spoil()
		return 0
	}
	if in.err != nil {
		if d.err == nil {
			d.err = in.err
			d.err.NotCloudEvent = false // the void is one, whatever it carries
		}
		return 0
	}
	d.hiding.take(&in.hiding)
	v.Original = &in.envelope.Event
	return in.envelope.Content
}
