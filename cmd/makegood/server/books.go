package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
)

// Books answers the gateway's questions.
type Books struct{ *App }

var _ gateway.Books = Books{}

func (b Books) Leakage(ctx context.Context, q report.LeakageQuery) (*report.Leakage, error) {
	ctx, err := b.settled(ctx, &q.AsOf, "")
	if err != nil {
		return nil, err
	}
	if q.TranslateTo == "" {
		return report.ReadLeakage(ctx, b.Store.Reports, q, b.Now())
	}
	if err := b.Terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	var rates *domain.Exchange
	b.Terms.Use(func(t *domain.Terms) { rates = q.AsOf.Exchange(t, q.TranslateTo) })
	return report.ReadTranslated(ctx, b.Store.Reports, q, rates, b.Now())
}

func (b Books) Order(ctx context.Context, id string, asOf report.AsOf) (*report.Story, error) {
	ctx, err := b.settled(ctx, &asOf, id)
	if err != nil {
		return nil, err
	}
	return report.ReadOrder(ctx, b.Store.Reports, id, asOf)
}

func (b Books) Case(ctx context.Context, id string, asOf report.AsOf) (*report.Story, error) {
	ctx, err := b.settled(ctx, &asOf, "")
	if err != nil {
		return nil, err
	}
	return report.ReadCase(ctx, b.Store.Reports, id, asOf)
}

// settled gives a report as of a moment the rows that stood otherwise then: of one order, or of all where none is
// named.
func (b Books) settled(ctx context.Context, asOf *report.AsOf, order string) (context.Context, error) {
	if !asOf.Bounded() {
		return ctx, nil
	}
	// As of then the books don't change. A server that was away would say that they do.
	if err := b.catchUp(ctx); err != nil {
		return nil, err
	}
	until := post.Until{Time: asOf.Time}
	if asOf.Close != nil {
		until.Close = &asOf.Close.Mark
	}
	rows, err := b.Terms.SettleAsOf(ctx, b.Store.Reports, until, order)
	if err != nil {
		return nil, err
	}
	ctx, *asOf, err = asOf.Settled(ctx, rows)
	return ctx, err
}

func (b Books) Unpriced(ctx context.Context, limit int) ([]report.UnpricedEvent, error) {
	return report.ListUnpriced(ctx, b.Store.Reports, limit)
}

func (b Books) SaidTwice(ctx context.Context, limit int) (doubles, contradictions []report.SaidTwice, err error) {
	return report.ListSaidTwice(ctx, b.Store.Reports, limit)
}

func (b Books) Flagged(ctx context.Context, limit int) ([]report.Flagged, error) {
	return report.ListFlagged(ctx, b.Store.Reports, limit)
}

func (b Books) DeadLetters(ctx context.Context, limit int) ([]deadletter.Letter, error) {
	return deadletter.List(ctx, b.Store.Reports, limit)
}

// Status compares where the log ends with what the projectors have committed, which is what is booked and visible. The
// ends are read first: what is acknowledged after them isn't this answer's. Where a topic isn't the one that it was,
// there is nothing to compare: the answer says so.
func (b Books) Status(ctx context.Context) (*gateway.Status, error) {
	s := &gateway.Status{CaughtUp: true, Topics: []gateway.TopicProgress{}, Problems: b.logProblems()}
	progress, err := b.topicProgress(ctx)
	if remade, is := errors.AsType[*kafka.RemadeError](err); is {
		s.CaughtUp = false
		if p := remadeProblem(remade); !slices.Contains(s.Problems, p) {
			s.Problems = append(slices.Clone(s.Problems), p)
			b.noteProblems(s.Problems) // readiness goes by it before the next look at the log
		}
	} else if err != nil {
		return nil, err
	} else {
		s.Topics = progress
	}
	for _, t := range s.Topics {
		s.CaughtUp = s.CaughtUp && t.Booked >= t.End
	}
	if s.Gaps, err = post.OpenGaps(ctx, b.Store.Watch); err != nil {
		return nil, err
	}
	s.CaughtUp = s.CaughtUp && len(s.Gaps) == 0 && b.seesAll(ctx)
	counts, err := b.counter.Count(ctx)
	if err != nil {
		return nil, err
	}
	s.Events, s.DeadLetters, s.Unpriced, s.Conflicts = counts.Events, counts.DeadLetters, counts.Unpriced, counts.Conflicts
	s.Doubles, s.Contradictions = counts.Doubles, counts.Contradictions
	s.VoidsNothing, s.Flagged = counts.VoidsNothing, counts.Flagged
	return s, nil
}

