package bookstest

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// With says what a projector works with, where that isn't the same for all. Only Log must be there.
type With struct {
	Log      *Log
	Books    post.BooksLog     // what it reads the books stream from; Log where it is nil
	Writer   ledger.Writer     // of the ledger; the store's own where it is nil
	DB       driver.Conn       // the store's own where it is nil
	Letters  message.Publisher // where dead letters go; nowhere where it is nil
	Decode   ledger.Decode     // decode.Log() where it is nil
	MaxRows  int               // of a batch; 0 is post's own
	Linger   time.Duration     // how long a batch waits for more; 1 ms where it is 0
	Original func(context.Context, domain.Position) (*post.Original, error)
}

// NewProjector is a projector of the store's ledger. A writer that it makes is closed when the test ends.
func NewProjector(t testing.TB, store *clickhouse.Store, with With) *post.Projector {
	t.Helper()
	if with.Books == nil {
		with.Books = with.Log
	}
	if with.DB == nil {
		with.DB = store.DB
	}
	if with.Letters == nil {
		with.Letters = with.Log
	}
	if with.Decode == nil {
		with.Decode = decode.Log()
	}
	if with.Writer == nil {
		writer := store.Writer()
		t.Cleanup(func() {
			if err := writer.Close(); err != nil {
				t.Error(err)
			}
		})
		with.Writer = writer
	}
	topics := map[domain.Stream]string{}
	for s := domain.Orders; s <= domain.Books; s++ {
		topics[s] = s.String()
	}
	p, err := post.New(post.Config{
		Topics: topics, Letters: "deadletters", Ledger: store.Reader(), Stored: decode.Stored, Now: time.Now,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), MaxRows: with.MaxRows,
		Linger: cmp.Or(with.Linger, time.Millisecond),
		Key:    func(*message.Message) string { return "" }, Position: PositionOf, Original: with.Original,
		CatchUp: store.CatchUp(),
	}, with.Log, with.Letters, with.Decode, post.NewTerms(with.Books, decode.Log(), decode.Stored, time.UTC),
		with.Writer, with.DB)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Feed gives messages to a projector that reads the log, waits until each is acknowledged, and ends it. The log's feed
// is replaced.
func Feed(t testing.TB, p *post.Projector, l *Log, messages []*message.Message) {
	t.Helper()
	l.Feed = make(chan *message.Message, len(messages))
	for _, m := range messages {
		l.Feed <- m
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, time.Minute) }()
	for _, m := range messages {
		select {
		case <-m.Acked():
		case err := <-ended:
			t.Fatalf("the projector ended: %v", err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// BookKnowing books records with a projector that knows the books stream before limit alone.
func BookKnowing(t testing.TB, store *clickhouse.Store, records, part []reference.Record, limit int64) {
	t.Helper()
	writer := store.Writer()
	defer func() {
		if err := writer.Close(); err != nil {
			t.Error(err)
		}
	}()
	l := &Log{Records: records}
	p := NewProjector(t, store, With{Log: l, Books: LateBooks{l, limit}, Writer: writer})
	messages := make([]*message.Message, len(part))
	for i, r := range part {
		messages[i] = l.Message(r)
	}
	Feed(t, p, l, messages)
	if _, err := p.SettleConflicts(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Book lets projectors meet the records: shuffled, some twice, in batches of random size, and stopped and started again
// at random points, when what wasn't acknowledged comes again.
func Book(t testing.TB, store *clickhouse.Store, records []reference.Record, random *rand.Rand) {
	t.Helper()
	order := slices.Clone(records)
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for len(order) > 0 {
		n := min(len(order), 1+random.IntN(len(records)))
		part := order[:n]
		order = order[n:]
		l := &Log{Records: records, Feed: make(chan *message.Message, n)}
		var messages []*message.Message
		for _, r := range part {
			m := l.Message(r)
			messages = append(messages, m)
			l.Feed <- m
		}
		ctx, stop := context.WithCancel(t.Context())
		p := NewProjector(t, store, With{Log: l, MaxRows: 1 + random.IntN(len(records))})
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx, time.Minute) }()
		if random.IntN(3) == 0 {
			// Another process begins meanwhile, and looks at what arrived before it has read anything.
			if _, err := NewProjector(t, store, With{Log: &Log{Records: records}}).SettleConflicts(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if random.IntN(3) == 0 && len(order) > 0 {
			// Stop at any moment: what isn't acknowledged comes again.
			time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
			stop()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			for i, m := range messages {
				select {
				case <-m.Acked():
				default:
					order = append(order, part[i])
				}
			}
			continue
		}
		for _, m := range messages {
			select {
			case <-m.Acked():
			case err := <-ended:
				t.Fatalf("the projector ended: %v", err)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	l := &Log{Records: records}
	if _, err := NewProjector(t, store, With{Log: l}).SettleConflicts(t.Context()); err != nil {
		t.Fatal(err)
	}
}
