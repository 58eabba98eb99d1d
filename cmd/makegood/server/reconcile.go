package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/wire/decode"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// Reconcile holds the books against the log, as far as it is booked, and against themselves.
func (b Books) Reconcile(ctx context.Context, asOf report.AsOf,
	payouts gateway.Payouts) (*audit.Reconciliation, error) {
	if err := b.Terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	with := audit.Against{AsOf: asOf, Now: b.Now()}
	b.Terms.Use(func(t *domain.Terms) {
		with.Zone = t.Periods.Zone()
		for _, p := range t.Periods.Closed() {
			mark, _ := t.Periods.LastClose(p)
			with.Closed = append(with.Closed, report.Close{Period: p, Mark: mark})
		}
	})
	var done func()
	var err error
	if with.Partitions, done, err = b.logPartitions(ctx); err != nil {
		return nil, err
	}
	defer done()
	if ctx, err = b.settled(ctx, &with.AsOf, ""); err != nil {
		return nil, err
	}
	r, err := audit.Reconcile(ctx, b.Store.Reports, decode.Log(), with)
	if err != nil {
		return nil, err
	}
	if len(payouts.Lines) > 0 {
		err = r.ComparePayouts(ctx, b.Store.Reports, payouts.Lines, payouts.Currency, payouts.Lag)
	}
	return r, err
}

// logPartitions are all partitions of the four streams, each to be read from its beginning.
func (a *App) logPartitions(ctx context.Context) (_ []audit.LogPartition, done func(), err error) {
	topics := a.Config.topics()
	starts, err := a.Admin.Starts(ctx, topics...)
	if err != nil {
		return nil, nil, fmt.Errorf("ask where the topics begin: %w", err)
	}
	committed, err := a.booked(ctx)
	if err != nil {
		return nil, nil, err
	}
	ends, err := a.Admin.Ends(ctx, topics...)
	if err != nil {
		return nil, nil, fmt.Errorf("ask where the topics end: %w", err)
	}
	streams := map[string]domain.Stream{}
	for s := domain.Orders; s <= domain.Books; s++ {
		streams[a.Config.Topic(s)] = s
	}
	var all []audit.LogPartition
	var tails []*kafka.Tail
	done = func() {
		for _, t := range tails {
			if err := t.Close(); err != nil {
				a.logger.Warn("a reader of the log did not close", "error", err)
			}
		}
	}
	for p, end := range ends {
		tail, err := kafka.NewTail(kafka.TailConfig{Config: a.kafkaConfig(), Topic: p.Topic, Partition: p.Partition,
			From: starts[p]})
		if err != nil {
			done()
			return nil, nil, err
		}
		tails = append(tails, tail)
		all = append(all, audit.LogPartition{Topic: p.Topic, Stream: streams[p.Topic], Partition: int32(p.Partition),
			Start:  starts[p],
			Booked: max(committed[p], starts[p]), End: end, Read: func(ctx context.Context, end int64,
				take func(audit.LogRecord) error) error {
				return tail.ReadTo(ctx, end, func(r kafka.Record) error {
					headers := message.Metadata{}
					for _, h := range r.Headers {
						headers[h.Key] = string(h.Value)
					}
					return take(audit.LogRecord{Offset: r.Offset, Time: r.Time, Key: string(r.Key), Headers: headers, Value: r.Value})
				})
			}})
	}
	slices.SortFunc(all, func(a, b audit.LogPartition) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Partition, b.Partition))
	})
	return all, done, nil
}
