package domain

import "time"

// Event is one CloudEvent of the contract, read and found valid. Its strings and slices may belong to the decoder
// that read it: whoever keeps an Event beyond the next decode copies what it needs.
type Event struct {
	Source string // who sent it; (Source, ID) is its identity
	ID     string
	Type   Type
	Time   time.Time // occurred_at, in the zone that the till wrote

	OrderID  string // empty on the books stream and for a case that was found before any order
	StoreID  string
	ErrorID  string // the case; empty where the event isn't about a fix
	Currency string // ISO 4217; empty where the event carries no money

	Data Data
}

// Subject is what the event is about, and its Kafka key: the order, else the case, else nothing.
func (e *Event) Subject() string {
	if e.OrderID != "" {
		return e.OrderID
	}
	return e.ErrorID
}

// Stream is one of the four topics of the contract.
type Stream uint8

const (
	Orders Stream = iota + 1
	Errors
	Redeliveries
	Books
	AnyStream // an event.voided travels on the stream of what it voids
)

var streamNames = [...]string{"", "orders", "errors", "redeliveries", "books", "any"}

func (s Stream) String() string { return streamNames[s] }

// Stream is where this event travels: a void goes with what it voids.
func (e *Event) Stream() Stream {
	if v, ok := e.Data.(*EventVoided); ok {
		return v.Original.Stream()
	}
	return e.Type.Stream()
}

// Effective is the type that the event's lines speak of: for a void, the type of what it takes back.
func (e *Event) Effective() Type {
	if v, ok := e.Data.(*EventVoided); ok {
		return v.Original.Effective()
	}
	return e.Type
}

// ParseStream finds a stream by its name; 0 where there is none such.
func ParseStream(name string) Stream {
	for s := Orders; s <= Books; s++ {
		if streamNames[s] == name {
			return s
		}
	}
	return 0
}

// Envelope is an event with what the ledger keeps beside it.
type Envelope struct {
	Event      Event
	Data       []byte // the data member as it came, byte for byte, but for people who were hidden
	Extensions []byte // envelope attributes that the contract doesn't know, as a JSON object; empty where there are none
	// of an order.placed whose id was hashed just now: the hash by the oldest key; empty where that is unknown
	Customer string
	Content  uint64 // hash of what the event means: equal for the same event however it was written down
}
