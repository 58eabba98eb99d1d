package post

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
)

// Subscriber hands over the records of several topics as watermill messages, through one channel: one member of the
// consumer group for all of them. In every partition the records come in order.
type Subscriber interface {
	SubscribeTopics(ctx context.Context, topics ...string) (<-chan *message.Message, error)
}

// Config says how a projector works. Zero values take the defaults.
type Config struct {
	Topics   map[domain.Stream]string // the topic of each stream
	Letters  string                   // the topic of dead letters
	Position func(*message.Message) (domain.Position, bool)
	Key      func(*message.Message) string
	// Original reads a record of the log back by its place; nil where the log has it no more. Without the function nothing
	// is read back.
	Original func(context.Context, domain.Position) (*Original, error)
	// Hide takes out of a record what of people may not be kept, before it becomes a dead letter. Nil: nothing.
	Hide func(*Original)
	// HideRow hides people in a row that was written before that was done, and reports whether it changed anything. Nil:
	// no row is looked at.
	HideRow func(*ledger.Row) bool
	// SameButHidden reports whether two rows of one identity say the same, but for people and for what isn't kept, which
	// may have been hidden in another way when each came. Nil: never.
	SameButHidden func(a, b *ledger.Stored) bool
	// Log is the log for the checks in the background. Without it nothing is compared with it, and each check for
	// conflicts looks at all that there is.
	Log Log
	// CatchUp waits until the store that is asked has what was written before, also by others at other servers, into some
	// tables, or into any. Nil: it always has.
	CatchUp func(ctx context.Context, tables ...string) error
	// Ledger reads the ledger back, and Stored makes readers of what it keeps: for rebuilds.
	Ledger ledger.Reader
	Stored func() ledger.DecodeStored
	Now    func() time.Time
	Logger *slog.Logger

	MaxRows int           // rows an insert: default 50,000
	Linger  time.Duration // how long the first row of a batch waits for others: default 20 ms

	// Landed is told of every batch that has landed, after its records are acknowledged. Nil: nobody is.
	Landed func(Landing)
}

// Landing is what it took to land a batch.
type Landing struct {
	Records                      int // rows and dead letters
	Took, Insert, Settle, RollUp time.Duration
	DeadLetters                  map[string]int // by reason; nil where there are none
}

// Projector reads the streams, posts each event, and keeps ledger and roll-ups. A record is acknowledged only when its
// row is in the ledger and visible in every report, so what the consumer group has committed is what is booked:
// insert, settle the units, recompute the roll-ups, then acknowledge. A crash anywhere repeats work that changes
// nothing.
type Projector struct {
	config     Config
	subscriber Subscriber
	letters    message.Publisher
	decode     ledger.Decode
	terms      *Terms
	writer     ledger.Writer
	db         driver.Conn
	placed     *placements
	recent     *recent
	stats      Stats

	posting sync.Mutex // of what posting uses: the decoder and what was placed lately
	store   storeWatch
	swapped atomic.Bool // a rebuild was swapped in since people were erased last
	// Events of people who were erased since, that this process has posted and not yet landed, and where they stand.
	erasedEvents map[erasedEvent]domain.Position
}

// Stats are what a projector has done since it started, for metrics.
type Stats struct {
	Booked, DeadLetters, Unpriced, Batches, Retries atomic.Int64
	ReadAgain                                       atomic.Int64 // records that the store had lost
	LastInsertNanos, LastRollUpNanos, LastRows      atomic.Int64
	Skipped                                         atomic.Int64 // units that ClickHouse refused to settle or to sum up
	waits                                           waits
}

// New joins the parts.
func New(config Config, subscriber Subscriber, letters message.Publisher, decode ledger.Decode, terms *Terms,
	writer ledger.Writer, db driver.Conn) (*Projector, error) {
	if config.MaxRows == 0 {
		config.MaxRows = 50_000
	}
	if config.Linger == 0 {
		config.Linger = 20 * time.Millisecond
	}
	if len(config.Topics) != 4 || config.Position == nil || config.Now == nil || config.Logger == nil ||
		config.Key == nil || config.Letters == "" ||
		config.Ledger == nil || config.Stored == nil {
		return nil, errors.New("a projector wants the four topics, the dead letters' topic, positions, keys, " +
			"a reader of the ledger, a clock and a logger")
	}
	return &Projector{config: config, subscriber: subscriber, letters: letters, decode: decode, terms: terms,
		writer: writer, db: db,
		placed: newPlacements(), recent: newRecent(), erasedEvents: map[erasedEvent]domain.Position{},
		store: storeWatch{blocks: map[block]uint64{}, months: map[string]uint64{}}}, nil
}

