// Package prometheus exposes what makegood is doing as metrics, with client_golang. Metrics are read when they are
// asked for: nothing is counted twice, and a restart inflates nothing that comes from the books.
package prometheus

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/makegood/makegood/projections"
)

// NewRegistry is a registry with what the process and its Go runtime are, and makegood's build.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "makegood_build_info", Help: "1, labelled with the version that runs.",
		ConstLabels: prometheus.Labels{"version": version}}, func() float64 { return 1 })
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build)
	return r
}

// WatchProjector adds what a projector has done since it started.
func WatchProjector(r prometheus.Registerer, s *projections.Stats) {
	counter := func(name, help string, read func() int64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(read()) }))
	}
	gauge := func(name, help string, read func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
	}
	counter("makegood_projector_rows_total", "Rows written to the ledger, copies included.", s.Booked.Load)
	counter("makegood_projector_dead_letters_total", "Records that could not be booked, copies included.", s.DeadLetters.Load)
	counter("makegood_projector_unpriced_total", "Events posted while a rate was missing, copies included.", s.Unpriced.Load)
	counter("makegood_projector_batches_total", "Batches landed.", s.Batches.Load)
	counter("makegood_projector_retries_total", "Times that a step had to be tried again.", s.Retries.Load)
	gauge("makegood_projector_batch_records", "Records in the last batch.", func() float64 { return float64(s.LastRows.Load()) })
	gauge("makegood_projector_batch_seconds", "How long the last batch took to land, roll-ups included.", func() float64 {
		return time.Duration(s.LastInsertNanos.Load()).Seconds()
	})
	gauge("makegood_projector_waiting", "1 while ClickHouse or the log doesn't answer and the projector waits.", func() float64 {
		if s.Waiting.Load() {
			return 1
		}
		return 0
	})
}

// booksCollector reads the books when it is asked.
type booksCollector struct {
	count   func(context.Context) (projections.Counts, error)
	timeout time.Duration
	metrics []bookMetric
	failed  *prometheus.Desc
}

type bookMetric struct {
	desc *prometheus.Desc
	read func(projections.Counts) uint64
}

// WatchBooks adds how much the books hold.
func WatchBooks(r prometheus.Registerer, count func(context.Context) (projections.Counts, error)) {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	r.MustRegister(&booksCollector{count: count, timeout: 10 * time.Second,
		metrics: []bookMetric{
			{desc("makegood_books_events", "Distinct events in the books."), func(c projections.Counts) uint64 { return c.Events }},
			{desc("makegood_books_dead_letters", "Open dead letters."), func(c projections.Counts) uint64 { return c.DeadLetters }},
			{desc("makegood_books_unpriced", "Events with a line that no rate could price."), func(c projections.Counts) uint64 { return c.Unpriced }},
			{desc("makegood_books_conflicts", "Open dead letters of one identity with several contents."), func(c projections.Counts) uint64 { return c.Conflicts }},
		},
		failed: desc("makegood_books_readable", "1 when the books could be read for this scrape, else 0."),
	})
}

// Describe names the metrics.
func (c *booksCollector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		out <- m.desc
	}
	out <- c.failed
}

// Collect reads the books; where they can't be read, it says so and gives no numbers.
func (c *booksCollector) Collect(out chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), c.timeout)
	defer stop()
	counts, err := c.count(ctx)
	readable := 1.0
	if err != nil {
		readable = 0
	}
	out <- prometheus.MustNewConstMetric(c.failed, prometheus.GaugeValue, readable)
	if err != nil {
		return
	}
	for _, m := range c.metrics {
		out <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, float64(m.read(counts)))
	}
}

// GatewayCounts are what a gateway has done since it started.
type GatewayCounts struct {
	Accepted, Refused, Shed, Failed, InFlight int64
}

// WatchGateway adds them.
func WatchGateway(r prometheus.Registerer, read func() GatewayCounts) {
	counter := func(name, help string, of func(GatewayCounts) int64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(of(read())) }))
	}
	counter("makegood_gateway_accepted_events_total", "Events that the brokers acknowledged.", func(c GatewayCounts) int64 { return c.Accepted })
	counter("makegood_gateway_refused_events_total", "Events that broke the contract.", func(c GatewayCounts) int64 { return c.Refused })
	counter("makegood_gateway_shed_requests_total", "Requests turned away for want of room.", func(c GatewayCounts) int64 { return c.Shed })
	counter("makegood_gateway_failed_requests_total", "Requests whose events the brokers did not acknowledge.", func(c GatewayCounts) int64 { return c.Failed })
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "makegood_gateway_in_flight_bytes", Help: "Bytes of requests being worked on."},
		func() float64 { return float64(read().InFlight) }))
}
