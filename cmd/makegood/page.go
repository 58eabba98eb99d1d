package main

import (
	"context"
	"net/http"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/page"
	"github.com/makegood/makegood/projections/report"
)

var _ page.Books = books{}

func (b books) Profit(ctx context.Context, q report.LeakageQuery) (*report.Profit, error) {
	return report.ReadProfit(ctx, b.store.DB, q)
}

func (b books) PAF(ctx context.Context, q report.SummaryQuery) (*report.PAF, error) {
	return report.ReadPAF(ctx, b.store.DB, q)
}

func (b books) Returning(ctx context.Context, q report.SummaryQuery) ([]report.Returning, error) {
	return report.ReadReturning(ctx, b.store.DB, q, b.now())
}

func (b books) Counts(ctx context.Context) (report.Counts, error) { return b.counter.Count(ctx) }

// showPage puts the page for people on the server.
func (a *App) showPage(server *gateway.Server) error {
	zone, err := time.LoadLocation(a.config.Zone)
	if err != nil {
		return err
	}
	p, err := page.New(page.Config{Books: books{a}, Now: a.now, Zone: zone, Logger: a.logger})
	if err != nil {
		return err
	}
	p.Mount(func(pattern string, h http.Handler) { server.Handle(pattern, gateway.Read, h) })
	return nil
}