// seesAll reports whether the server of ClickHouse that is read has what others of its cluster have acknowledged. Where
// that can't be known, as without a Keeper, the log says why, and the rest of the status is answered all the same.
func (b Books) seesAll(ctx context.Context) bool {
	const patience = 2 * time.Second
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := b.catchUp(limited)
	if err != nil {
		b.logger.Warn("not caught up: the server that is read may lack what another one has", "error", err)
	}
	return err == nil
}

func (b Books) topicProgress(ctx context.Context) ([]gateway.TopicProgress, error) {
	topics := b.Config.topics()
	ends, err := b.Admin.Ends(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("ask where the topics end: %w", err)
	}
	committed, err := b.Admin.Committed(ctx, b.Config.Group, topics...)
	if err != nil {
		return nil, fmt.Errorf("ask what is booked: %w", err)
	}
	checked, err := post.Checked(ctx, b.Store.Watch)
	if err != nil {
		return nil, err
	}
	streams := map[string]domain.Stream{}
	for s := domain.Orders; s <= domain.Books; s++ {
		streams[b.Config.Topic(s)] = s
	}
	all := make([]gateway.TopicProgress, 0, len(ends))
	for p, end := range ends {
		booked := max(committed[p], 0) // nothing was ever committed: below zero
		of := domain.Partition{Stream: streams[p.Topic], Number: int32(p.Partition)}
		all = append(all, gateway.TopicProgress{Topic: p.Topic, Partition: p.Partition, End: end, Booked: booked,
			Checked: checked[of]})
	}
	slices.SortFunc(all, func(a, b gateway.TopicProgress) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return all, nil
}

// Closes are a period's closes as the log has them, the first at first.
func (b Books) Closes(ctx context.Context, period domain.Period) (all []domain.Closing, err error) {
	if err := b.Terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	b.Terms.Use(func(t *domain.Terms) { all = t.Periods.Closes(period) })
	return all, nil
}

// Ends are where the streams other than books end now, as a books record carries them.
func (a *App) Ends(ctx context.Context) (string, error) {
	var topics []string
	streams := map[string]domain.Stream{}
	for s := domain.Orders; s < domain.Books; s++ {
		topics = append(topics, a.Config.Topic(s))
		streams[a.Config.Topic(s)] = s
	}
	ends, err := a.Admin.Ends(ctx, topics...)
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
	if err := a.readyForEvents(ctx); err != nil {
		return err
	}
	if err := a.Store.Watch.Ping(ctx); err != nil {
		a.logger.Warn("not ready", "error", err)
		return errors.New("clickhouse does not answer")
	}
	for _, standing := range []func() []kafka.Problem{a.still, a.stillMapping} {
		if standing == nil {
			continue
		}
		if still := standing(); len(still) > 0 {
			p := still[0]
			return fmt.Errorf("%d partitions stand still, %s/%d at offset %d: %w", len(still), p.Topic, p.Partition, p.From, p)
		}
	}
	if a.Projector != nil {
		switch waits := a.Projector.Stats().Waiting(); {
		case len(waits) > 0 && a.strangersAsk():
			return errors.New(waits[0].Outside())
		case len(waits) > 0:
			return waits[0]
		}
	}
	return nil
}

// strangersAsk says whether people of other machines may ask for readiness, which needs no token.
func (a *App) strangersAsk() bool {
	return a.Config.Access.AccessFile != "" || a.Config.Access.InsecureOpen || !IsLoopback(a.Config.Health)
}

// readyForEvents says why events can't be taken now: they go into the log, and the log has to be the one of the books.
func (a *App) readyForEvents(ctx context.Context) error {
	if err := a.Admin.Ping(ctx); err != nil {
		a.logger.Warn("not ready", "error", err)
		return errors.New("kafka does not answer")
	}
	for _, p := range a.logProblems() {
		if p.Kind == topicRemade {
			return errors.New(p.Reason)
		}
	}
	return nil
}
