package post_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
)

// wrongPart is an order whose wrong part is made good, in the order of its story.
func wrongPart(n int) []string {
	of := func(text string) string {
		return strings.NewReplacer("o1", fmt.Sprint("o", n), "e1", fmt.Sprint("e", n), `"id":"`, fmt.Sprintf(`"id":"%d-`, n)).
			Replace(text)
	}
	const base = `{"order_id":"o1","store_id":"s1","currency":"USD"`
	return []string{
		of(event("p", "order.placed", "2026-01-09T00:00:00Z", "o1",
			base+`,"lines":[{"line_id":"1","sku":"a","quantity":"1","unit_price":"100","unit_cost":"60"}]}`)),
		of(event("r", "error.reported", "2026-01-10T00:00:00Z", "o1", base+`,"error_id":"e1","kind":"wrong_item",`+
			`"found":"after_delivery","detected_by":"customer",`+
			`"lines":[{"sku":"a","quantity":"1","received_sku":"b","received_unit_cost":"55"}]}`)),
		of(event("d", "redelivery.dispatched", "2026-01-11T00:00:00Z", "o1", base+`,"error_id":"e1","redelivery_id":"d1",`+
			`"mode":"carrier","carrier_charge":"7","lines":[{"sku":"a","quantity":"1","unit_cost":"60"}]}`)),
		of(event("b", "return.received", "2026-01-12T00:00:00Z", "o1", base+`,"error_id":"e1","return_id":"b1",`+
			`"lines":[{"sku":"b","quantity":"1","unit_cost":"55","was":"wrong_item","grade":"saleable"}]}`)),
		of(event("f", "refund.issued", "2026-01-13T00:00:00Z", "o1",
			base+`,"error_id":"e1","refund_id":"f1","net":"10"}`)),
	}
}

func troubled(orders int) []reference.Record {
	var all []string
	for n := range orders {
		all = append(all, wrongPart(n+1)...)
	}
	records := bookstest.Sequence(all...)
	for i := 0; i < len(records); i += len(wrongPart(1)) {
		records[i].Stream, records[i+1].Stream = "orders", "errors"
	}
	return records
}

// TestSettledAheadIsWrittenOnce: orders that come in one batch with all that went wrong with them are settled before
// they are written. So the ledger has one copy of each row, and the books are the reference's.
func TestSettledAheadIsWrittenOnce(t *testing.T) {
	store, records := bookstest.Open(t), troubled(20)
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	l := &bookstest.Log{Records: records}
	messages := make([]*message.Message, len(records))
	for i, r := range records {
		messages[i] = l.Message(r)
	}
	// All come in one batch: none is full before, and the first waits for the others.
	p := bookstest.NewProjector(t, store, bookstest.With{Log: l, Linger: 10 * time.Second})
	bookstest.Feed(t, p, l, messages)
	var rows, newest uint64
	if err := store.DB.QueryRow(t.Context(), "SELECT count(), toUInt64(max(version % 256)) FROM ledger").Scan(&rows,
		&newest); err != nil {
		t.Fatal(err)
	}
	if rows != uint64(len(records)) || newest != 1 {
		t.Errorf("the ledger has %d rows of %d events, up to revision %d: not all were written once, at revision 1", rows,
			len(records), newest)
	}
	if batches := p.Stats().Batches.Load(); batches != 1 {
		t.Errorf("they came in %d batches", batches)
	}
	bookstest.CompareBooks(t, store, want, rand.New(rand.NewPCG(1, 1)))
}

// TestRememberedIsHeldAgainstTheLedger: two projectors take turns with the events of the same orders, so that what one
// remembers of an order is never what the ledger holds by then.
func TestRememberedIsHeldAgainstTheLedger(t *testing.T) {
	const seed = 3
	random := rand.New(rand.NewPCG(seed, 1))
	for name, shuffled := range map[string]bool{"as told": false, "shuffled": true} {
		t.Run(name, func(t *testing.T) {
			store, records := bookstest.Open(t), troubled(3)
			want, err := reference.Run(records, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			projectors := []*atWork{startAtWork(t, store, records), startAtWork(t, store, records)}
			order := slices.Clone(records)
			if shuffled {
				random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			}
			for i, r := range order {
				projectors[i%2].book(r)
			}
			bookstest.CompareBooks(t, store, want, random)
		})
	}
}
