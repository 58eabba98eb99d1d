//go:build chaos

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
)

// volume is what flows beside the traffic of a chaos: blocks of events, each of orders, cases and sources of its own.
// The traffic changes the terms for all of them. So the reference can be given one block after the other, each with the
// whole books stream, where it couldn't bear all at once; and no more than a few blocks are in memory.
type volume struct {
	seed   uint64
	blocks int // numbered from 1: what isn't of a block is of number 0
	copies int // percent of the events that are sent twice

	mu    sync.Mutex
	drawn map[int]*block
}

const (
	ordersOfBlock = 40
	eventsOfBlock = 700  // some of them; copies not counted
	bytesOfEvent  = 3000 // of ClickHouse's disk, with what is being merged
)

const lanes = 4 // producers that send blocks: two over HTTP, two to Kafka

// block is its events, of each lane in the order in which it sends them.
type block struct {
	lanes [lanes][]reference.Record
	left  int // lanes that have not taken it yet
}

// blockOrder and blockSource begin what is a block's own.
func blockOrder(n int) string  { return fmt.Sprintf("b%05d.", n) }
func blockSource(n int) string { return fmt.Sprintf("/b%05d", n) }

// blockOf is the block of an identity.
func blockOf(id reference.Identity) int {
	var n int
	if _, err := fmt.Sscanf(id.Source, "/b%05d/", &n); err != nil {
		return 0
	}
	return n
}

// rowsOfBlock is, in SQL, which rows of the ledger are a block's, and those of the books stream.
func rowsOfBlock(n int) string {
	if n == 0 {
		return `NOT (match(order_id, '^b[0-9]{5}[.]') OR order_id = '' AND match(source, '^/b[0-9]{5}/'))`
	}
	return fmt.Sprintf(`(order_id >= '%[1]s' AND order_id < '%[2]s'
    OR order_id = '' AND (startsWith(source, '%[3]s/') OR stream = 'books'))`,
		blockOrder(n), blockOrder(n)[:6]+"/", blockSource(n))
}

// lane gives a lane its events of a block.
func (v *volume) lane(t *testing.T, n, lane int) []reference.Record {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.drawn == nil {
		v.drawn = map[int]*block{}
	}
	b := v.drawn[n]
	if b == nil {
		b = v.draw(t, n)
		v.drawn[n] = b
	}
	if b.left--; b.left == 0 {
		delete(v.drawn, n)
	}
	return b.lanes[lane]
}

// draw draws a block: the same whenever it is asked for.
func (v *volume) draw(t *testing.T, n int) *block {
	options := reference.Options{Orders: ordersOfBlock, Periods: true, Duplicates: true, Conflicts: true,
		SecondVoids: true, StockFixes: true}
	random := rand.New(rand.NewPCG(v.seed, uint64(100+n)))
	b := &block{left: lanes}
	var rest []reference.Record
	for _, r := range withoutVoidedCopies(t, reference.Generate(int64(random.Uint64()>>1), options)) {
		if r.Stream != "books" {
			rest = append(rest, own(t, n, r))
		}
	}
	const window = 200
	for i := range rest {
		j := min(len(rest)-1, i+random.IntN(window))
		rest[i], rest[j] = rest[j], rest[i]
	}
	for _, r := range rest {
		lane := random.IntN(lanes)
		b.lanes[lane] = append(b.lanes[lane], r)
		if random.IntN(100) < v.copies {
			lane = random.IntN(lanes)
			b.lanes[lane] = append(b.lanes[lane], r)
		}
	}
	return b
}

// withoutVoidedCopies leaves out voids of what comes more than once: of two contents of one identity chance decides
// which is voided, as bookstest.WithoutVoidedConflicts says. It asks no reference, so it leaves out some more.
func withoutVoidedCopies(t *testing.T, records []reference.Record) (kept []reference.Record) {
	times := map[reference.Identity]int{}
	for _, r := range records {
		times[identityOf(t, r.Event)]++
	}
	for _, r := range records {
		if !slices.ContainsFunc(bookstest.Voided(t, r.Event), func(id reference.Identity) bool { return times[id] > 1 }) {
			kept = append(kept, r)
		}
	}
	return kept
}

// own makes an event one of a block.
func own(t *testing.T, n int, r reference.Record) reference.Record {
	var event map[string]any
	decoder := json.NewDecoder(bytes.NewReader(r.Event))
	decoder.UseNumber()
	if err := decoder.Decode(&event); err != nil {
		t.Fatal(err)
	}
	ownNames(n, event)
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	r.Event = text
	return r
}

func ownNames(n int, object map[string]any) {
	for name, value := range object {
		switch v := value.(type) {
		case string:
			switch name {
			case "source":
				object[name] = blockSource(n) + v
			case "subject", "order_id", "error_id", "same_as":
				object[name] = blockOrder(n) + v
			}
		case map[string]any:
			ownNames(n, v)
		}
	}
}

// identities are those of a block.
func (v *volume) identities(t *testing.T, n int) map[reference.Identity]bool {
	all := map[reference.Identity]bool{}
	for _, lane := range v.draw(t, n).lanes {
		for _, r := range lane {
			all[identityOf(t, r.Event)] = true
		}
	}
	return all
}

// flow sends a lane of all blocks, in pieces, while the share of the traffic allows it.
func (v *volume) flow(ctx context.Context, t *testing.T, x *traffic, lane int, send sendFunc) error {
	const piece = 200
	for n := 1; n <= v.blocks; n++ {
		if err := x.await(ctx, float64(n)/float64(v.blocks+1)); err != nil {
			return err
		}
		for all := v.lane(t, n, lane); len(all) > 0; all = all[min(len(all), piece):] {
			some := all[:min(len(all), piece)]
			if err := send(ctx, some, nil); err != nil {
				return err
			}
			x.sent.Add(int64(len(some)))
		}
	}
	return nil
}