// Stats are live.
func (p *Projector) Stats() *Stats { return &p.stats }

// batch is what one insert lands.
type batch struct {
	rows     ledger.Batch
	messages []*message.Message
	letters  []deadletter.Letter
	units    ledger.Units      // to be settled
	placed   []uint64          // orders that it places, by hash
	decided  []domain.Identity // what persons decided, and what takes that back
	after    *followUp         // what settling them leaves to do
	terms    int64             // the oldest that a row of it was posted with
	books    []int64           // offsets of the records of the books stream in it
	again    bool              // it was booked before, so that what is said of it may be there already
	erased   []erasedEvent     // of people who were erased since
	plain    bool              // its rows are inserted as they are posted, and settled afterwards
	ahead    ahead             // what of it is settled before
}

func (b *batch) hasBooks(offset int64) bool { return slices.Contains(b.books, offset) }

func (p *Projector) newBatch() *batch {
	return &batch{rows: p.writer.Batch(), units: ledger.NewUnits(), after: newFollowUp()}
}

func (b *batch) reset() {
	b.rows.Reset()
	clear(b.messages)
	b.messages = b.messages[:0]
	b.letters = b.letters[:0]
	b.units.Clear()
	b.placed, b.decided = b.placed[:0], b.decided[:0]
	b.after.clear()
	b.books = b.books[:0]
	b.erased = b.erased[:0]
	b.ahead.clear()
}

