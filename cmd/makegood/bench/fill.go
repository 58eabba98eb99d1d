package bench

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/wire"
)

// benchEvents makes order events of two lines and some 420 bytes, one after the other: 40 tills in 20 stores, a second
// of business for every twenty of them.
type benchEvents struct {
	run   string // of the ids
	n     int
	event domain.Event
	order domain.OrderPlaced
}

var benchStart = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

func (g *benchEvents) next() *domain.Event {
	i := g.n
	g.n++
	const one = domain.Decimal(1_000_000)
	price := domain.Decimal(1_000+i*7919%90_000) * one / 100
	store := i % 20
	g.order = domain.OrderPlaced{Lines: append(g.order.Lines[:0],
		domain.OrderLine{LineID: "1", SKU: "P" + strconv.Itoa(10_000+i%5000), Quantity: 2 * one, UnitPrice: price,
			Tax: price * 16 / 100 / 100 * 100, UnitCost: domain.Some(price * 6 / 10)},
		domain.OrderLine{LineID: "2", SKU: "P" + strconv.Itoa(10_000+i*31%5000), Quantity: one,
			UnitPrice: price / 2 / 100 * 100, UnitCost: domain.Some(price / 4)},
	), PaymentFee: 3 * one / 10}
	g.event = domain.Event{
		Source: "//till/s" + strconv.Itoa(store) + "/" + strconv.Itoa(i/20%2), ID: g.run + strconv.Itoa(i),
		Type: domain.TypeOrderPlaced,
		Time: benchStart.Add(time.Duration(i) * 50 * time.Millisecond), OrderID: "o" + g.run + strconv.Itoa(i),
		StoreID: "s" + strconv.Itoa(store), Currency: "USD", Data: &g.order,
	}
	return &g.event
}

func benchMessage(e *domain.Event) *message.Message {
	m := message.NewMessage("", wire.AppendEvent(nil, e))
	m.Metadata.Set("content-type", wire.ContentTypeEvent)
	m.Metadata.Set(kafka.PartitionKey, e.Subject())
	return m
}

// fill makes the topics and writes orders, of which nothing else is said.
func (b *bench) fill(ctx context.Context, events int) error {
	orders := &benchEvents{run: "a"}
	return b.fillFrom(ctx, events, func() (*domain.Event, error) { return orders.next(), nil })
}

// fillFrom makes the topics and writes so many of the events that come next.
func (b *bench) fillFrom(ctx context.Context, events int, next func() (*domain.Event, error)) error {
	a, err := b.app(ctx, server.RoleExporter) // makes the topics
	if err != nil {
		return err
	}
	if err := a.Close(); err != nil {
		return err
	}
	start := time.Now()
	bytes, err := b.send(ctx, next, events)
	if err != nil {
		return err
	}
	b.say("filled: %s events of %d bytes, orders with 2 lines each, 4 partitions, %s/s", terminal.Count(float64(events)),
		bytes/events, terminal.Count(float64(events)/time.Since(start).Seconds()))
	return nil
}

// write publishes events as makegood's own publisher does. each, if given, may put another event in the place of one.
func (b *bench) write(ctx context.Context, g *benchEvents, events int,
	each func(i int, e *domain.Event) *domain.Event) (bytes int, err error) {
	i := 0
	next := func() (*domain.Event, error) {
		e := g.next()
		if each != nil {
			e = each(i, e)
		}
		i++
		return e, nil
	}
	return b.send(ctx, next, events)
}

// send publishes so many of the events that come next. What comes together is written together, whatever its stream: no
// stream is ahead of another by more than some events.
func (b *bench) send(ctx context.Context, next func() (*domain.Event, error), events int) (bytes int, err error) {
	publisher, err := kafka.NewPublisher(kafka.PublisherConfig{Config: b.kafkaConfig()})
	if err != nil {
		return 0, err
	}
	defer publisher.Close()
	const batch = 2000
	var waiting [domain.Books + 1][]*message.Message // by stream
	for i := range events {
		if err := ctx.Err(); err != nil {
			return bytes, fmt.Errorf("fill the topics: %w", err)
		}
		e, err := next()
		if err != nil {
			return bytes, err
		}
		m, stream := benchMessage(e), e.Stream()
		bytes += len(m.Payload)
		waiting[stream] = append(waiting[stream], m)
		if (i+1)%batch > 0 && i < events-1 {
			continue
		}
		for s := domain.Orders; s <= domain.Books; s++ {
			if len(waiting[s]) == 0 {
				continue
			}
			if err := publisher.Publish(b.prefix+s.String(), waiting[s]...); err != nil {
				return bytes, fmt.Errorf("fill the topics: %w", err)
			}
			waiting[s] = waiting[s][:0]
		}
	}
	return bytes, nil
}

// inDatabase is the address of a server, with another database.
func inDatabase(dsn, name string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", fmt.Errorf("read the address of ClickHouse: it is not of the form " +
			"clickhouse://user:password@host:port/database")
	}
	u.Path = "/" + name
	return u.String(), nil
}
