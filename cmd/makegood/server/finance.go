package server

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
)

// Period joins what the books hold of a month with what the log says of it.
func (b Books) Period(ctx context.Context, period domain.Period) (state *audit.PeriodState, err error) {
	err = b.Store.AtOne(func() error {
		state, err = b.period(ctx, period)
		return err
	})
	return state, err
}

func (b Books) period(ctx context.Context, period domain.Period) (*audit.PeriodState, error) {
	closes, err := b.Closes(ctx, period)
	if err != nil {
		return nil, err
	}
	var over bool
	b.Terms.Use(func(t *domain.Terms) { over = domain.PeriodOf(b.Now(), t.Periods.Zone()) > period })
	var last domain.Closing
	var closed bool
	var until []domain.Mark
	if len(closes) > 0 {
		last = closes[len(closes)-1]
		if closed = last.Reopened == nil; closed {
			until = append(until, last.Mark)
		}
	}
	unsettled, err := b.unsettled(ctx, until...)
	if err != nil {
		return nil, err
	}
	state, err := audit.ReadPeriod(ctx, b.Store.Reports, period)
	if err != nil {
		return nil, err
	}
	b.Terms.Use(func(t *domain.Terms) {
		if seal, is := t.Seals.Of(period, len(closes)); is {
			state.Seal = audit.SaidOf(&seal)
		}
	})
	state.Closed, state.Over, state.Unsettled, state.Settled = closed, over, unsettled, unsettled == audit.Unsettled{}
	if len(closes) == 0 {
		return state, nil
	}
	at := last.Time.UTC()
	state.ClosedAt = &at
	state.ClosedBy, err = audit.ReadClosedBy(ctx, b.Store.Reports, last.Source, last.ID)
	return state, err
}

// unsettled counts what stands before the last of the closes, and the close itself, and is not booked, or waits to be
// settled. Without closes it counts the same of where the log ends now.
func (b Books) unsettled(ctx context.Context, closes ...domain.Mark) (u audit.Unsettled, err error) {
	topics := b.Config.topics()
	wanted, err := b.Admin.Ends(ctx, topics...)
	if err != nil {
		return u, fmt.Errorf("ask where the topics end: %w", err)
	}
	for s := domain.Orders; s <= domain.Books; s++ {
		for p, end := range wanted {
			if p.Topic == b.Config.Topic(s) {
				wanted[p] = endAt(closes, domain.Partition{Stream: s, Number: int32(p.Partition)}, end)
			}
		}
	}
	committed, err := b.booked(ctx)
	if err != nil {
		return u, err
	}
	u, err = b.waiting(ctx)
	for p, end := range wanted {
		u.Unbooked += max(end-max(committed[p], 0), 0)
	}
	return u, err
}

// endAt is where a partition, which ends at now, stood at the last of the closes. What came later to the books stream,
// such as the seal of a close or a rate, is not waited for either. Now where there is no close, or one doesn't say.
func endAt(closes []domain.Mark, p domain.Partition, now int64) int64 {
	if len(closes) == 0 {
		return now
	}
	var end int64 // a partition without an end is younger than the close
	for i := range closes {
		switch {
		case p.Stream == domain.Books:
			end = max(end, closes[i].Offset+1)
		case closes[i].Ends == nil:
			return now
		default:
			end = max(end, closes[i].Ends[p])
		}
	}
	return end
}

// waiting counts what is booked and waits to be settled.
func (b Books) waiting(ctx context.Context) (u audit.Unsettled, err error) {
	if u.Conflicts, err = post.UnsettledConflicts(ctx, b.Store.Reports); err != nil {
		return u, err
	}
	u.Doubles, err = post.UnsettledDoubles(ctx, b.Store.Reports)
	return u, err
}

// Periods lists the months that were ever closed.
func (b Books) Periods(ctx context.Context) ([]gateway.PeriodClose, error) {
	if err := b.Terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	periods := []gateway.PeriodClose{}
	b.Terms.Use(func(t *domain.Terms) {
		for _, p := range t.Periods.EverClosed() {
			mark, _ := t.Periods.LastClose(p)
			periods = append(periods, gateway.PeriodClose{Period: p.String(), Closed: t.Periods.IsClosed(p),
				ClosedAt: mark.Time.UTC()})
		}
	})
	return periods, nil
}

// Changes lists what came after a close.
func (b Books) Changes(ctx context.Context, c report.Close, limit int) (*report.Changes, error) {
	closes, err := b.Closes(ctx, c.Period)
	if err != nil {
		return nil, err
	}
	return report.ReadChanges(ctx, b.Store.Reports, c, closes, limit)
}

// Rates lists the rates in force at a time, or all that were ever set.
func (b Books) Rates(ctx context.Context, at time.Time, all bool) ([]gateway.Rate, time.Time, error) {
	if at.IsZero() {
		at = b.Now()
	}
	if err := b.Terms.CatchUp(ctx); err != nil {
		return nil, at, err
	}
	rates := []gateway.Rate{}
	b.Terms.Use(func(t *domain.Terms) {
		set := t.Rates.InForce(at)
		if all {
			set = t.Rates.All()
		}
		for _, r := range set {
			rates = append(rates, gateway.Rate{Rate: r.Name, Key: r.Key, Value: r.Value.String(), Currency: r.Currency,
				EffectiveFrom: r.EffectiveFrom.UTC(),
				RecordedAt:    r.Mark.Time.UTC(), Source: r.Source, ID: r.ID, Voided: r.Voided})
		}
	})
	return rates, at, nil
}

// createFinanceViews makes the views for who may see no people, where that is allowed.
func (a *App) createFinanceViews(ctx context.Context) error {
	return a.Store.Everywhere(ctx, func(ctx context.Context, db driver.Conn) error {
		made, err := ledger.CreateFinanceViews(ctx, db)
		if err == nil && !made {
			a.logger.Warn("the views without people could not be made, which takes rights on their database: boards find " +
				"nothing")
		}
		return err
	})
}
