package server

import (
	"context"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// Audit lists who changed the books on the days from one on and before another.
func (b Books) Audit(ctx context.Context, from, to time.Time, limit int) (*audit.Audit, error) {
	if err := b.Terms.CatchUp(ctx); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(b.Config.Zone)
	if err != nil {
		return nil, err
	}
	midnight := func(day time.Time) time.Time {
		y, m, d := day.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, zone)
	}
	changed := func(source, id string) (is bool) {
		b.Terms.Use(func(t *domain.Terms) { is = t.Periods.Changed(source, id) })
		return is
	}
	return audit.ReadAudit(ctx, b.Store.Reports, changed, midnight(from), midnight(to), limit)
}

// Event finds an event by its identity.
func (b Books) Event(ctx context.Context, source, id string) (*report.BookedEvent, error) {
	return report.ReadEvent(ctx, b.Store.Reports, source, id)
}
