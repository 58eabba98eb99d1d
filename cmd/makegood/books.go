package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/report"
)

// books answers the gateway's questions.
type books struct{ *App }

var _ gateway.Books = books{}

func (b books) Leakage(ctx context.Context, q report.LeakageQuery) (*report.Leakage, error) {
	if q.TranslateTo == "" {
		return report.ReadLeakage(ctx, b.store.DB, q, b.now())
	}
	if err := b.terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	var rates *domain.Exchange
	b.terms.Use(func(t *domain.Terms) { rates = q.AsOf.Exchange(t, q.TranslateTo) })
	return report.ReadTranslated(ctx, b.store.DB, q, rates, b.now())
}

func (b books) Order(ctx context.Context, id string, asOf report.AsOf) (*report.Story, error) {
	return report.ReadOrder(ctx, b.store.DB, id, asOf)
}

func (b books) Case(ctx context.Context, id string, asOf report.AsOf) (*report.Story, error) {
	return report.ReadCase(ctx, b.store.DB, id, asOf)
}

func (b books) Unpriced(ctx context.Context, limit int) ([]report.UnpricedEvent, error) {
	return report.ListUnpriced(ctx, b.store.DB, limit)
}

func (b books) DeadLetters(ctx context.Context, limit int) ([]deadletter.Letter, error) {
	return deadletter.List(ctx, b.store.DB, limit)
}

func (b books) DeadLetter(ctx context.Context, id string) (*deadletter.Letter, error) {
	return deadletter.Read(ctx, b.store.DB, id)
}

// Status compares where the log ends with what the projectors have committed, which is what is booked and visible. The
// ends are read first: what is acknowledged after them isn't this answer's.
func (b books) Status(ctx context.Context) (*gateway.Status, error) {
	topics := b.config.topics()
	ends, err := b.admin.Ends(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("ask where the topics end: %w", err)
	}
	committed, err := b.admin.Committed(ctx, b.config.Group, topics...)
	if err != nil {
		return nil, fmt.Errorf("ask what is booked: %w", err)
	}
	s := &gateway.Status{CaughtUp: true, Topics: []gateway.TopicProgress{}}
	for p, end := range ends {
		booked := max(committed[p], 0) // nothing was ever committed: below zero
		s.Topics = append(s.Topics, gateway.TopicProgress{Topic: p.Topic, Partition: p.Partition, End: end, Booked: booked})
		s.CaughtUp = s.CaughtUp && booked >= end
	}
	slices.SortFunc(s.Topics, func(a, b gateway.TopicProgress) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	counts, err := b.counter.Count(ctx)
	if err != nil {
		return nil, err
	}
	s.Events, s.DeadLetters, s.Unpriced, s.Conflicts = counts.Events, counts.DeadLetters, counts.Unpriced, counts.Conflicts
	return s, nil
}

// Closes are a period's closes as the log has them, the first at first.
func (b books) Closes(ctx context.Context, period domain.Period) (all []domain.Closing, err error) {
	if err := b.terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	b.terms.Use(func(t *domain.Terms) { all = t.Periods.Closes(period) })
	return all, nil
}

// ends are where the streams other than books end now, as a books record carries them.
func (a *App) ends(ctx context.Context) (string, error) {
	var topics []string
	streams := map[string]domain.Stream{}
	for s := domain.Orders; s < domain.Books; s++ {
		topics = append(topics, a.config.topic(s))
		streams[a.config.topic(s)] = s
	}
	ends, err := a.admin.Ends(ctx, topics...)
	if err != nil {
		return "", fmt.Errorf("ask where the topics end: %w", err)
	}
	marks := map[domain.Partition]int64{}
	for p, end := range ends {
		marks[domain.Partition{Stream: streams[p.Topic], Number: int32(p.Partition)}] = end
	}
	return ledger.FormatEnds(marks), nil
}

// ready says why this process can't do its work.
func (a *App) ready(ctx context.Context) error {
	if err := a.admin.Ping(ctx); err != nil {
		a.logger.Warn("not ready", "error", err)
		return errors.New("kafka does not answer")
	}
	if err := a.store.DB.Ping(ctx); err != nil {
		a.logger.Warn("not ready", "error", err)
		return errors.New("clickhouse does not answer")
	}
	if a.projector != nil && a.projector.Stats().Waiting.Load() {
		return errors.New("the projector waits for kafka or clickhouse")
	}
	return nil
}
