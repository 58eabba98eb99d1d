package post

import (
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/projections/ledger"
)

// TestLandedIsBounded: what is kept of batches has a bound, also where they hold nothing or records that say next to
// nothing.
func TestLandedIsBounded(t *testing.T) {
	r := newRecent()
	trouble := ahead{held: make([]ledger.Stored, 1)}
	for range 10_000 {
		r.keep(&batch{ahead: trouble})
	}
	if len(r.landed) != 0 {
		t.Errorf("of batches without a record that posts alone %d are kept", len(r.landed))
	}
	const records = 100
	b := &batch{ahead: trouble}
	for i := range records {
		b.messages = append(b.messages, message.NewMessage("", nil))
		b.ahead.alone = append(b.ahead.alone, aloneOf{order: uint64(i), message: i})
	}
	for range 1000 {
		b.terms++
		r.keep(b)
	}
	kept := 0
	for _, part := range r.landed {
		kept += len(part.of)
	}
	if most := mostLanded / perLanded; kept > most || kept < most-records {
		t.Errorf("%d records are kept, not some %d", kept, most)
	}
	const changed = 990
	r.forgetLanded(func(terms int64) bool { return terms <= changed })
	if len(r.landed) != int(b.terms-changed) || r.landedBytes != len(r.landed)*records*perLanded {
		t.Errorf("%d batches of %d bytes are kept", len(r.landed), r.landedBytes)
	}
}

// TestEndOfALargeBatchIsKept: of a batch that is larger than the bound, what was landed last is kept.
func TestEndOfALargeBatchIsKept(t *testing.T) {
	r := newRecent()
	const most = mostLanded / perLanded
	b := &batch{ahead: ahead{held: make([]ledger.Stored, 1)}}
	m := message.NewMessage("", nil)
	for i := range 3 * most {
		b.messages = append(b.messages, m)
		b.ahead.alone = append(b.ahead.alone, aloneOf{order: uint64(i), message: i})
	}
	r.keep(b)
	if len(r.landed) != 1 || len(r.landed[0].of) != most {
		t.Fatalf("of one batch %d parts are kept", len(r.landed))
	}
	if first, last := r.landed[0].of[0].order, r.landed[0].of[most-1].order; first != 2*most || last != 3*most-1 {
		t.Errorf("the records from %d to %d are kept, of %d", first, last, 3*most)
	}
	r.forgetLanded(func(int64) bool { return true })
	if len(r.landed) != 0 || r.landedBytes != 0 {
		t.Errorf("%d batches of %d bytes are kept", len(r.landed), r.landedBytes)
	}
}
