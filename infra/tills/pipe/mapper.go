package pipe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
)

// MapperConfig is what a Mapper needs.
type MapperConfig struct {
	Tills *Tills
	// Topic holds the records.
	Topic string
	// Keep publishes a record of Topic. It returns nil only when it is durable.
	Keep func(ctx context.Context, m *message.Message) error
	// Send publishes events, all of them or none. It returns nil only when they are durable. Its error may be a *Refused:
	// they break the contract, or the log will never take them.
	Send func(ctx context.Context, till string, events [][]byte) error
	// Refuse keeps a record that no event can be made of. It returns nil only when it is durable.
	Refuse func(ctx context.Context, m *message.Message, till string, why Refusal) error
	// AtOnce bounds the bodies that are mapped at the same time. Default: half as many as there are processors, so that
	// those who wait for an answer don't wait for programs.
	AtOnce int
	Logger *slog.Logger
}

// Codes of refusals that the pipe itself has.
const (
	CodeNoBody      = "no_body"      // a record that is none of this topic
	CodeUnknownTill = "unknown_till" // the till is configured no more
	CodeTooLarge    = "body_too_large"
	CodePanic       = "mapping_broke_off"
)

// Mapper makes events of the bodies that are kept.
type Mapper struct {
	config MapperConfig
	turns  chan struct{}
	said   atomic.Int64 // when it was last said that something doesn't answer, Unix
}

// NewMapper makes one.
func NewMapper(c MapperConfig) *Mapper {
	if c.AtOnce == 0 {
		c.AtOnce = max(runtime.GOMAXPROCS(0)/2, 1)
	}
	return &Mapper{config: c, turns: make(chan struct{}, c.AtOnce)}
}

// Run maps what comes until ctx ends. What is in work then is finished, within a bound; the rest comes again.
func (m *Mapper) Run(ctx context.Context, from message.Subscriber) error {
	router, err := newRouter(m.config.Logger)
	if err != nil {
		return err
	}
	router.AddConsumerHandler("mapper", m.config.Topic, from, m.Handle)
	if err := router.Run(ctx); err != nil {
		return fmt.Errorf("the mapper's router: %w", err)
	}
	return nil
}

// closing bounds how long what is in work may take when a router is told to stop.
const closing = 10 * time.Second

func newRouter(logger *slog.Logger) (*message.Router, error) {
	// What it does by itself is of no use to who runs makegood, and what handlers answer they say themselves, once and
	// not a thousand times a second.
	adapter := watermill.NewSlogLoggerWithLevelMapping(logger, map[slog.Level]slog.Level{slog.LevelInfo: slog.LevelDebug,
		slog.LevelError: slog.LevelDebug})
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: closing}, adapter)
	if err != nil {
		return nil, fmt.Errorf("make a router: %w", err)
	}
	return router, nil
}

// Handle makes events of one record. An error says that the record must come again: something that it needs doesn't
// answer. What is wrong with the record itself is no error, since the record would be as wrong the next time.
func (m *Mapper) Handle(record *message.Message) error {
	err := m.handle(record)
	if now := time.Now().Unix(); err != nil && record.Context().Err() == nil {
		if last := m.said.Load(); now-last >= int64(sayEvery/time.Second) && m.said.CompareAndSwap(last, now) {
			m.config.Logger.Warn("a body can't be mapped now: it is tried again", "error", err)
		}
	}
	return err
}

// sayEvery is how often it is said that something doesn't answer.
const sayEvery = 10 * time.Second

func (m *Mapper) handle(record *message.Message) error {
	ctx := record.Context()
	body, err := ReadRecord(record)
	if err != nil {
		return m.refuse(ctx, record, "", nil, Refusal{Code: CodeNoBody, Reason: err.Error()})
	}
	till := m.config.Tills.find(body.Till)
	if till == nil {
		return m.refuse(ctx, record, body.Till, nil, Refusal{Code: CodeUnknownTill,
			Reason: "no till of that name is configured", Hint: "name it in the tills file, and replay this"})
	}
	var events [][]byte
	if err = m.fetch(ctx, till, body); err == nil {
		events, err = m.mapped(ctx, till, body)
	}
	if err == nil && len(events) > 0 {
		err = m.config.Send(ctx, body.Till, events)
	}
	if refused, is := errors.AsType[*Refused](err); is {
		return m.refuse(ctx, record, body.Till, till.counts, refused.first())
	}
	if err != nil {
		return fmt.Errorf("map a body of till %s: %w", body.Till, err)
	}
	till.counts.done(len(events))
	return nil
}

// mapped has the mapping work, in its turn: programs take processors, and more of them at once take memory alone.
func (m *Mapper) mapped(ctx context.Context, till *loaded, body *Body) ([][]byte, error) {
	select {
	case m.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-m.turns }()
	return mapSafely(ctx, till, body)
}

// mapSafely makes a panic of a mapping a refusal: a body that does that must not stop the pipe.
func mapSafely(ctx context.Context, till *loaded, body *Body) (events [][]byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Refused{[]Refusal{{Code: CodePanic, Reason: fmt.Sprintf("the mapping broke off: %v", p)}}}
		}
	}()
	return till.mapping.Map(ctx, body)
}

func (m *Mapper) refuse(ctx context.Context, record *message.Message, till string, counts *Counts, why Refusal) error {
	if err := m.config.Refuse(ctx, record, till, why); err != nil {
		return fmt.Errorf("keep a dead letter of till %q: %w", till, err)
	}
	if counts != nil {
		counts.Refused.Add(1)
	}
	return nil
}

// first is the refusal that a dead letter tells, and how many more there are.
func (r *Refused) first() Refusal {
	first := r.Refusals[0]
	if more := len(r.Refusals) - 1; more > 0 {
		first.Reason = fmt.Sprintf("%s, and %d more", first.Reason, more)
	}
	return first
}

func (c *Counts) done(events int) {
	c.Mapped.Add(1)
	c.Events.Add(int64(events))
	if events == 0 {
		c.Nothing.Add(1)
	}
}
