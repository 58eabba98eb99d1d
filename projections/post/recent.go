package post

import (
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/projections/ledger"
)

// recent remembers the rows of orders that were settled lately, as the ledger holds them, so that what comes next of an
// order needn't read them back. Nothing depends on it: whoever settles with remembered rows asks the ledger afterwards
// whether it holds those, at the versions that they were remembered with (see ahead.go).
//
// There are two generations, of which the older one is forgotten when the younger is full. An order belongs to whoever
// takes it out, and is remembered again once that is done with it.
type recent struct {
	mu         sync.Mutex
	young, old map[uint64]*remembered // by the hash of the order
	bytes      int                    // of the younger, about
	erased     int                    // people who were known to be erased

	// What posts alone, of the batches that were landed last: most of what goes wrong with an order does so soon. These
	// fields are for one goroutine, the one that lands.
	landed      []landedPart
	landedBytes int
	quiet       int // batches since the last in which something went wrong

	// How many orders in a row were looked for that nobody had placed lately, and weren't there: what went wrong with
	// them came before their order.placed, as it does where topics are read side by side.
	strangers int
}

// mostStrangers is how many of them it takes to expect that the ledger knows nothing of the next.
const mostStrangers = 8

// lookedFor notes for how many orders that nobody placed lately the ledger was asked, and how many of them it had.
func (r *recent) lookedFor(orders, there int) {
	if r.strangers += orders; there > 0 {
		r.strangers = 0
	}
}

// expectNothing reports whether the ledger is expected to know nothing of an order that nobody placed lately. It
// needn't be so: what is settled with that is held against the ledger afterwards, as all is.
func (r *recent) expectNothing() bool { return r.strangers >= mostStrangers }

// landedAlone is a record of an order, by hash, that is in the ledger and posts alone.
type landedAlone struct {
	order   uint64
	message *message.Message
}

// landedPart is what posts alone of a batch.
type landedPart struct {
	of    []landedAlone
	terms int64 // the oldest that it was posted with
}

const (
	mostLanded = 16 << 20 // bytes of records
	perLanded  = 600      // bytes of a record beside what it says: of the message, its headers and its place, about
	mostQuiet  = 16       // batches: where nothing goes wrong, nothing is kept
)

// keep keeps what posts alone of a batch that was landed.
func (r *recent) keep(b *batch) {
	if r.quiet++; len(b.ahead.held) > 0 {
		r.quiet = 0
	}
	if r.quiet > mostQuiet {
		r.landed, r.landedBytes = nil, 0
		return
	}
	if len(b.ahead.alone) == 0 {
		return
	}
	part := landedPart{make([]landedAlone, 0, len(b.ahead.alone)), b.terms}
	for _, of := range b.ahead.alone {
		m := b.messages[of.message]
		part.of = append(part.of, landedAlone{of.order, m})
		r.landedBytes += perLanded + len(m.Payload)
	}
	r.landed = append(r.landed, part)
	for r.landedBytes > mostLanded { // record by record: of a large batch what was landed last stays
		r.dropRecord()
	}
}

// dropRecord lets go of the record that was landed first.
func (r *recent) dropRecord() {
	part := &r.landed[0]
	r.landedBytes -= perLanded + len(part.of[0].message.Payload)
	part.of[0] = landedAlone{}
	if part.of = part.of[1:]; len(part.of) == 0 {
		r.landed = r.landed[1:]
	}
}

// dropLanded lets go of the batch that was landed first.
func (r *recent) dropLanded() {
	for n := len(r.landed[0].of); n > 0; n-- {
		r.dropRecord()
	}
}

// forgetLanded lets go of what was posted with terms that have changed since: posted again it may have other lines than
// the ledger has, at the same version.
func (r *recent) forgetLanded(changedSince func(terms int64) bool) {
	for len(r.landed) > 0 && changedSince(r.landed[0].terms) {
		r.dropLanded()
	}
}

type remembered struct {
	order   string
	rows    []ledger.Stored
	leakage *orderLeakage // what leakage_daily has of it; nil where that isn't known
}

// mostRecent is how many bytes of rows a generation remembers.
const mostRecent = 24 << 20

func newRecent() *recent {
	return &recent{young: map[uint64]*remembered{}, old: map[uint64]*remembered{}, quiet: mostQuiet}
}

// order is the name of an order that is remembered; empty where it isn't.
func (r *recent) order(hash uint64) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.young[hash]; one != nil {
		return one.order
	}
	if one := r.old[hash]; one != nil {
		return one.order
	}
	return ""
}

// remembers reports whether the rows of an order are remembered.
func (r *recent) remembers(hash uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.young[hash] != nil || r.old[hash] != nil
}

// take takes the rows of an order out, and what leakage_daily has of it where that is known; nil where it isn't
// remembered.
func (r *recent) take(hash uint64, order string) ([]ledger.Stored, *orderLeakage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.young[hash]
	if one == nil {
		one = r.old[hash]
	}
	delete(r.young, hash)
	delete(r.old, hash)
	if one == nil || one.order != order {
		return nil, nil
	}
	return one.rows, one.leakage
}

// remember keeps the rows of an order, which are its own from now on.
func (r *recent) remember(hash uint64, order string, rows []ledger.Stored, leakage *orderLeakage) {
	const envelope, line = 1200, 288 // bytes of a row and of a line of it with its leakage, about
	size := 0
	for i := range rows {
		size += envelope + len(rows[i].Data) + line*len(rows[i].Lines)
	}
	if size > mostRecent/100 {
		return // what is asked of it later is read back
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes += size; r.bytes > mostRecent {
		r.young, r.old, r.bytes = map[uint64]*remembered{}, r.young, size
	}
	delete(r.old, hash)
	r.young[hash] = &remembered{order, rows, leakage}
}

// empty reports whether nothing is remembered. What is remembered names people as it did when it was written: so all is
// forgotten when somebody is erased.
func (r *recent) empty(erased int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if erased != r.erased {
		clear(r.young)
		clear(r.old)
		r.bytes, r.erased = 0, erased
	}
	return len(r.young)+len(r.old) == 0
}
