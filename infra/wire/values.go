package wire

import (
	"bytes"
	"time"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/makegood/makegood/domain"
)

// Lengths by the contract's §2, in characters.
const (
	maxID     = 128
	maxSource = 1024
)

// string reads a string; it lives as long as the payload and until the next event.
func (d *Decoder) string() (string, bool) {
	if next := d.cursor.next(); next != kindString {
		d.fail(CodeWrongType, "a string is expected, not %s", next)
		return "", false
	}
	return d.unescape(d.cursor.string()), true
}

// member steps to the next member of an object and returns its name.
func (d *Decoder) member() (string, bool) {
	raw, ok := d.cursor.member()
	return d.unescape(raw), ok
}

// unescape makes a string of what stands between quotes: a piece of the payload, if it can.
func (d *Decoder) unescape(raw []byte) string {
	if d.escapes && bytes.IndexByte(raw, '\\') >= 0 {
		start := len(d.unescaped)
		d.unescaped = appendUnescaped(d.unescaped, raw)
		raw = d.unescaped[start:]
	}
	return unsafe.String(unsafe.SliceData(raw), len(raw))
}

// checkID fails where s is no id: 1 to 128 characters, none of them a control character.
func (d *Decoder) checkID(s string) {
	if s == "" {
		d.fail(CodeTooShort, "an id has at least one character")
	}
	if len(s) > maxID {
		if n := utf8.RuneCountInString(s); n > maxID {
			d.fail(CodeTooLong, "%d characters: an id has at most %d", n, maxID)
		}
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f {
			d.checkControl(s)
			return
		}
	}
}

func (d *Decoder) checkControl(s string) {
	for _, r := range s {
		if unicode.IsControl(r) {
			d.fail(CodeControlCharacter, "an id has no control characters, and here is %U", r)
			return
		}
	}
}

// id is an identifier or a key that something is looked up by.
func id[T any](name string, n need, at func(*T) *string) field[T] {
	return field[T]{
		schema: ref("id"),
		name:   name, need: n,
		read: func(d *Decoder, t *T) uint64 {
			s, ok := d.string()
			if !ok {
				return 0
			}
			d.checkID(s)
			*at(t) = s
			return hashText(s)
		},
		write: writeString(n, at),
	}
}

// text is words for people, of any length. An empty one says nothing.
func text[T any](name string, n need, at func(*T) *string) field[T] {
	schema := anyText
	if n == required {
		schema = someText
	}
	texts[name] = true
	return field[T]{
		schema: schema,
		name:   name, need: n,
		read: func(d *Decoder, t *T) uint64 {
			s, ok := d.string()
			if !ok {
				return 0
			}
			if s == "" && n == required {
				d.fail(CodeRequired, "%s is required", name)
			}
			*at(t) = d.hideText(name, n, s)
			return hashText(s)
		},
		write: writeString(n, at),
	}
}

// person is the id of a person: a customer or an employee, by role.
func person[T any](name string, role Role, at func(*T) *string) field[T] {
	f := id(name, optional, at)
	f.read = func(d *Decoder, t *T) uint64 {
		start := d.cursor.at
		s, ok := d.string()
		if !ok {
			return 0
		}
		d.checkID(s)
		*at(t) = d.hidePerson(role, s, start)
		return hashText(s)
	}
	return f
}

// word is one of the words that the contract lists.
func word[T any](name string, n need, words []string, at func(*T) *string) field[T] {
	return field[T]{
		schema: oneOf(words),
		name:   name, need: n,
		read: func(d *Decoder, t *T) uint64 {
			*at(t) = d.word(words)
			return hashText(*at(t))
		},
		write: writeString(n, at),
	}
}

func (d *Decoder) word(words []string) string {
	s, ok := d.string()
	if !ok {
		return ""
	}
	for _, w := range words {
		if w == s {
			return w
		}
	}
	d.fail(CodeUnknownValue, "%s is none of %v", quote(s), words)
	return ""
}

func writeString[T any](n need, at func(*T) *string) func([]byte, *domain.Event, *T) []byte {
	return func(b []byte, _ *domain.Event, t *T) []byte {
		return appendText(b, n, *at(t))
	}
}

func appendText(b []byte, n need, s string) []byte {
	if s == "" && n == optional {
		return b
	}
	return appendString(b, s)
}

// amount is money, a quantity, minutes or kilometres: at most 4 decimals. Left out, it is zero.
func amount[T any](name string, n need, at func(*T) *domain.Decimal) field[T] {
	return decimal(name, n, amountDecimals, at)
}

// unit is a price or rate for one of something: at most 6 decimals. Left out, it is zero.
func unit[T any](name string, n need, at func(*T) *domain.Decimal) field[T] {
	return decimal(name, n, unitDecimals, at)
}

// signedAmount is an amount that may be below zero; the object's own check says when.
func signedAmount[T any](name string, n need, at func(*T) *domain.Decimal) field[T] {
	f := amount(name, n, at)
	f.schema = ref("signed")
	f.read = func(d *Decoder, t *T) uint64 {
		*at(t) = d.signed(amountDecimals)
		return hashDecimal(n, *at(t))
	}
	return f
}

// hashDecimal is the content of a number that is zero where it is left out.
func hashDecimal(n need, v domain.Decimal) uint64 {
	if v == 0 && n == optional {
		return 0
	}
	return hashNumber(v)
}

