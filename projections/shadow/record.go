package shadow

import (
	"errors"
	"fmt"
	"time"

	"github.com/makegood/makegood/domain"
)

// States of a rebuild.
const (
	Computing = "computing"
	Ready     = "ready"     // its report can be read, and it can be swapped in
	Swapping  = "swapping"  // books.rebuilt is written, or about to be
	Done      = "done"      // it is the books
	Failed    = "failed"    // see Error; the books are as they were
	Discarded = "discarded" // somebody did not want it
)

// Rebuild is how far a rebuild is.
type Rebuild struct {
	ID            string    `json:"id"`
	State         string    `json:"state"`
	Actor         string    `json:"actor"`
	Reason        string    `json:"reason"`
	ClosedPeriods bool      `json:"closed_periods"`
	Whole         bool      `json:"whole"` // it passes over nothing
	Started       time.Time `json:"started"`
	Done          uint64    `json:"done"` // rows of the ledger posted again
	// rows of the ledger to post again; copies that are not folded yet are counted
	Total      uint64  `json:"total"`
	PassedOver uint64  `json:"passed_over"` // rows that neither today's rules nor the rates can change
	Error      string  `json:"error"`       // why it failed; empty where it did not
	Report     *Report `json:"report"`      // null until it is known

	Seen  *Seen                      `json:"-"` // what identities held when it began; nil: an older makegood computed it
	Terms int64                      `json:"-"`
	Rules uint32                     `json:"-"` // that it was computed with
	Ends  map[domain.Partition]int64 `json:"-"` // of the other streams when it began
	Idle  time.Duration              `json:"-"` // since it was last heard of
}

// Errors of what can't be done to a rebuild in its state.
var (
	ErrUnderWay = errors.New("a rebuild is under way")
	ErrNotReady = errors.New("only a rebuild that is ready can be swapped in")
	ErrStale    = errors.New("rates or closes came since it was computed: rebuild again")
)

// UnderWayError says which rebuild is under way; it is an ErrUnderWay.
type UnderWayError struct{ Rebuild Rebuild }

func (e *UnderWayError) Error() string {
	r := &e.Rebuild
	text := fmt.Sprintf("%v, %s since %s, begun by %s (%s)", ErrUnderWay, r.ID, r.Started.UTC().Format(time.RFC3339),
		r.Actor, r.State)
	if r.State == Swapping {
		return text + ": it is being made the books, wait for it"
	}
	return text + ": wait for it, or discard it (makegood rebuild --discard)"
}

// Is makes it an ErrUnderWay.
func (e *UnderWayError) Is(target error) bool { return target == ErrUnderWay }

// Report is what a rebuild changes. Amounts have 4 decimals, debit +, credit −.
type Report struct {
	Events         uint64              `json:"events"`          // that come out otherwise
	Mended         uint64              `json:"mended"`          // rows kept from the ledger that did not agree with it
	UnpricedBefore uint64              `json:"unpriced_before"` // events with a line that no rate can price
	UnpricedAfter  uint64              `json:"unpriced_after"`
	Accounts       []AccountDifference `json:"accounts"` // only those that change
	// Left are events that would come out otherwise and stay as a close has seen them.
	Left      []LeftPeriod `json:"left"`
	NotPosted uint64       `json:"not_posted"`
	// NotPostedEvents are the first of them: events that today's rules refuse. They stay as they are.
	NotPostedEvents []NotPosted `json:"not_posted_events"`
}

// Nothing says that the books are as a rebuild would make them.
func (d *Report) Nothing() bool { return d.Events == 0 && d.Mended == 0 }

// AccountDifference is what an account holds of a posting period in a store, before and after.
type AccountDifference struct {
	Period   string `json:"period"`
	Account  string `json:"account"`
	Name     string `json:"name"`
	Store    string `json:"store"`
	Currency string `json:"currency"`
	Before   string `json:"before"`
	After    string `json:"after"`
	Delta    string `json:"delta"`
}

// LeftPeriod is a month, closed or open, and how many events that are posted in it stay as a close has seen them.
// Named are some of them.
type LeftPeriod struct {
	Period string       `json:"period"`
	Events uint64       `json:"events"`
	Named  []NamedEvent `json:"named"`
}

// NamedEvent is an event by its identity.
type NamedEvent struct {
	Source string `json:"source"`
	ID     string `json:"id"`
}

// NotPosted is an event that could not be posted again, and why.
type NotPosted struct {
	Source string `json:"source"`
	ID     string `json:"id"`
	Why    string `json:"why"`
}
