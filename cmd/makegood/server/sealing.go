package server

import (
	"context"
	"fmt"
	"time"

	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/report"
)

// sealing is how often it is looked for closes without a seal.
const sealing = time.Second

// Sealer seals closes in the order of the log. Several processes may do it at once, and one that ended half-way is
// followed by another: a seal is made of nothing but the log and the books, so that all write the same event, and of
// several of those the first counts.
type Sealer struct {
	Books
	close domain.Numbered // the next to be sealed
	// ends are where the log ended when that close was first seen, with the close's own ends in their place: what the seal
	// waits for doesn't move on while others go on writing.
	ends map[kafka.TopicPartition]int64
}

// watch seals what can be sealed.
func (s *Sealer) watch(ctx context.Context) {
	if err := s.All(ctx); err != nil && ctx.Err() == nil {
		s.logger.Warn("waiting to seal a closed month", "period", s.close.Period.String(), "error", err)
	}
}

// NewSealer has seen no close yet.
func (a *App) NewSealer() *Sealer { return &Sealer{Books: Books{a}} }

// All seals one close after another, as far as what stands before them is booked.
func (s *Sealer) All(ctx context.Context) error {
	for {
		if sealed, err := s.next(ctx); err != nil || !sealed {
			return err
		}
	}
}

// next seals the first close that has no seal, where all that stands before it is booked and settled.
func (s *Sealer) next(ctx context.Context) (sealed bool, err error) {
	if err := s.Terms.CatchUp(ctx); err != nil {
		return false, err
	}
	closes, _ := s.sealable()
	var c *audit.Sealable
	for i := range closes {
		if closes[i].Seal == nil {
			c = &closes[i]
			break
		}
	}
	if c == nil {
		return false, nil
	}
	var root audit.Root
	settled := false
	if err := s.Store.AtOne(func() (err error) {
		if settled, err = s.settled(ctx, &c.Numbered); err == nil && settled {
			root, err = audit.SealClose(ctx, s.Store.DB, &c.Numbered)
		}
		return err
	}); err != nil || !settled {
		return false, err
	}
	event := wire.AppendEvent(nil, sealOf(&c.Numbered, root, c.Previous))
	if err := s.publishBooks(ctx, event, ""); err != nil {
		return false, fmt.Errorf("write the seal to the log: %w", err)
	}
	s.logger.Info("sealed a closed month", "period", c.Period.String(), "close", c.Number, "events", root.Events,
		"root", root.Hash)
	return true, nil
}

// sealOf is the event of a seal. It has the time of its close: who seals, and when, is no part of it.
func sealOf(c *domain.Numbered, root audit.Root, previous string) *domain.Event {
	return &domain.Event{Source: gateway.OwnSource, ID: fmt.Sprintf("seal-%s-%d", c.Period, c.Number),
		Type: domain.TypeBooksSealed, Time: c.Mark.Time.UTC(), Data: &domain.BooksSealed{Period: c.Period,
			Close: int64(c.Number), Format: domain.SealFormat, Events: root.Events, Root: root.Hash, Previous: previous}}
}

// settled reports whether all that stands before a close, and the close itself, is booked, and none of it waits for the
// check for conflicts.
func (s *Sealer) settled(ctx context.Context, c *domain.Numbered) (bool, error) {
	topics := s.Config.topics()
	if s.ends == nil || s.close.Mark.Offset != c.Mark.Offset {
		ends, err := s.Admin.Ends(ctx, topics...)
		if err != nil {
			return false, fmt.Errorf("ask where the topics end: %w", err)
		}
		for p, end := range c.Mark.Ends {
			ends[kafka.TopicPartition{Topic: s.Config.Topic(p.Stream), Partition: int(p.Number)}] = end
		}
		s.close, s.ends = *c, ends
	}
	committed, err := s.booked(ctx)
	if err != nil {
		return false, err
	}
	for p, end := range s.ends {
		if end > max(committed[p], 0) {
			return false, nil
		}
	}
	waiting, err := s.waiting(ctx)
	return waiting == audit.Unsettled{}, err
}

// sealable are all closes in the order of the log with their seals, and how many of each month there are.
func (b Books) sealable() (all []audit.Sealable, of map[domain.Period]int) {
	of = map[domain.Period]int{}
	b.Terms.Use(func(t *domain.Terms) {
		previous := ""
		for _, c := range t.Periods.AllCloses() {
			one := audit.Sealable{Numbered: c, Previous: previous}
			if seal, is := t.Seals.Of(c.Period, c.Number); is {
				one.Seal, previous = &seal, seal.Hash()
			}
			of[c.Period] = c.Number
			all = append(all, one)
		}
	})
	for i := range all {
		all[i].Last = all[i].Number == of[all[i].Period]
	}
	return all, of
}

// Verify holds closes against their seals: all of them, those of one month, or one.
func (b Books) Verify(ctx context.Context, q gateway.VerifyQuery) (*audit.Verification, error) {
	if err := b.Terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	with := audit.VerifyAgainst{Now: b.Now(), Place: func(r *ledger.Row) {
		b.Terms.Use(func(t *domain.Terms) { r.Place(t.Periods) })
	}}
	all, of := b.sealable()
	switch closes := of[q.Period]; {
	case q.Period != 0 && closes == 0:
		return nil, &report.Invalid{Code: report.NeverClosed, Parameter: "period", Value: q.Period.String()}
	case q.Close > closes:
		return nil, &report.Invalid{Code: report.ClosedLessOften, Parameter: "period",
			Value: fmt.Sprintf("%s/%d", q.Period, q.Close), Of: []string{fmt.Sprint(closes)}}
	}
	for _, c := range all {
		if q.Period != 0 && c.Period != q.Period || q.Close != 0 && c.Number != q.Close {
			continue
		}
		if q.Close != 0 {
			c.Last = true // it is what its records are held against
		}
		if c.Last {
			c.Kept = q.Root
		}
		with.Closes = append(with.Closes, c)
	}
	var err error
	if !q.LedgerOnly {
		var done func()
		if with.Partitions, done, err = b.logPartitions(ctx); err != nil {
			return nil, err
		}
		defer done()
		with.Otherwise = func(ctx context.Context, orders, cases []string) ([]*ledger.Row, error) {
			return b.Terms.Otherwise(ctx, b.Store.DB, orders, cases)
		}
	}
	return audit.Verify(ctx, b.Store.Reports, decode.Private(b.privacy), with)
}

// Seals are all closes that are sealed.
func (b Books) Seals(ctx context.Context) ([]gateway.PeriodSeal, error) {
	if err := b.Terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	seals := []gateway.PeriodSeal{}
	closes, _ := b.sealable()
	for i := range closes {
		if c := &closes[i]; c.Seal != nil {
			seals = append(seals, gateway.PeriodSeal{Period: c.Period.String(), SealSaid: *audit.SaidOf(c.Seal)})
		}
	}
	return seals, nil
}
