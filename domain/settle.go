package domain

import "time"

// Step says of which part of an order's life an amount is.
type Step uint8

// The steps. Perfect: order.placed and order.charged. Change: order.changed, order.cancelled, and money that goes
// back for them. Fix: all else.
const (
	NoStep Step = iota
	Perfect
	Change
	Fix
)

var stepNames = [...]string{"", "perfect", "change", "fix"}

func (s Step) String() string { return stepNames[s] }

// Steps lists the names by their number; index 0 is not a step.
func Steps() []string { return stepNames[:] }

// Recorded is an event with its place in the log.
//
// A rebuild that prices closed epochs (BooksRebuilt.ClosedPeriods) is given to Settle as an event of each unit that
// it concerns: At is where the books stream holds it, and its entry is the difference that its prices make to the
// events of the epochs before its own.
type Recorded struct {
	Event      *Event
	At         Position
	RecordedAt time.Time

	// Kept are the lines that the books hold of an event of a closed epoch and that Settle must leave as they are,
	// because other rules posted them; Keeps says that there are such, if only none. What they differ by from the
	// position is part of the entry of the next rebuild that prices closed epochs. Lines without a Currency take the
	// event's case, currency and store, and the step of its type.
	Kept  []Line
	Keeps bool
}

// Standing says whether an event counts in the position of its unit.
type Standing uint8

// The standings. A double says what another event says. What waits contradicts another event until a person decides.
// What is discarded was decided against by a person. A copy has the identity of an event recorded before it.
const (
	Counts Standing = iota
	Double
	Waits
	Voided
	Discarded
	VoidsNothing // a void whose original is not there
	Copied
)

var standingNames = [...]string{"counts", "double", "waits", "voided", "discarded", "voids_nothing", "copied"}

// String is the standing's name; "unknown" where it is none of them.
func (s Standing) String() string {
	if int(s) >= len(standingNames) {
		return "unknown"
	}
	return standingNames[s]
}

// Standings lists the names by their number.
func Standings() []string { return standingNames[:] }

// Identity is what makes an event itself.
type Identity struct{ Source, ID string }

// Flag is something of a unit that can't be right, booked as far as it is known.
type Flag struct {
	Code     string // over_refunded, part_unknown, …, see FlagCodes
	Event    Identity
	Case     string // empty where it is not about a case
	Currency string // empty where Amount has none
	Amount   Amount // by how much it can't be right; 0 where that is no amount
}

// CaseFacts are what is known of a case.
type CaseFacts struct {
	Case                                                string
	Kind, RootCause, PartyAtFault, VendorID, EmployeeID string
	Severity                                            string
	Avoidable                                           Truth
	Internal                                            bool // found before delivery
	Founded                                             bool // not rejected, not changed_mind, not merged into another
	Reported                                            bool // somebody reported it; else a fix made it
	SameAs                                              string
	// Order is the order of the case where that isn't the event's that says so; see Line.Order.
	Order string
	// Gone: nothing that counts makes it a case any more. The other facts are those that were known last, for what closed
	// months hold of it; but that somebody reported it isn't kept.
	Gone bool
}

// SettledEvent is what an event posts, given all events of its unit.
type SettledEvent struct {
	Lines    []Line
	Unpriced []string // see Entry.Unpriced
	Rated    bool     // see Entry.Rated

	Standing Standing
	Of       Identity // the event that counts in its place, or that it contradicts; zero where there is none
	// Home is the order that the event is of where it doesn't name it: that of its case, or of what it decides on.
	Home string
	// Cases are the facts of the cases that the event changed, as they are with the events up to it in the sequence; of
	// those that are no case any more too.
	Cases []CaseFacts
}

// Settlement is what the events of a unit post.
type Settlement struct {
	Events   []SettledEvent // in the order in which the events were given
	Sequence []int          // the events' numbers in the order in which they count
	Cases    []CaseFacts    // as they are with all events
	Flags    []Flag
}