// Run works until ctx ends; what it has taken in by then it lands, within grace.
func (p *Projector) Run(ctx context.Context, grace time.Duration) error {
	topics := make([]string, 0, len(p.config.Topics))
	for s := domain.Orders; s <= domain.Books; s++ {
		topics = append(topics, p.config.Topics[s])
	}
	in, err := p.subscriber.SubscribeTopics(ctx, topics...)
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", strings.Join(topics, ", "), err)
	}
	// Landing outlives ctx by grace.
	landing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(grace, stop) })

	full, empty := make(chan *batch), make(chan *batch, 2)
	empty <- p.newBatch()
	empty <- p.newBatch()
	landed := make(chan error, 1)
	go func() {
		var err error
		for b := range full {
			if err == nil {
				err = p.land(landing, b)
			}
			b.reset()
			empty <- b
		}
		landed <- err
	}()
	err = p.gather(ctx, landing, in, full, empty)
	close(full)
	if lerr := <-landed; err == nil {
		err = lerr
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// gather takes messages in, posts them, and hands over a batch when it is full, or when its first message has waited
// and the batch before it has landed: so batches grow under load and stay small without. A full batch that can't be
// handed over stops the intake, and the subscriber's bound on what is in flight does the rest.
func (p *Projector) gather(ctx, landing context.Context, messages <-chan *message.Message, full chan<- *batch,
	empty <-chan *batch) error {
	b := <-empty
	chunk := make([]*message.Message, 0, 4096)
	linger := time.NewTimer(time.Hour)
	defer linger.Stop()
	ripe := false
	for {
		var out chan<- *batch
		in := messages
		if len(b.messages) >= p.config.MaxRows {
			out, in = full, nil
		} else if ripe {
			out = full
		}
		var first *message.Message
		open := true
		select {
		case out <- b:
			b, ripe = <-empty, false
			continue
		case <-ctx.Done():
			return p.last(landing, b, full)
		case <-linger.C:
			ripe = len(b.messages) > 0
			continue
		case first, open = <-in:
		}
		if !open {
			return p.last(landing, b, full)
		}
		if len(b.messages) == 0 {
			linger.Reset(p.config.Linger)
		}
		chunk = drain(append(chunk[:0], first), messages, p.config.MaxRows-len(b.messages))
		if err := p.post(ctx, chunk, b); err != nil {
			return err
		}
	}
}

// last lands what was taken in when the projector stops.
func (p *Projector) last(landing context.Context, b *batch, full chan<- *batch) error {
	if len(b.messages) == 0 {
		return nil
	}
	select {
	case full <- b:
	case <-landing.Done():
	}
	return nil
}

// drain takes what is there already, without waiting.
func drain(chunk []*message.Message, messages <-chan *message.Message, most int) []*message.Message {
	for most = min(most, cap(chunk)); len(chunk) < most; {
		select {
		case m, open := <-messages:
			if !open {
				return chunk // the next wait sees it too
			}
			chunk = append(chunk, m)
		default:
			return chunk
		}
	}
	return chunk
}

// post decodes and posts messages into the batch, after all of the books stream that is there by now is read.
func (p *Projector) post(ctx context.Context, chunk []*message.Message, b *batch) error {
	if err := p.retryWhole(ctx, "read the books stream", p.place(chunk), p.terms.CatchUp); err != nil {
		return err
	}
	firsts, err := p.firstTimes(ctx, chunk)
	if err != nil {
		return err
	}
	aside, err := p.postAll(chunk, b, firsts, nil)
	if err != nil || len(aside) == 0 {
		return err
	}
	messages, places, err := p.placesOfCopied(ctx, aside)
	if err != nil {
		return err
	}
	_, err = p.postAll(messages, b, firsts, places)
	return err
}

// postAll posts messages into the batch. places are where the first copies stand of those that name somebody who was
// erased since; without it, it gives those messages back instead.
func (p *Projector) postAll(messages []*message.Message, b *batch, firsts map[*message.Message]time.Time,
	places map[*message.Message]domain.Position) (aside []copied, failed error) {
	p.posting.Lock()
	defer p.posting.Unlock()
	p.terms.Use(func(terms *domain.Terms) {
		erased := p.terms.erased
		var row ledger.Row
		var poster Poster
		for _, m := range messages {
			b.messages = append(b.messages, m)
			if rejection := p.postOne(m, terms, &row, &poster); rejection != nil {
				b.letters = append(b.letters, p.letter(m, rejection, erased))
				continue
			}
			first, copied := places[m]
			if copied {
				erased.apply(&row, first)
			} else if before, after := erased.meet(&row); after && places == nil {
				b.messages = b.messages[:len(b.messages)-1]
				aside = append(aside, copyOf(m, row.Event))
				continue
			} else if before {
				event := copyOf(m, row.Event).event
				p.erasedEvents[event], b.erased = row.Position, append(b.erased, event)
				erased.apply(&row, row.Position)
			}
			if failed = p.add(b, m, &row, terms, firsts, copied); failed != nil {
				return
			}
			if len(row.Unpriced) > 0 {
				p.stats.Unpriced.Add(1)
			}
		}
	})
	return aside, failed
}

// add adds a row to the batch, or to those that are settled before. A copy is settled by what is there.
func (p *Projector) add(b *batch, m *message.Message, row *ledger.Row, terms *domain.Terms,
	firsts map[*message.Message]time.Time, copied bool) error {
	first, again := firsts[m]
	if again {
		row.RecordedAt = terms.Periods.RecordedSince(first, row.Position)
	}
	if err := row.Check(); err != nil {
		return err // a bug of ours: stop rather than book what doesn't balance
	}
	if b.rows.Rows() == 0 && len(b.ahead.held) == 0 {
		b.terms = row.Terms
	}
	if !again && !copied && !b.again && !b.plain && settledAhead(row) {
		b.ahead.hold(row)
		return nil
	}
	b.rows.Append(row)
	if row.Position.Stream == domain.Books {
		b.books = append(b.books, row.Position.Offset)
	}
	if copied {
		b.units.Add(row.Event)
		return nil
	}
	p.mark(b, row.Event)
	return nil
}

func (p *Projector) postOne(m *message.Message, terms *domain.Terms, row *ledger.Row,
	poster *Poster) *ledger.Rejection {
	position, ok := p.config.Position(m)
	if !ok {
		return &ledger.Rejection{Code: "no_position", Detail: "the record came without its place in the log"}
	}
	if position.Stream == domain.Books && position.Partition != 0 {
		return &ledger.Rejection{Code: "wrong_partition",
			Detail: fmt.Sprintf("the order of what %s says matters, so only its "+
				"partition 0 is read; send it again", p.config.Topics[domain.Books])}
	}
	decoded, err := p.decode(m.Metadata, m.Payload)
	if err != nil {
		var r *ledger.Rejection
		if errors.As(err, &r) {
			return r
		}
		return &ledger.Rejection{Code: "unreadable", Detail: err.Error()}
	}
	e := &decoded.Event
	if s := e.Stream(); s != position.Stream {
		return &ledger.Rejection{Code: "wrong_topic", Pointer: "/type", Source: strings.Clone(e.Source),
			EventID: strings.Clone(e.ID),
			Detail:  fmt.Sprintf("%s belongs on %s", e.Type, p.config.Topics[s])}
	}
	*row = ledger.Row{Event: e, Content: decoded.Content, Data: decoded.Data, Extensions: decoded.Extensions,
		Position: position,
		Terms:    terms.Read, Token: ledger.TokenOf(m.Metadata), Customer: decoded.Customer}
	row.Complete(m.Metadata)
	if err := poster.post(row, e, terms); err != nil {
		return &ledger.Rejection{Code: "out_of_range", Pointer: "/data", Source: strings.Clone(e.Source),
			EventID: strings.Clone(e.ID), Detail: err.Error()}
	}
	return nil
}

// mark notes, under the terms, what the event asks to be settled: its unit, where it doesn't post alone, or where
// another event placed the order that it places.
func (p *Projector) mark(b *batch, e *domain.Event) {
	if ledger.Decision(e) != nil {
		b.decided = append(b.decided, domain.Identity{Source: strings.Clone(e.Source), ID: strings.Clone(e.ID)})
	}
	// which is rare, and has no order by which to find it again
	if b.again || !domain.Alone(e) || e.Type == domain.TypeQualitySpent {
		b.units.Add(e)
		return
	}
	if len(p.terms.decisions) > 0 && len(p.terms.decisions[domain.Identity{Source: e.Source, ID: e.ID}]) > 0 {
		b.units.Add(e) // decided on before it came
	}
	if e.OrderID != "" {
		b.ahead.alone = append(b.ahead.alone, aloneOf{p.placed.hash(e.OrderID), len(b.messages) - 1})
	}
	if e.Type == domain.TypeOrderPlaced {
		order := p.placed.hash(e.OrderID)
		b.placed = append(b.placed, order)
		if p.placed.again(order, e.Source, e.ID) {
			b.units.Add(e)
		}
	} else if e.OrderID != "" {
		b.placed = append(b.placed, p.placed.hash(original(e.OrderID, e.Source, e.ID)))
	}
}

func (p *Projector) letter(m *message.Message, r *ledger.Rejection, erased erasures) deadletter.Letter {
	position, _ := p.config.Position(m)
	now := p.config.Now().UTC()
	d := deadletter.Letter{
		Topic: p.config.Topics[position.Stream], Partition: position.Partition, Offset: position.Offset,
		Reason: r.Code, Detail: r.Detail, Pointer: deadletter.ShortPointer(r.Pointer),
		Source: r.Source, EventID: r.EventID, FirstSeen: now, LastSeen: now, Key: p.config.Key(m), Payload: m.Payload,
		Headers: map[string]string{},
	}
	for k, v := range m.Metadata {
		if k != ledger.FirstHeader { // it is ours, not its sender's
			d.Headers[k] = v
		}
	}
	p.identify(&d, position, erased)
	return d
}

// identify gives a dead letter its id, by the record as the log holds it at a place. Then it hides in it what of people
// may not be kept, and who was erased since.
func (p *Projector) identify(d *deadletter.Letter, at domain.Position, erased erasures) {
	d.Identify()
	if p.config.Hide != nil {
		o := Original{Key: d.Key, Headers: d.Headers, Payload: d.Payload}
		p.config.Hide(&o)
		d.Headers, d.Payload = o.Headers, o.Payload
	}
	if len(erased) == 0 {
		return
	}
	of := func(hash string) string { return erased.of(hash, at) }
	d.Payload = replaceHashes(d.Payload, of)
	for name, value := range d.Headers {
		d.Headers[name] = of(value)
	}
}
