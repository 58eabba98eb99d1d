package prometheus

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Progress is how far the books are in one partition of the log.
type Progress struct {
	Topic       string
	Partition   int32
	End, Booked int64
}

var (
	lagRecords = prometheus.NewDesc("makegood_lag_records",
		"Records of a partition that are acknowledged and not booked yet; of the tills' topic, not mapped yet.",
		[]string{"topic", "partition"}, nil)
	logChanged = prometheus.NewDesc("makegood_log_changed",
		"1 for each topic that is not as the books need it: topic_remade, topic_compacted, books_split.",
		[]string{"kind", "topic"}, nil)
	logReadable = prometheus.NewDesc("makegood_log_readable", "1 when the brokers could be asked for this scrape, else 0.",
		nil, nil)
)

// LogChange is something about a topic that the books can't do with.
type LogChange struct{ Kind, Topic string }

// WatchLog adds what is not as the books need it with the topics.
func WatchLog(r prometheus.Registerer, changed func() []LogChange) {
	r.MustRegister(logCollector(changed))
}

type logCollector func() []LogChange

// Describe names the metric.
func (logCollector) Describe(out chan<- *prometheus.Desc) { out <- logChanged }

// Collect says what was found last.
func (c logCollector) Collect(out chan<- prometheus.Metric) {
	for _, p := range c() {
		out <- prometheus.MustNewConstMetric(logChanged, prometheus.GaugeValue, 1, p.Kind, p.Topic)
	}
}

// WatchLag adds how far the books are behind the log, asked of the brokers when it is read: every instance says the
// same.
func WatchLag(r prometheus.Registerer, read func(context.Context) ([]Progress, error), now func() time.Time,
	logger *slog.Logger) {
	r.MustRegister(&lagCollector{ask: read, logger: logger, fresh: 2 * time.Second, now: now})
}

type lagCollector struct {
	ask    func(context.Context) ([]Progress, error)
	logger *slog.Logger
	fresh  time.Duration
	now    func() time.Time

	mu    sync.Mutex
	known []Progress
	read  time.Time
}

// Describe names the metrics.
func (c *lagCollector) Describe(out chan<- *prometheus.Desc) { out <- lagRecords; out <- logReadable }

// Collect asks the brokers.
func (c *lagCollector) Collect(out chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), scrape)
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); c.read.IsZero() || now.Sub(c.read) >= c.fresh {
		progress, err := c.ask(ctx)
		if err != nil {
			c.logger.Warn("the brokers can't be asked for metrics", "error", err)
			out <- prometheus.MustNewConstMetric(logReadable, prometheus.GaugeValue, 0)
			return
		}
		c.known, c.read = progress, now
	}
	out <- prometheus.MustNewConstMetric(logReadable, prometheus.GaugeValue, 1)
	for _, p := range c.known {
		out <- prometheus.MustNewConstMetric(lagRecords, prometheus.GaugeValue, float64(max(p.End-p.Booked, 0)), p.Topic,
			strconv.Itoa(int(p.Partition)))
	}
}
