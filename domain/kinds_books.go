package domain

import (
	"strings"
	"time"
)

// The stream books: what is about the books themselves. An event.voided travels on the stream of what it voids.

const (
	TypeRateSet Type = iota + firstBooks
	TypeQualitySpent
	TypePeriodClosed
	TypePeriodReopened
	TypeDeadLetterReplayed
	TypeDeadLetterDiscarded
	TypeBooksRebuilt
	TypeFactDecided
	TypeBooksSealed
	TypePersonErased
	TypeVendorTerms
	TypeEventVoided
)

var bookKinds = []kind{
	{TypeRateSet, "rate.set", Books, PostsNothing, []Data{
		&RateSet{Rate: LabourHour, Key: anyKey, Value: probeA},
	}},
	{TypeQualitySpent, "quality.spent", Books, PostsAlone, probeEach(QualityCategories(), func(category string) Data {
		return &QualitySpent{SpendID: category, Category: category, Amount: probeA}
	})},
	{TypePeriodClosed, "period.closed", Books, PostsNothing, []Data{
		&PeriodClosed{Period: 24_312},
	}},
	{TypePeriodReopened, "period.reopened", Books, PostsNothing, []Data{
		&PeriodReopened{Period: 24_312},
	}},
	{TypeDeadLetterReplayed, "deadletter.replayed", Books, PostsNothing, []Data{
		&DeadLetterReplayed{},
	}},
	{TypeDeadLetterDiscarded, "deadletter.discarded", Books, PostsNothing, []Data{
		&DeadLetterDiscarded{},
	}},
	{TypeBooksRebuilt, "books.rebuilt", Books, PostsNothing, []Data{
		&BooksRebuilt{},
	}},
	{TypeFactDecided, "fact.decided", Books, PostsSettled, []Data{
		&FactDecided{Source: "s", ID: "1", Counts: Yes},
	}},
	{TypeBooksSealed, "books.sealed", Books, PostsNothing, []Data{
		&BooksSealed{Period: 24_312, Close: 1},
	}},
	{TypePersonErased, "person.erased", Books, PostsNothing, []Data{
		&PersonErased{Person: "p"},
	}},
	{TypeVendorTerms, "vendor.terms", Books, PostsNothing, []Data{
		&VendorTerms{VendorID: "v", WindowDays: 30, Covers: []Cover{{Element: "GOODS"}}},
	}},
	{TypeEventVoided, "event.voided", AnyStream, PostsSettled, []Data{
		&EventVoided{Original: &Event{Currency: "EUR", Time: probed, Type: TypeLabourSpent,
			Data: &LabourSpent{Role: "known", Minutes: 11_000_000}}},
	}},
}

// RateSet puts a rate in force from a moment on, see Rates.
type RateSet struct {
	Rate, Key     string
	Value         Decimal
	EffectiveFrom time.Time
}

func (*RateSet) data() Type { return TypeRateSet }

// QualitySpent is money for doing it right the first time, by category prevention or appraisal.
type QualitySpent struct {
	SpendID, Category, TargetCause, Description string
	Amount                                      Decimal
}

func (*QualitySpent) data() Type           { return TypeQualitySpent }
func (d *QualitySpent) businessID() string { return d.SpendID }

func (d *QualitySpent) post(v *view, i int32) { v.owed(i, qualityAccount(d), NoElement, d.Amount) }

// PeriodClosed closes a month.
type PeriodClosed struct{ Period Period }

func (*PeriodClosed) data() Type { return TypePeriodClosed }

// PeriodReopened opens it again.
type PeriodReopened struct{ Period Period }

func (*PeriodReopened) data() Type { return TypePeriodReopened }

// DeadLetterReplayed notes that somebody had a dead letter sent again. It changes no term and posts nothing: what the
// dead letter says is booked, or refused, by itself.
type DeadLetterReplayed struct{ HandledLetter }

func (*DeadLetterReplayed) data() Type { return TypeDeadLetterReplayed }

// DeadLetterDiscarded notes that somebody decided to do nothing about one.
type DeadLetterDiscarded struct{ HandledLetter }

func (*DeadLetterDiscarded) data() Type { return TypeDeadLetterDiscarded }

// HandledLetter is which dead letter, where the log last held it, who dealt with it and why.
type HandledLetter struct {
	DeadLetterID, Topic string
	Partition, Offset   Optional
	Actor, Reason       string
}

// BooksRebuilt posts history again: what was recorded before it is priced with the rates that are known at its own
// place in the log, see Terms.PricedFrom. Unless ClosedPeriods, the months that are closed then keep what their
// reports hold.
type BooksRebuilt struct {
	RebuildID     string
	ClosedPeriods bool
}

func (*BooksRebuilt) data() Type { return TypeBooksRebuilt }

// FactDecided is a person's word on two events that contradict each other, or that are taken for one and are two:
// whether the event of that identity counts, or is a fact of its own (Separate). OrderID and ErrorID say where to
// find it; both may be empty.
type FactDecided struct {
	Source, ID, OrderID, ErrorID string
	Counts                       Truth
	Separate                     bool
	Actor, Reason                string
}

func (*FactDecided) data() Type { return TypeFactDecided }

// BooksSealed is the seal of a month's close: what the books held of the month then, as one hash. It changes no term
// and posts nothing. See Seals.
type BooksSealed struct {
	Period         Period
	Close          int64  // which of the period's closes; 1 is the first
	Format         int64  // how the root is made; see SealFormat
	Events         int64  // how many it seals
	Root, Previous string // 64 hexadecimal digits; Previous is empty in the first seal of the books
}

func (*BooksSealed) data() Type { return TypeBooksSealed }

// Own reports whether events of the type come from makegood alone, and are taken from nobody else.
func (t Type) Own() bool {
	switch t {
	case TypeDeadLetterReplayed, TypeDeadLetterDiscarded, TypeBooksRebuilt, TypeBooksSealed, TypePersonErased:
		return true
	}
	return false
}

// VendorTerms says what a supplier or carrier pays for what it caused, from a moment on: until when a claim must be
// filed, counted from the day on which the case was reported, and what of the costs is covered. It posts nothing.
type VendorTerms struct {
	VendorID      string
	WindowDays    int64
	EffectiveFrom time.Time
	Covers        []Cover
}

// Cover is a share (of 1; all of it where it isn't set) of the cost of an element, by a clause of the agreement. Cause
// narrows it to cases of that root cause; such a cover goes before one without.
type Cover struct {
	Element, Cause, Clause string
	Share                  Optional
}

func (*VendorTerms) data() Type { return TypeVendorTerms }

// EventVoided takes an event back, on whatever stream that was.
type EventVoided struct {
	Source, ID, Reason string
	Original           *Event
}

func (*EventVoided) data() Type { return TypeEventVoided }

// PersonErased takes the hashes that a person is kept under out of all that stands before it in the log. Person
// stands in their place, and leads to nobody.
type PersonErased struct {
	Person        string
	Hashes        []ErasedHash
	Actor, Reason string
}

// PersonPrefix begins the hashes of people's ids, and the names of those who were erased.
const PersonPrefix = "p-"

// ShortPerson is the hash of a person's id as people read it: enough to tell persons apart. Anything else stays as it
// is.
func ShortPerson(id string) string {
	const whole, key, told = 37, 10, 6
	if len(id) != whole || !strings.HasPrefix(id, PersonPrefix) || id[key] != '-' {
		return id
	}
	return PersonPrefix + id[key+1:key+1+told]
}

// ErasedHash is one of them.
type ErasedHash struct{ Hash string }

func (*PersonErased) data() Type { return TypePersonErased }
