package main

import (
	"context"
	"time"

	promclient "github.com/prometheus/client_golang/prometheus"

	"github.com/makegood/makegood/infra/prometheus"
	"github.com/makegood/makegood/projections/report"
)

// watched is the registry of what this process does and, in the exporter's role, of what the books hold.
func (a *App) watched() (*promclient.Registry, error) {
	if a.projector != nil {
		prometheus.WatchProjector(a.metrics, a.projector.Stats())
	}
	if !a.config.has(roleExporter) {
		return a.metrics, nil
	}
	zone, err := time.LoadLocation(a.config.Zone)
	if err != nil {
		return nil, err
	}
	prometheus.WatchLag(a.metrics, a.progress, a.now, a.logger)
	return a.metrics, prometheus.WatchBooks(a.metrics, prometheus.BooksConfig{
		Count: a.counter.Count,
		Gauges: func(ctx context.Context) (*report.Gauges, error) {
			return report.ReadGauges(ctx, a.store.DB, a.now().In(zone))
		},
		Unbalanced: report.NewAuditor(a.store.DB).Unbalanced,
		Served: func(ctx context.Context) (report.Served, error) {
			return report.ReadServed(ctx, a.store.DB, a.now().In(zone))
		},
		Now: a.now, Logger: a.logger, LabelValues: a.config.MetricLabels,
	})
}

// progress compares the log with what is booked. The booked is read first: a lag may look larger than it is, not
// smaller.
func (a *App) progress(ctx context.Context) ([]prometheus.Progress, error) {
	topics := a.config.topics()
	committed, err := a.admin.Committed(ctx, a.config.Group, topics...)
	if err != nil {
		return nil, err
	}
	ends, err := a.admin.Ends(ctx, topics...)
	if err != nil {
		return nil, err
	}
	all := make([]prometheus.Progress, 0, len(ends))
	for p, end := range ends {
		all = append(all, prometheus.Progress{Topic: p.Topic, Partition: int32(p.Partition), End: end,
			Booked: max(committed[p], 0)})
	}
	return all, nil
}
