package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
)

// Column is one column of the ledger. How its values are written and read back is the same for every column of its
// kind; which values they are, Of says.
type Column struct {
	Name string
	Type string // as system.columns has it
	Of   any    // *Text, *Bytes, *Number[T], *Enum, *Moment, *Day, *Flag or *List[T]
}

// Text is a String or a LowCardinality(String). The value is the row's: whoever writes it copies it.
type Text struct {
	Get func(*Row) string
	Set func(*Row, string)
}

// Bytes is a String that holds what was sent, byte for byte.
type Bytes struct {
	Get func(*Row) []byte
	Set func(*Row, []byte)
}

// Number is an integer of the same width and sign as T.
type Number[T uint64 | uint32 | int64 | int32] struct {
	Get func(*Row) T
	Set func(*Row, T)
}

// Enum is an Enum8, by number.
type Enum struct {
	Get func(*Row) uint8
	Set func(*Row, uint8)
}

// Moment is a DateTime64 in UTC. Decimals are those of its seconds: 3 or 6. More of them are cut off.
type Moment struct {
	Decimals int
	Get      func(*Row) time.Time
	Set      func(*Row, time.Time)
}

// Day is a Date: midnight UTC. What lies before 1970 is written as 1970-01-01.
type Day struct {
	Get func(*Row) time.Time
	Set func(*Row, time.Time)
}

// Flag is a Bool.
type Flag struct {
	Get func(*Row) bool
	Set func(*Row, bool)
}

// Code is an element of a list of Enum8.
type Code uint8

// List is an Array of String, UInt16, Enum8 (Code) or Decimal(18, 4).
type List[T Element] struct {
	Append func(*Row, []T) []T // adds the row's elements
	Make   func(*Row, int)     // makes room for so many; called before Put, also where it is none
	Put    func(*Row, int, T)
}

// Element is what a list can be of.
type Element interface {
	string | uint16 | Code | domain.Amount
}

// Columns are the columns of the ledger. A row is read column by column in this order. The first Everyday of them say
// something of every event; the others have the default of the table (nothing) where an event goes as it should (see
// Row.Everyday), which is nearly always: a batch of such rows needn't write them.
var Columns = append(slices.Clip(everyday), rareColumns()...)

// Everyday is how many columns every row has something in.
var Everyday = len(everyday)

var everyday = []Column{
	text("source", low, func(r *Row) *string { return &r.Event.Source }),
	text("event_id", plain, func(r *Row) *string { return &r.Event.ID }),
	number("content", func(r *Row) *uint64 { return &r.Content }),
	{"event_type", low, &Text{
		Get: func(r *Row) string { return r.Event.Type.String() },
		Set: func(r *Row, v string) { r.Event.Type = domain.ParseType([]byte(v)) },
	}},
	text("order_id", plain, func(r *Row) *string { return &r.Event.OrderID }),
	text("error_id", plain, func(r *Row) *string { return &r.Event.ErrorID }),
	text("store_id", low, func(r *Row) *string { return &r.Event.StoreID }),
	text("currency", low, func(r *Row) *string { return &r.Event.Currency }),
	{"occurred_at", "DateTime64(6, 'UTC')", &Moment{
		Decimals: 6,
		Get:      func(r *Row) time.Time { return r.Event.Time },
		Set:      func(r *Row, v time.Time) { r.Event.Time = v },
	}},
	{"recorded_at", "DateTime64(3, 'UTC')", &Moment{
		Decimals: 3,
		Get:      func(r *Row) time.Time { return r.RecordedAt },
		Set:      func(r *Row, v time.Time) { r.RecordedAt, r.Position.Time = v, v },
	}},
	{"day", "Date", &Day{
		Get: func(r *Row) time.Time { return r.Day },
		Set: func(r *Row, v time.Time) { r.Day = v },
	}},
	month("posting_period", func(r *Row) *domain.Period { return &r.Posting }),
	month("origin_period", func(r *Row) *domain.Period { return &r.Origin }),
	{"stream", "Enum8('orders' = 1, 'errors' = 2, 'redeliveries' = 3, 'books' = 4)", &Enum{
		Get: func(r *Row) uint8 { return uint8(r.Position.Stream) },
		Set: func(r *Row, v uint8) { r.Position.Stream = domain.Stream(v) },
	}},
	number("partition", func(r *Row) *int32 { return &r.Position.Partition }),
	number("offset", func(r *Row) *int64 { return &r.Position.Offset }),
	bytes("payload", func(r *Row) *[]byte { return &r.Data }),
	bytes("extensions", func(r *Row) *[]byte { return &r.Extensions }),
	ofLines("account", "UInt16", func(l *domain.Line) uint16 { return uint16(l.Account) },
		func(l *domain.Line, v uint16) { l.Account = domain.Account(v) }),
	ofLines("element", enum(domain.Elements(), 0), func(l *domain.Line) Code { return Code(l.Element) },
		func(l *domain.Line, v Code) { l.Element = domain.Element(v) }),
	ofLines("basis", enum(domain.Bases(), 1), func(l *domain.Line) Code { return Code(l.Basis) },
		func(l *domain.Line, v Code) { l.Basis = domain.Basis(v) }),
	ofLines("amount", "Decimal(18, 4)", func(l *domain.Line) domain.Amount { return l.Amount },
		func(l *domain.Line, v domain.Amount) { l.Amount = v }),
	{"version", "UInt64", &Number[uint64]{Get: (*Row).Version, Set: (*Row).SetVersion}},
	{"customer_id", plain, &Text{
		Get: func(r *Row) string {
			if d, ok := r.Event.Data.(*domain.OrderPlaced); ok && r.Customer == "" {
				return d.CustomerID
			}
			return r.Customer
		},
		Set: func(r *Row, v string) { r.Customer = v },
	}},
	number("terms", func(r *Row) *int64 { return &r.Terms }),
	number("rules", func(r *Row) *uint32 { return &r.Rules }),
	{"rated", "Bool", &Flag{
		Get: func(r *Row) bool { return r.Rated },
		Set: func(r *Row, v bool) { r.Rated = v },
	}},
	{"epoch", "UInt32", &Number[uint32]{
		Get: func(r *Row) uint32 { return uint32(r.Epoch) },
		Set: func(r *Row, v uint32) { r.Epoch = int(v) },
	}},
	{"settled", "Bool", &Flag{
		Get: func(r *Row) bool { return r.Settled },
		Set: func(r *Row, v bool) { r.Settled = v },
	}},
	ofLines("step", enum(domain.Steps(), 0), func(l *domain.Line) Code { return Code(l.Step) },
		func(l *domain.Line, v Code) { l.Step = domain.Step(v) }),
}

