package bookstest

import (
	"context"
	"maps"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// Log is a log in memory with one partition a stream, whose offsets are the reference's sequence numbers. It is no
// broker: those tests are elsewhere. It lets a test choose in which order, how often and in which batches
// a projector meets the records.
type Log struct {
	Records []reference.Record    // what the log holds
	Feed    chan *message.Message // what a projector that subscribes is given
	// Partition is in which of so many partitions a record stands, where there are several. Nil: all are in the first.
	Partition  func(reference.Record) int32
	Partitions int32
}

// place is the key of where a message stands in the log, in its context.
type place struct{}

// Position is where a record stands in the log: the sequence number is its offset, on every stream.
func Position(r reference.Record) domain.Position {
	return domain.Position{Stream: domain.ParseStream(r.Stream), Offset: r.Seq, Time: r.RecordedAt}
}

// Mark is the place of a record of books in the log: it divides all streams just there.
func Mark(r reference.Record) domain.Mark {
	ends := map[domain.Partition]int64{}
	for s := domain.Orders; s < domain.Books; s++ {
		ends[domain.Partition{Stream: s}] = r.Seq
	}
	return domain.Mark{Offset: r.Seq, Time: r.RecordedAt, Ends: ends}
}

// Message is a record as the log gives it to a subscriber.
func (l *Log) Message(r reference.Record) *message.Message {
	m := message.NewMessage("", message.Payload(r.Event))
	m.Metadata.Set("content-type", "application/cloudevents+json")
	at := Position(r)
	if r.Stream == "books" {
		ends := Mark(r).Ends
		for of, end := range maps.Clone(ends) {
			for n := range l.Partitions {
				ends[domain.Partition{Stream: of.Stream, Number: n}] = end
			}
		}
		m.Metadata.Set(ledger.EndsHeader, ledger.FormatEnds(ends))
	} else if l.Partition != nil {
		at.Partition = l.Partition(r)
	}
	m.SetContext(context.WithValue(context.Background(), place{}, at))
	return m
}

// PositionOf is where a message of the log stands, as projectors ask for it.
func PositionOf(m *message.Message) (domain.Position, bool) {
	p, ok := m.Context().Value(place{}).(domain.Position)
	return p, ok
}

// SubscribeTopics gives what is fed.
func (l *Log) SubscribeTopics(context.Context, ...string) (<-chan *message.Message, error) {
	return l.Feed, nil
}

// Publish takes dead letters, and keeps none.
func (l *Log) Publish(string, ...*message.Message) error { return nil }

// Close does nothing.
func (l *Log) Close() error { return nil }

// End is the offset that the next record of books will have.
func (l *Log) End(context.Context) (int64, error) {
	return l.Records[len(l.Records)-1].Seq + 1, nil
}

// ReadTo gives all that the log holds of books.
func (l *Log) ReadTo(_ context.Context, _ int64, take func(post.BooksRecord) error) error {
	return l.read(take, func(int64) bool { return true })
}

func (l *Log) read(take func(post.BooksRecord) error, is func(offset int64) bool) error {
	for _, r := range l.Records {
		if r.Stream == "books" && is(r.Seq) {
			m := l.Message(r)
			if err := take(post.BooksRecord{Offset: r.Seq, Time: r.RecordedAt, Metadata: m.Metadata,
				Value: m.Payload}); err != nil {
				return err
			}
		}
	}
	return nil
}

// LateBooks is a books stream whose records beyond a limit have not arrived yet.
type LateBooks struct {
	*Log
	Limit int64 // the offset of the first that has not
}

// End is where the records that have arrived end.
func (l LateBooks) End(context.Context) (int64, error) { return l.Limit, nil }

// ReadTo gives the records before end.
func (l LateBooks) ReadTo(_ context.Context, end int64, take func(post.BooksRecord) error) error {
	return l.read(take, func(offset int64) bool { return offset < end })
}
