package server

import (
	"context"
	"net/http"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/page"
	"github.com/makegood/makegood/projections/report"
)

var _ page.Books = Books{}

func (b Books) Profit(ctx context.Context, q report.LeakageQuery) (*report.Profit, error) {
	ctx, err := b.settled(ctx, &q.AsOf, "")
	if err != nil {
		return nil, err
	}
	return report.ReadProfit(ctx, b.Store.Reports, q)
}

func (b Books) PAF(ctx context.Context, q report.SummaryQuery) (*report.PAF, error) {
	ctx, err := b.settled(ctx, &q.AsOf, "")
	if err != nil {
		return nil, err
	}
	return report.ReadPAF(ctx, b.Store.Reports, q)
}

func (b Books) Returning(ctx context.Context, q report.SummaryQuery) ([]report.Returning, error) {
	ctx, err := b.settled(ctx, &q.AsOf, "")
	if err != nil {
		return nil, err
	}
	return report.ReadReturning(ctx, b.Store.Reports, q, b.Now())
}

// Currencies are those of what is in view.
func (b Books) Currencies(ctx context.Context, q report.LeakageQuery) ([]string, error) {
	ctx, err := b.settled(ctx, &q.AsOf, "")
	if err != nil {
		return nil, err
	}
	return report.ReadCurrencies(ctx, b.Store.Reports, q)
}

// Outline is what a time comes to.
func (b Books) Outline(ctx context.Context, q report.OutlineQuery) (*report.Outline, error) {
	ctx, err := b.settled(ctx, &q.AsOf, "")
	if err != nil {
		return nil, err
	}
	return report.ReadOutline(ctx, b.Store.Reports, q, b.Now())
}

// TradingDays are the days on which orders were placed.
func (b Books) TradingDays(ctx context.Context, q report.TradingDays) ([]string, error) {
	return report.ReadTradingDays(ctx, b.Store.Reports, q)
}

func (b Books) Counts(ctx context.Context) (report.Counts, error) { return b.counter.Count(ctx) }

// showPage puts the page for people on the server.
func (a *App) showPage(server *gateway.Server) error {
	zone, err := time.LoadLocation(a.Config.Zone)
	if err != nil {
		return err
	}
	p, err := page.New(page.Config{Books: Books{a}, Now: a.Now, Zone: zone, Who: gateway.AskedBy, Logger: a.logger})
	if err != nil {
		return err
	}
	a.OnClose(func() error {
		p.Close()
		return nil
	})
	p.Mount(func(pattern string, h http.Handler) { server.Handle(pattern, gateway.Read, h) })
	return nil
}
