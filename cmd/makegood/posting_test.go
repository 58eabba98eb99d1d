package main

import (
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
)

// streamPositions puts a reference's records into a log: the sequence number is the offset, on every stream, so that a
// rate's mark divides all of them just there.
func position(r reference.Record) domain.Position {
	return domain.Position{Stream: domain.ParseStream(r.Stream), Offset: r.Seq, Time: r.RecordedAt}
}

func mark(r reference.Record) domain.Mark {
	ends := map[domain.Partition]int64{}
	for s := domain.Orders; s < domain.Books; s++ {
		ends[domain.Partition{Stream: s}] = r.Seq
	}
	return domain.Mark{Offset: r.Seq, Time: r.RecordedAt, Ends: ends}
}
