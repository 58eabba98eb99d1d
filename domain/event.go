package domain

import "time"

// Event is one CloudEvent of the contract, read and found valid. Its strings and slices may belong to the decoder that
// read it: whoever keeps an Event beyond the next decode copies what it needs.
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

// Data is what an event says. The set is closed: the posting rules and the codec know every one.
type Data interface{ data() }

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

// Type is a kind of event. Its name on the wire is explicit and versioned, never derived from a Go type.
type Type uint8

const (
	UnknownType Type = iota
	TypeOrderPlaced
	TypePromiseChanged
	TypeOrderDelivered
	TypeOrderCancelled
	TypeOrderChanged
	TypeOrderCharged
	TypeFeedbackReceived
	TypeErrorReported
	TypeErrorClassified
	TypeErrorRejected
	TypeGoodsScrapped
	TypeRedeliveryDispatched
	TypeRedeliveryCompleted
	TypeLabourSpent
	TypeRefundIssued
	TypeConcessionGranted
	TypeVoucherRedeemed
	TypeVoucherExpired
	TypeReturnReceived
	TypeSalvageSold
	TypeDisputeOpened
	TypeDisputeWon
	TypeDisputeLost
	TypeMarketplaceCharged
	TypeClaimFiled
	TypeClaimAccepted
	TypeClaimSettled
	TypeClaimClosed
	TypeRateSet
	TypeQualitySpent
	TypePeriodClosed
	TypePeriodReopened
	TypeDeadLetterReplayed
	TypeDeadLetterDiscarded
	TypeBooksRebuilt
	TypeFactDecided
	TypeEventVoided
	typeCount
)

var types = [typeCount]struct {
	name   string
	stream Stream
}{
	TypeOrderPlaced:          {"makegood.order.placed.v1", Orders},
	TypePromiseChanged:       {"makegood.order.promise_changed.v1", Orders},
	TypeOrderDelivered:       {"makegood.order.delivered.v1", Orders},
	TypeOrderCancelled:       {"makegood.order.cancelled.v1", Orders},
	TypeOrderChanged:         {"makegood.order.changed.v1", Orders},
	TypeOrderCharged:         {"makegood.order.charged.v1", Orders},
	TypeFeedbackReceived:     {"makegood.feedback.received.v1", Orders},
	TypeErrorReported:        {"makegood.error.reported.v1", Errors},
	TypeErrorClassified:      {"makegood.error.classified.v1", Errors},
	TypeErrorRejected:        {"makegood.error.rejected.v1", Errors},
	TypeGoodsScrapped:        {"makegood.goods.scrapped.v1", Errors},
	TypeRedeliveryDispatched: {"makegood.redelivery.dispatched.v1", Redeliveries},
	TypeRedeliveryCompleted:  {"makegood.redelivery.completed.v1", Redeliveries},
	TypeLabourSpent:          {"makegood.labour.spent.v1", Redeliveries},
	TypeRefundIssued:         {"makegood.refund.issued.v1", Redeliveries},
	TypeConcessionGranted:    {"makegood.concession.granted.v1", Redeliveries},
	TypeVoucherRedeemed:      {"makegood.voucher.redeemed.v1", Redeliveries},
	TypeVoucherExpired:       {"makegood.voucher.expired.v1", Redeliveries},
	TypeReturnReceived:       {"makegood.return.received.v1", Redeliveries},
	TypeSalvageSold:          {"makegood.salvage.sold.v1", Redeliveries},
	TypeDisputeOpened:        {"makegood.dispute.opened.v1", Redeliveries},
	TypeDisputeWon:           {"makegood.dispute.won.v1", Redeliveries},
	TypeDisputeLost:          {"makegood.dispute.lost.v1", Redeliveries},
	TypeMarketplaceCharged:   {"makegood.marketplace.charged.v1", Redeliveries},
	TypeClaimFiled:           {"makegood.claim.filed.v1", Redeliveries},
	TypeClaimAccepted:        {"makegood.claim.accepted.v1", Redeliveries},
	TypeClaimSettled:         {"makegood.claim.settled.v1", Redeliveries},
	TypeClaimClosed:          {"makegood.claim.closed.v1", Redeliveries},
	TypeRateSet:              {"makegood.rate.set.v1", Books},
	TypeQualitySpent:         {"makegood.quality.spent.v1", Books},
	TypePeriodClosed:         {"makegood.period.closed.v1", Books},
	TypePeriodReopened:       {"makegood.period.reopened.v1", Books},
	TypeDeadLetterReplayed:   {"makegood.deadletter.replayed.v1", Books},
	TypeDeadLetterDiscarded:  {"makegood.deadletter.discarded.v1", Books},
	TypeBooksRebuilt:         {"makegood.books.rebuilt.v1", Books},
	TypeFactDecided:          {"makegood.fact.decided.v1", Books},
	TypeEventVoided:          {"makegood.event.voided.v1", AnyStream},
}

var typesByName = func() map[string]Type {
	m := make(map[string]Type, typeCount)
	for t := Type(1); t < typeCount; t++ {
		m[types[t].name] = t
	}
	return m
}()

// Types lists every kind of event in the order of the contract.
func Types() []Type {
	all := make([]Type, 0, typeCount-1)
	for t := Type(1); t < typeCount; t++ {
		all = append(all, t)
	}
	return all
}

// ParseType finds a type by its name on the wire; UnknownType where the contract has none such.
func ParseType(name []byte) Type { return typesByName[string(name)] }

// String is the type's name on the wire.
func (t Type) String() string { return types[t].name }

// Stream is where events of this type travel; AnyStream for a void, see Event.Stream.
func (t Type) Stream() Stream { return types[t].stream }

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
	Data       []byte // the data member as it came, byte for byte
	Extensions []byte // envelope attributes that the contract doesn't know, as a JSON object; empty where there are none
	Content    uint64 // hash of what the event means: equal for the same event however it was written down
}
