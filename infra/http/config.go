package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/infra/wire"
)

// EventsConfig is what taking events needs. Zero limits take their defaults.
type EventsConfig struct {
	// Publisher has to return from Publish only when the broker has acknowledged every message.
	Publisher message.Publisher
	// TopicPrefix stands before the stream's name. Default `makegood.`
	TopicPrefix string
	// PartitionKey is the metadata under which Publisher finds a message's key: the event's subject.
	PartitionKey string
	// Ends tells where the log stands, for events on books: see EndsHeader. It is called right before they are published.
	// Nil: they carry no such header.
	Ends func(ctx context.Context) (string, error)
	// Privacy says what of people is kept; it is applied before anything is published. Nil: all, as it came.
	Privacy *wire.Privacy
	// Logger takes what an operator should know of. Default: nothing.
	Logger *slog.Logger

	// MaxBody bounds the bytes of a request, as sent and as expanded. Default 8 MiB.
	MaxBody int64
	// MaxBatch bounds the events of a request. Default 10,000.
	MaxBatch int
	// MaxInFlight bounds the bytes of all requests that are being worked on. Default 64 MiB.
	MaxInFlight int64
	// BodyTimeout bounds how long a body may take to arrive. Default 30 s.
	BodyTimeout time.Duration
	// PublishTimeout bounds how long the broker may take. Default 30 s.
	PublishTimeout time.Duration
	// RetryAfter is what shed and unacknowledged requests are told. Default 1 s.
	RetryAfter time.Duration
}

// EndsHeader is the header of a message on books that says where the other topics' partitions ended just before it was
// written. It divides what came before a close from what came after, whatever any clock says.
const EndsHeader = "makegood_ends"

func (c EventsConfig) withDefaults() EventsConfig {
	setDefault(&c.TopicPrefix, "makegood.")
	setDefault(&c.MaxBody, 8<<20)
	setDefault(&c.MaxBatch, 10_000)
	setDefault(&c.MaxInFlight, defaultInFlight)
	setDefault(&c.BodyTimeout, 30*time.Second)
	setDefault(&c.PublishTimeout, 30*time.Second)
	setDefault(&c.RetryAfter, time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Validate says what is wrong with c, everything at once.
func (c EventsConfig) Validate() error {
	c = c.withDefaults()
	var errs []error
	if c.Publisher == nil {
		errs = append(errs, errors.New("a publisher is required"))
	}
	if c.PartitionKey == "" {
		errs = append(errs, errors.New("the name of the partition key's metadata is required"))
	}
	if c.MaxBody < wire.MaxEvent {
		errs = append(errs, fmt.Errorf("a body of at most %d bytes has no room for an event of %d", c.MaxBody, wire.MaxEvent))
	}
	if c.MaxBatch < 1 {
		errs = append(errs, fmt.Errorf("a batch of at most %d events is none", c.MaxBatch))
	}
	if least := inFlightFor(c.MaxBody, c.MaxBatch); c.MaxInFlight < least {
		errs = append(errs, fmt.Errorf("%d bytes in flight are too few for one full body: that takes %d", c.MaxInFlight,
			least))
	}
	for name, d := range map[string]time.Duration{
		"body timeout": c.BodyTimeout, "publish timeout": c.PublishTimeout, "retry after": c.RetryAfter,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%s is below zero", name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return nil
}
