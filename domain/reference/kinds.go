package reference

import "slices"

// kind is all that is said of a kind of event by itself. What it does to others stands with the parts of a position
// and with what counts.
type kind struct {
	name string // order.placed for makegood.order.placed.v1
	// id is the field that tells which business fact an event is of, as section 3 lists them; "" where each is one of
	// its own. "Where an optional id is absent, the event is a fact of its own."
	id string
	// decimals are fields that the contract reads as decimals, beside those of decimalFields.
	decimals []string
	// posts books what an event posts whatever else happened, as section 4 says under "By event".
	posts func(*file, *event)
	// told are what a generated story of a case may tell with events of the kind, each once or not at all. The kinds
	// without it are told by stories of their own.
	told []func(*generator, failure)
}

var kinds = slices.Concat(orderKinds, caseKinds, fixKinds, bookKinds)

var orderKinds = []kind{
	{name: "order.placed", id: "order_id"}, {name: "order.promise_changed"}, {name: "order.delivered"},
	{name: "order.cancelled", id: "change_id"}, {name: "order.changed", id: "change_id"},
	{name: "order.charged", id: "charge_id"}, {name: "feedback.received"},
}

var caseKinds = []kind{
	{name: "error.reported", id: "error_id"}, {name: "error.classified"}, {name: "error.rejected"},
}

var bookKinds = []kind{
	{name: "rate.set"}, {name: "quality.spent", id: "spend_id", posts: qualitySpent}, {name: "period.closed"},
	{name: "period.reopened"}, {name: "deadletter.replayed", decimals: []string{"partition", "offset"}},
	{name: "deadletter.discarded"}, {name: "books.rebuilt"}, {name: "fact.decided"},
	{name: "books.sealed", decimals: []string{"close", "format", "events"}}, {name: "person.erased"},
	{name: "vendor.terms", decimals: []string{"window_days", "share"}}, {name: "event.voided"},
}

// Types are the kinds of event that the contract has.
var Types = func() (all []string) {
	for _, k := range kinds {
		all = append(all, k.name)
	}
	return all
}()

var kindsByName = func() map[string]kind {
	all := map[string]kind{}
	for _, k := range kinds {
		all[k.name] = k
	}
	return all
}()

// kindOf is what is said of the kind of that name.
func kindOf(name string) kind { return kindsByName[name] }

// BusinessID is the field of a kind of event that tells which business fact an event is of; "" where each is one of its
// own.
func BusinessID(kind string) string { return kindOf(kind).id }
