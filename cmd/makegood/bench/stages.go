package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/ledger"
)

// stages has one goroutine do more and more of what the projector does with the same backlog: what each step adds.
func (b *bench) stages(ctx context.Context) error {
	b.say("\nstages, one worker, each with those before it:")
	var last float64
	for depth, name := range []string{"fetch", "decode", "post", "columns", "insert"} {
		seconds, spent, err := b.stage(ctx, depth)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		events := float64(b.Events)
		b.say("  + %-8s %9s/s  %+6.2f µs an event  (CPU %.2f µs, %.2f allocations)", name, terminal.Count(events/seconds),
			(seconds-last)/events*1e6, spent.cpu.Seconds()/events*1e6, float64(spent.allocations)/events)
		last = seconds
	}
	return nil
}

func (b *bench) stage(ctx context.Context, depth int) (seconds float64, _ usage, err error) {
	const decoded, post, columns, insert = 1, 2, 3, 4
	a, err := b.app(ctx, server.RoleExporter)
	if err != nil {
		return 0, usage{}, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	subscriber, err := a.Subscriber()
	if err != nil {
		return 0, usage{}, err
	}
	defer func() { err = errors.Join(err, subscriber.Close()) }()
	writer := a.Store.Writer()
	defer func() { err = errors.Join(err, writer.Close()) }()
	batch, read := writer.Batch(), decode.Log()
	position := server.Positions(map[domain.Stream]string{domain.Orders: a.Config.Topic(domain.Orders)})
	var entry domain.Entry
	const most = 50_000

	before := measure()
	start := time.Now()
	in, err := subscriber.Subscribe(ctx, a.Config.Topic(domain.Orders))
	if err != nil {
		return 0, usage{}, err
	}
	for n := 1; n <= b.Events; n++ {
		m := <-in
		if depth >= decoded {
			e, err := read(m.Metadata, m.Payload)
			if err != nil {
				return 0, usage{}, err
			}
			if depth >= post {
				at, _ := position(m)
				row := ledger.Row{Event: &e.Event, Content: e.Content, Data: e.Data, Extensions: e.Extensions, Position: at}
				a.Terms.Use(func(t *domain.Terms) {
					row.Place(t.Periods)
					if domain.Alone(&e.Event) { // the others are settled later
						err = domain.Post(&e.Event, t.Rates, t.PricedFrom(at), &entry)
					}
				})
				if err != nil {
					return 0, usage{}, err
				}
				row.Lines, row.Unpriced = entry.Lines, entry.Unpriced
				if depth >= columns {
					batch.Append(&row)
				}
			}
		}
		m.Ack()
		if batch.Rows() == most || n == b.Events {
			if depth >= insert {
				if err := batch.Insert(ctx); err != nil {
					return 0, usage{}, err
				}
			}
			batch.Reset()
		}
	}
	return time.Since(start).Seconds(), before.until(), nil
}
