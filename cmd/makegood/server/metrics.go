package server

import (
	"context"
	"time"

	promclient "github.com/prometheus/client_golang/prometheus"

	"github.com/makegood/makegood/infra/prometheus"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/report"
)

// watched is the registry of what this process does and, in the exporter's role, of what the books hold.
func (a *App) watched(ctx context.Context) (*promclient.Registry, error) {
	if a.Projector != nil {
		prometheus.WatchProjector(a.metrics, a.Projector.Stats(), func() int { return len(a.still()) })
	}
	prometheus.WatchLog(a.metrics, func() []prometheus.LogChange {
		var all []prometheus.LogChange
		for _, p := range a.logProblems() {
			all = append(all, prometheus.LogChange{Kind: p.Kind, Topic: p.Topic})
		}
		return all
	})
	if !a.Config.has(RoleExporter) {
		return a.metrics, nil
	}
	zone, err := time.LoadLocation(a.Config.Zone)
	if err != nil {
		return nil, err
	}
	prometheus.WatchLag(a.metrics, a.progress, a.Now, a.logger)
	if err := a.watchInsight(ctx, zone); err != nil {
		return nil, err
	}
	return a.metrics, prometheus.WatchBooks(a.metrics, prometheus.BooksConfig{
		Count: a.counter.Count,
		Gauges: func(ctx context.Context) (*report.Gauges, error) {
			return report.ReadGauges(ctx, a.Store.Watch, a.Now().In(zone))
		},
		Unbalanced: report.NewAuditor(a.Store.Watch).Unbalanced,
		Served: func(ctx context.Context) (report.Served, error) {
			return report.ReadServed(ctx, a.Store.Watch, a.Now().In(zone))
		},
		Due: func(ctx context.Context) ([]insight.DueClaim, error) {
			return insight.ReadDueClaims(ctx, a.Store.Watch, a.Now().In(zone))
		},
		Now: a.Now, Logger: a.logger, LabelValues: a.Config.MetricLabels,
	})
}

// watchInsight works out what the charts and the sources say, in the background, till the App is closed.
func (a *App) watchInsight(ctx context.Context, zone *time.Location) error {
	watched, err := prometheus.WatchInsight(a.metrics, prometheus.InsightConfig{
		Signals: func(ctx context.Context) ([]insight.Signal, error) {
			return insight.ReadSignals(ctx, a.Store.Reports, a.Now().In(zone))
		},
		Sources: func(ctx context.Context) ([]insight.Source, error) {
			return insight.ReadSources(ctx, a.Store.Reports, a.Now().In(zone))
		},
		Now: a.Now, Logger: a.logger, LabelValues: a.Config.MetricLabels,
	})
	if err != nil {
		return err
	}
	a.background(ctx, withoutError(watched.Run))
	return nil
}

// progress compares the log with what is booked, and what tills sent with what is mapped.
func (a *App) progress(ctx context.Context) ([]prometheus.Progress, error) {
	booked, err := a.progressOf(ctx, a.Config.Group, a.Config.topics()...)
	if err != nil {
		return nil, err
	}
	mapped, err := a.tillsProgress(ctx)
	return append(booked, mapped...), err
}

// progressOf is how far a group is with topics. What is committed is read first: a lag may look larger than it is, not
// smaller.
func (a *App) progressOf(ctx context.Context, group string, topics ...string) ([]prometheus.Progress, error) {
	committed, err := a.Admin.Committed(ctx, group, topics...)
	if err != nil {
		return nil, err
	}
	ends, err := a.Admin.Ends(ctx, topics...)
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
