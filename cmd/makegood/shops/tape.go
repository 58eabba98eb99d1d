package shops

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// tape is a log in memory: one partition a stream, and the place in the whole is the offset in each.
type tape struct {
	records []record
	feed    chan *message.Message
}

type record struct {
	stream domain.Stream
	at     time.Time
	value  []byte
}

// place is the key of where a message stands, in its context.
type place struct{}

// add writes an event as a till does. Its record was taken when it happened.
func (l *tape) add(e *domain.Event) {
	l.records = append(l.records, record{e.Stream(), e.Time, wire.AppendEvent(nil, e)})
}

// message is a record as a subscriber is given it.
func (l *tape) message(n int) *message.Message {
	r := &l.records[n]
	m := message.NewMessage("", r.value)
	m.Metadata.Set("content-type", wire.ContentTypeEvent)
	if r.stream == domain.Books {
		ends := map[domain.Partition]int64{}
		for s := domain.Orders; s < domain.Books; s++ {
			ends[domain.Partition{Stream: s}] = int64(n)
		}
		m.Metadata.Set(ledger.EndsHeader, ledger.FormatEnds(ends))
	}
	m.SetContext(context.WithValue(context.Background(), place{}, domain.Position{Stream: r.stream, Offset: int64(n),
		Time: r.at}))
	return m
}

func positionOf(m *message.Message) (domain.Position, bool) {
	p, ok := m.Context().Value(place{}).(domain.Position)
	return p, ok
}

// SubscribeTopics gives what is fed.
func (l *tape) SubscribeTopics(context.Context, ...string) (<-chan *message.Message, error) {
	return l.feed, nil
}

// End is the offset that the next record has.
func (l *tape) End(context.Context) (int64, error) { return int64(len(l.records)), nil }

// ReadTo gives the records of the books before end: to a projector that is new each time, all of them.
func (l *tape) ReadTo(_ context.Context, end int64, take func(post.BooksRecord) error) error {
	for n := range min(int(end), len(l.records)) {
		if l.records[n].stream != domain.Books {
			continue
		}
		m := l.message(n)
		if err := take(post.BooksRecord{Offset: int64(n), Time: l.records[n].at, Metadata: m.Metadata,
			Value: m.Payload}); err != nil {
			return err
		}
	}
	return nil
}

// Publish is told of dead letters.
func (l *tape) Publish(_ string, letters ...*message.Message) error {
	if len(letters) == 0 {
		return nil
	}
	return &notReadError{string(letters[0].Payload)}
}

// Close does nothing.
func (l *tape) Close() error { return nil }

// notReadError says that the books took something that was simulated for a dead letter.
type notReadError struct{ letter string }

func (e *notReadError) Error() string { return "what was simulated became a dead letter: " + e.letter }