func decimal[T any](name string, n need, decimals int, at func(*T) *domain.Decimal) field[T] {
	return field[T]{
		schema: decimalSchema(decimals),
		name:   name, need: n,
		read: func(d *Decoder, t *T) uint64 {
			*at(t) = d.decimal(decimals)
			return hashDecimal(n, *at(t))
		},
		write: func(b []byte, _ *domain.Event, t *T) []byte {
			if *at(t) == 0 && n == optional {
				return b
			}
			return appendDecimal(b, *at(t))
		},
	}
}

// maybe is a number that isn't zero where it is left out.
func maybe[T any](name string, decimals int, at func(*T) *domain.Optional) field[T] {
	return field[T]{
		schema: decimalSchema(decimals),
		name:   name, need: optional,
		read: func(d *Decoder, t *T) uint64 {
			v := d.decimal(decimals)
			*at(t) = domain.Some(v)
			return hashNumber(v)
		},
		write: func(b []byte, _ *domain.Event, t *T) []byte {
			if !at(t).Set {
				return b
			}
			return appendDecimal(b, at(t).Value)
		},
	}
}

func decimalSchema(decimals int) JSON {
	switch decimals {
	case wholeDecimals:
		return place
	case unitDecimals:
		return ref("unit")
	}
	return ref("amount")
}

func appendDecimal(b []byte, n domain.Decimal) []byte {
	b = append(b, '"')
	b = n.Append(b)
	return append(b, '"')
}

// flag is a yes or no that has to be said.
func flag[T any](name string, at func(*T) *bool) field[T] {
	return field[T]{
		schema: yesOrNo,
		name:   name, need: required,
		read: func(d *Decoder, t *T) uint64 {
			v, ok := d.bool()
			if !ok {
				return 0
			}
			*at(t) = v
			return hashBool(v)
		},
		write: func(b []byte, _ *domain.Event, t *T) []byte { return appendBool(b, *at(t)) },
	}
}

// perhaps is a yes that needn't be said: left out, it is a no, and said to be one it says no more.
func perhaps[T any](name string, at func(*T) *bool) field[T] {
	return field[T]{
		schema: yesOrNo,
		name:   name, need: optional,
		read: func(d *Decoder, t *T) uint64 {
			v, ok := d.bool()
			if !ok || !v {
				return 0
			}
			*at(t) = true
			return hashBool(true)
		},
		write: func(b []byte, _ *domain.Event, t *T) []byte {
			if !*at(t) {
				return b
			}
			return appendBool(b, true)
		},
	}
}

// truth is a yes or no that may be unknown.
func truth[T any](name string, at func(*T) *domain.Truth) field[T] {
	return field[T]{
		schema: yesOrNo,
		name:   name, need: optional,
		read: func(d *Decoder, t *T) uint64 {
			v, ok := d.bool()
			if !ok {
				return 0
			}
			*at(t) = domain.No
			if v {
				*at(t) = domain.Yes
			}
			return hashBool(v)
		},
		write: func(b []byte, _ *domain.Event, t *T) []byte {
			if *at(t) == domain.Unknown {
				return b
			}
			return appendBool(b, *at(t) == domain.Yes)
		},
	}
}

func (d *Decoder) bool() (value, ok bool) {
	if next := d.cursor.next(); next != kindBool {
		d.fail(CodeWrongType, "true or false is expected, not %s", next)
		return false, false
	}
	text := d.cursor.literal()
	return string(text) == "true", true
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

// moment is a time of RFC 3339, or where dates are allowed also a date. Left out, it is the zero time.
func moment[T any](name string, n need, dates bool, at func(*T) *time.Time) field[T] {
	schema := ref("moment")
	if dates {
		schema = ref("momentOrDate")
	}
	return field[T]{
		schema: schema,
		name:   name, need: n,
		read: func(d *Decoder, t *T) uint64 {
			v := d.moment(dates)
			if d.err != nil {
				return 0
			}
			*at(t) = v
			return hashMoment(v)
		},
		write: func(b []byte, _ *domain.Event, t *T) []byte {
			if at(t).IsZero() && n == optional {
				return b
			}
			return appendMoment(b, *at(t))
		},
	}
}

// What a moment may be written as.
const (
	timesOnly    = false
	timesOrDates = true
)

// The members below belong to the event as a whole.

func orderID[T any](n need) field[T] {
	return common[T]("order_id", n, func(e *domain.Event) *string { return &e.OrderID })
}

func storeID[T any](n need) field[T] {
	return common[T]("store_id", n, func(e *domain.Event) *string { return &e.StoreID })
}

func errorID[T any](n need) field[T] {
	return common[T]("error_id", n, func(e *domain.Event) *string { return &e.ErrorID })
}

func common[T any](name string, n need, at func(*domain.Event) *string) field[T] {
	return field[T]{
		schema: ref("id"),
		name:   name, need: n,
		read: func(d *Decoder, _ *T) uint64 {
			s, ok := d.string()
			if !ok {
				return 0
			}
			d.checkID(s)
			*at(&d.envelope.Event) = s
			return hashText(s)
		},
		write: func(b []byte, e *domain.Event, _ *T) []byte { return appendText(b, n, *at(e)) },
	}
}

func currency[T any](n need) field[T] {
	return field[T]{
		schema: ref("currency"),
		name:   "currency", need: n,
		read: func(d *Decoder, _ *T) uint64 {
			s, ok := d.string()
			if !ok {
				return 0
			}
			d.checkCurrency(s)
			d.envelope.Event.Currency = s
			return hashText(s)
		},
		write: func(b []byte, e *domain.Event, _ *T) []byte { return appendText(b, n, e.Currency) },
	}
}