const (
	plain = "String"
	low   = "LowCardinality(String)"
)

func text(name, kind string, field func(*Row) *string) Column {
	return Column{name, kind, &Text{
		Get: func(r *Row) string { return *field(r) },
		Set: func(r *Row, v string) { *field(r) = v },
	}}
}

func bytes(name string, field func(*Row) *[]byte) Column {
	return Column{name, plain, &Bytes{
		Get: func(r *Row) []byte { return *field(r) },
		Set: func(r *Row, v []byte) { *field(r) = v },
	}}
}

func number[T uint64 | uint32 | int64 | int32](name string, field func(*Row) *T) Column {
	kind := fmt.Sprintf("%T", T(0)) // int64
	if unsigned, is := strings.CutPrefix(kind, "uint"); is {
		kind = "UInt" + unsigned
	} else {
		kind = "Int" + strings.TrimPrefix(kind, "int")
	}
	return Column{name, kind, &Number[T]{
		Get: func(r *Row) T { return *field(r) },
		Set: func(r *Row, v T) { *field(r) = v },
	}}
}

// month is a Date: the first day of the month.
func month(name string, field func(*Row) *domain.Period) Column {
	return Column{name, "Date", &Day{
		Get: func(r *Row) time.Time { return field(r).First() },
		Set: func(r *Row, v time.Time) { *field(r) = domain.PeriodOf(v, time.UTC) },
	}}
}

// ofVoid is a text of what a void takes back; empty where the event is no void.
func ofVoid(name, kind string, field func(*domain.EventVoided) *string) Column {
	return Column{name, kind, &Text{
		Get: func(r *Row) string {
			if v := r.void(); v != nil {
				return *field(v)
			}
			return ""
		},
		Set: func(r *Row, v string) {
			if of := r.void(); of != nil {
				*field(of) = v
			}
		},
	}}
}

// ofLines is a list with one element for each of the row's lines.
func ofLines[T Element](name, kind string, get func(*domain.Line) T, set func(*domain.Line, T)) Column {
	return Column{name, "Array(" + kind + ")", &List[T]{
		Append: func(r *Row, to []T) []T {
			for i := range r.Lines {
				to = append(to, get(&r.Lines[i]))
			}
			return to
		},
		Make: func(r *Row, n int) { r.Lines = resize(r.Lines, n) },
		Put:  func(r *Row, i int, v T) { set(&r.Lines[i], v) },
	}}
}

// resize is the list with n elements; what fits stays.
func resize[T any](list []T, n int) []T {
	if n <= cap(list) {
		return list[:n]
	}
	return append(list[:cap(list)], make([]T, n-cap(list))...)
}

// enum is the type of an Enum8 whose numbers are places in names, from the first on.
func enum(names []string, first int) string {
	values := make([]string, 0, len(names))
	for i, name := range names[first:] {
		values = append(values, fmt.Sprintf("'%s' = %d", name, first+i))
	}
	return "Enum8(" + strings.Join(values, ", ") + ")"
}

// void is what the row's event takes back; nil where it is no void.
func (r *Row) void() *domain.EventVoided {
	v, _ := r.Event.Data.(*domain.EventVoided)
	return v
}
