package domain

import (
	"fmt"
	"slices"
	"strings"
)

// A kind of event is declared once, in the file of its stream: kinds_orders.go, kinds_errors.go, kinds_redeliveries.go,
// kinds_books.go. There are its number, its row in the list of the stream's kinds, and its data with the methods that
// say of which kind it is, what its business id and its tax are, and what it posts by itself, if anything. Tests over
// all kinds tell what else a new one needs: its shape on the wire (infra/wire), its rows in the contract (README.md),
// a place in the simulator, and a second rule that is written independently (reference/fixes.go).

// Type is a kind of event. Its number is only for this process; what is kept is its name.
type Type uint8

// UnknownType is no kind of event.
const UnknownType Type = 0

// Where the numbers of a stream's kinds begin.
const (
	firstOrders       = 1
	firstErrors       = 32
	firstRedeliveries = 64
	firstBooks        = 128
)

// Data is what an event says. The set is closed: the posting rules and the codec know every one.
type Data interface{ data() Type }

// fact is data with a business id: two events of one kind and one such id, of one order or case, tell one fact. Where
// it is empty, the event is a fact of its own. An order.placed is told apart by its order, an error.reported by its
// case.
type fact interface {
	Data
	businessID() string
}

// taxed is data with a tax beside or within its amount. Where the event that counts says none, the tax of its double is
// used.
type taxed interface {
	Data
	saidTax() Decimal
}

// poster is data whose event posts something by itself, whatever the others say.
type poster interface {
	Data
	post(v *view, i int32)
}

// TypeOf is the kind of event that says d.
func TypeOf(d Data) Type { return d.data() }

// Posting says how events of a kind come to their entries.
type Posting uint8

const (
	// PostsNothing: it has no lines, and changes no other event's. (Settle is told what a rebuild makes again.)
	PostsNothing Posting = iota + 1
	// PostsAlone: its lines depend on no other event, unless one says the same, contradicts it or voids it.
	PostsAlone
	// PostsSettled: its lines depend on the other events of its order or case, or theirs on it.
	PostsSettled
)

// kind is what domain knows of a kind of event.
type kind struct {
	typ    Type
	name   string // in the contract: that on the wire without its prefix and version
	stream Stream
	posts  Posting
	// probes are events of the kind with every choice that its posting rule makes: what tells one set of rules from
	// another, see PostingRules.
	probes []Data
}

const (
	typePrefix = "makegood."
	typeSuffix = ".v1"
)

// kinds are all kinds by their numbers.
var kinds = func() (all [256]kind) {
	for _, k := range slices.Concat(orderKinds, errorKinds, redeliveryKinds, bookKinds) {
		if all[k.typ].typ != UnknownType {
			panic(fmt.Sprintf("domain: %s and %s have one number", all[k.typ].name, k.name))
		}
		all[k.typ] = k
	}
	return all
}()

// wireNames are the kinds' names on the wire, by their numbers.
var wireNames = func() (names [len(kinds)]string) {
	for _, t := range Types() {
		names[t] = typePrefix + kinds[t].name + typeSuffix
	}
	return names
}()

var typesByName = func() map[string]Type {
	byName := map[string]Type{}
	for _, t := range Types() {
		byName[wireNames[t]] = t
	}
	return byName
}()

// Types lists every kind of event in the order of the contract.
func Types() []Type {
	var all []Type
	for i := range kinds {
		if kinds[i].typ != UnknownType {
			all = append(all, kinds[i].typ)
		}
	}
	return all
}

// ParseType finds a type by its name on the wire; UnknownType where the contract has none such.
func ParseType(name []byte) Type { return typesByName[string(name)] }

// String is the type's name on the wire: explicit and versioned, never derived from a Go type.
func (t Type) String() string { return wireNames[t] }

// Name is the type's name in the contract: that on the wire without what all have in common, order.placed say.
func (t Type) Name() string { return kinds[t].name }

// Stream is where events of this type travel; AnyStream for a void, see Event.Stream.
func (t Type) Stream() Stream { return kinds[t].stream }

// Posts is how events of this type come to their entries.
func (t Type) Posts() Posting { return kinds[t].posts }

// ShortName is a type's name on the wire without what all have in common; of what is none, it is as it was.
func ShortName(wireName string) string {
	return strings.TrimSuffix(strings.TrimPrefix(wireName, typePrefix), typeSuffix)
}

// probes are the probes of every kind.
func probes() []Data {
	var all []Data
	for i := range kinds {
		all = append(all, kinds[i].probes...)
	}
	return all
}

// Amounts of probes: of two decimals, and of more than an entry keeps.
const (
	probeA Decimal = 17_330_000
	probeB Decimal = 3_070_000
	probeC Decimal = 1_234_567
)

// Lines of probes: of an article that has a rate of its own and of one that hasn't, with a cost and without.
var (
	probeCost  = Some(probeB + 1)
	probeLines = []OrderLine{
		{LineID: "1", SKU: "known", Quantity: 3_000_000, UnitPrice: probeA, Discount: probeB, Tax: probeC,
			UnitCost: probeCost},
		{LineID: "2", SKU: "other", Quantity: 1_500_000, UnitPrice: probeC},
	}
	probeKinds = []OrderLine{
		{LineID: "3", SKU: "service", Kind: LineService, Quantity: 1_000_000, UnitPrice: probeA},
		{LineID: "4", SKU: "gift card", Kind: LineGiftCard, Quantity: 1_000_000, UnitPrice: probeB},
		{LineID: "5", SKU: "tip", Kind: LineTip, Quantity: 1_000_000, UnitPrice: probeC},
		{LineID: "6", SKU: "bottle", Kind: LineDeposit, Quantity: -2_000_000, UnitPrice: probeB},
	}
	probeRemoved = []RemovedLine{{LineID: "1", Quantity: 1_000_000}}
	probeGoods   = []GoodsLine{
		{SKU: "known", Quantity: 2_500_000, UnitCost: probeCost}, {SKU: "other", Quantity: 1_000_000},
	}
)

// probeEach is a probe for each of some words.
func probeEach(words []string, probe func(word string) Data) []Data {
	var all []Data
	for _, w := range words {
		all = append(all, probe(w))
	}
	return all
}

// probeReturn is a return of goods with a cost and of goods without.
func probeReturn(was, grade string) Data {
	d := &ReturnReceived{ReturnID: was + grade}
	for _, g := range probeGoods {
		d.Lines = append(d.Lines, ReturnLine{GoodsLine: g, Was: was, Grade: grade, NRV: Some(1_500_000)})
	}
	return d
}
