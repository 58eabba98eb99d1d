package kafka

import (
	"fmt"
	"slices"
)

// readRecords hands over every record of a fetch from an offset on, in order,
// and answers the offset to go on from. Control records, and records of
// transactions that were aborted, aren't anybody's: they are passed over, and
// the offset goes on past them.
//
// An error means that what follows next can't be read; what came before it has
// been handed over.
func readRecords(f *fetched, from int64, hand func(*batch, *rawRecord)) (next int64, err error) {
	next = from
	// Producers within a transaction that will turn out aborted. There is
	// hardly ever one.
	var aborting []int64
	pending := f.aborted // by first offset
	data := f.records
	for {
		b, rest, more, err := nextBatch(data)
		if err != nil || !more {
			return next, err
		}
		data = rest
		for len(pending) > 0 && pending[0].first <= b.last {
			aborting = append(aborting, pending[0].producerID)
			pending = pending[1:]
		}
		switch {
		case b.control():
			if i := slices.Index(aborting, b.producerID); i >= 0 && b.abort() {
				aborting = slices.Delete(aborting, i, i+1)
			}
		case b.transactional() && slices.Contains(aborting, b.producerID):
		default:
			if next, err = readBatch(&b, from, next, hand); err != nil {
				return next, err
			}
		}
		next = max(next, b.last+1)
	}
}

func readBatch(b *batch, from, next int64, hand func(*batch, *rawRecord)) (int64, error) {
	var r rawRecord
	records := b.records
	for range b.count {
		var err error
		if records, err = r.read(b, records); err != nil {
			return next, fmt.Errorf("after offset %d: %w", next-1, err)
		}
		if r.offset < from {
			continue // the leader answers with whole batches
		}
		hand(b, &r)
		next = r.offset + 1
	}
	return next, nil
}
