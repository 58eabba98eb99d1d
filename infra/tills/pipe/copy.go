package pipe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// CopyConfig is what Copy needs.
type CopyConfig struct {
	Tills *Tills
	// Topic is where bodies are kept.
	Topic string
	// To publishes; it returns only when what it got is durable.
	To message.Publisher
	// From reads topics, as a member of a group that is makegood's own.
	From func() (message.Subscriber, error)
	// Refuse keeps what can't be kept as a body. It returns nil only when it is durable.
	Refuse func(ctx context.Context, m *message.Message, till string, why Refusal) error
	// Key is the key of a record, as text.
	Key    func(*message.Message) string
	Now    func() time.Time
	Logger *slog.Logger
}

// Copy keeps what comes on the topics of tills as bodies, until ctx ends. So their owners may delete it, and a dead
// letter is replayed from a topic of ours. A topic that the tills file names later is read from then on.
func Copy(ctx context.Context, c CopyConfig) error {
	running := map[string]context.CancelFunc{}
	var copies sync.WaitGroup
	defer copies.Wait()
	failed := make(chan error, 1)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		wanted := map[string]string{}
		for _, t := range c.Tills.all() {
			if t.Topic != "" {
				wanted[t.Topic+" "+t.Name] = t.Name
			}
		}
		for what, stop := range running {
			if wanted[what] == "" {
				stop()
				delete(running, what)
			}
		}
		for what, till := range wanted {
			if running[what] != nil {
				continue
			}
			copying, stop := context.WithCancel(ctx)
			running[what] = stop
			topic, _, _ := strings.Cut(what, " ")
			copies.Go(func() {
				if err := c.copy(copying, topic, till); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-tick.C:
		}
	}
}

// copy reads one topic.
func (c *CopyConfig) copy(ctx context.Context, topic, till string) error {
	from, err := c.From()
	if err != nil {
		return fmt.Errorf("read topic %s: %w", topic, err)
	}
	router, err := newRouter(c.Logger)
	if err != nil {
		return errors.Join(err, from.Close())
	}
	router.AddHandler("copy "+topic, topic, from, c.Topic, c.To, func(m *message.Message) ([]*message.Message, error) {
		return c.record(till, m)
	})
	if err := router.Run(ctx); err != nil {
		return fmt.Errorf("read topic %s: %w", topic, err)
	}
	return nil
}

// record makes a body of a record of somebody else's. One without a value says that something was deleted from the
// topic, and nothing of the business.
func (c *CopyConfig) record(till string, m *message.Message) ([]*message.Message, error) {
	if len(m.Payload) == 0 {
		return nil, nil
	}
	l := c.Tills.find(till)
	if l == nil {
		return nil, ErrUnknown // it comes again when the till is configured again
	}
	b := &Body{Till: till, Kind: l.Kind, Header: map[string]string{}, Content: m.Payload, Received: c.Now().UTC()}
	size := 0
	for name, value := range m.Metadata {
		if size += len(name) + len(value); size <= maxHeaders {
			b.Header[strings.ToLower(name)] = value
		}
	}
	if key := c.Key(m); key != "" && len(key) <= maxHeaders {
		b.Header["key"] = key
	}
	record, err := b.Record()
	if errors.Is(err, ErrTooLarge) {
		l.counts.Refused.Add(1)
		return nil, c.Refuse(m.Context(), m, till, Refusal{Code: CodeTooLarge, Reason: err.Error()})
	}
	if err != nil {
		return nil, err
	}
	record.SetContext(m.Context())
	l.counts.received(b.Received)
	return []*message.Message{record}, nil
}
