package prometheus

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/makegood/makegood/projections/insight"
)

// InsightConfig is what watching the charts and the sources needs. Zero limits take their defaults.
type InsightConfig struct {
	Signals func(context.Context) ([]insight.Signal, error)
	Sources func(context.Context) ([]insight.Source, error)
	Now     func() time.Time
	Logger  *slog.Logger

	// LabelValues caps the causes, stores, vendors and tills, as for the books. What is out of control or silent stays
	// before all others. Default 50.
	LabelValues int
	// Every is how often both are worked out. Default an hour, which the silence of sources is calibrated for.
	Every time.Duration
	// Again is when what failed is tried again. Default 5 minutes.
	Again time.Duration
	// Empty is when books that nothing can be told of are looked at again. Default a minute.
	Empty time.Duration
	// Longest bounds one look at either. Default 10 minutes.
	Longest time.Duration
}

var (
	signalLabels = []string{"chart", "series", "of", "currency"}
	signalWorse  = prometheus.NewDesc("makegood_signal",
		"1 where a control chart says that more fails, or failures cost more, than chance explains, else 0; none where it "+
			"can't tell. chart is cases (of the last four whole weeks and the running one), money (net leakage of the last "+
			"whole week) or right_first_time (of its orders); series is company, store, cause or vendor, of which one.",
		signalLabels, nil)
	signalFailures = prometheus.NewDesc("makegood_signal_failures",
		"What the charts of failures count: cases, and orders that were not right first time.", signalLabels, nil)
	signalUsualFailures = prometheus.NewDesc("makegood_signal_usual_failures",
		"The number to expect after the year before.", signalLabels, nil)
	signalAmount = prometheus.NewDesc("makegood_signal_amount",
		"Net leakage of the last whole week in its currency, where it has a chart.", signalLabels, nil)
	signalUsualAmount = prometheus.NewDesc("makegood_signal_usual_amount",
		"The mean of the weeks of the year before, in its currency.", signalLabels, nil)
	sourceLabels = []string{"what", "name", "store"}
	sourceSilent = prometheus.NewDesc("makegood_source_silent",
		"1 where a till or a store (what) fell silent, else 0; none where its habits are not known yet.", sourceLabels, nil)
	sourceExpected = prometheus.NewDesc("makegood_source_expected_orders",
		"Orders to be expected of a till or a store since its last one; of several as one, the most.", sourceLabels, nil)
	insightTime = prometheus.NewDesc("makegood_insight_timestamp_seconds",
		"When the signals, or the sources, were worked out last; 0: not yet.", []string{"question"}, nil)
	insightFailures = prometheus.NewDesc("makegood_insight_failures_total",
		"Times that the signals, or the sources, could not be worked out: what they said before stays.",
		[]string{"question"}, nil)
)

// Insight is what the charts and the sources said last.
type Insight struct {
	config InsightConfig

	mu               sync.Mutex
	signals          []insight.Signal
	sources          []insight.Source
	signalled, heard lookedAt
}

// lookedAt is how it went to work one of them out.
type lookedAt struct {
	at       time.Time // zero: not yet
	failures int
}

// WatchInsight adds what the charts and the sources say. Run works it out.
func WatchInsight(r prometheus.Registerer, c InsightConfig) (*Insight, error) {
	if c.Signals == nil || c.Sources == nil || c.Now == nil || c.Logger == nil {
		return nil, errors.New("prometheus: the signals want their readers, a clock and a logger")
	}
	if c.LabelValues == 0 {
		c.LabelValues = 50
	}
	for value, standard := range map[*time.Duration]time.Duration{&c.Every: time.Hour, &c.Again: 5 * time.Minute,
		&c.Empty: time.Minute, &c.Longest: 10 * time.Minute} {
		if *value == 0 {
			*value = standard
		}
	}
	i := &Insight{config: c}
	return i, r.Register(i)
}

// Run works out what the charts and the sources say, at once and then every hour, till ctx ends. They are too slow for
// a scrape.
func (i *Insight) Run(ctx context.Context) {
	for {
		next := time.NewTimer(i.look(ctx))
		select {
		case <-ctx.Done():
			next.Stop()
			return
		case <-next.C:
		}
	}
}

// look works out both, and says how long to wait then.
func (i *Insight) look(ctx context.Context) time.Duration {
	signals, signalsErr := bounded(ctx, i.config.Longest, i.config.Signals)
	i.note(ctx, "signals", &i.signalled, signalsErr, func() { i.signals = signals })
	sources, sourcesErr := bounded(ctx, i.config.Longest, i.config.Sources)
	i.note(ctx, "sources", &i.heard, sourcesErr, func() { i.sources = sources })
	switch {
	case signalsErr != nil || sourcesErr != nil:
		return i.config.Again
	case len(signals) == 0 && len(sources) == 0:
		return i.config.Empty
	}
	return i.config.Every
}

func bounded[T any](ctx context.Context, longest time.Duration, read func(context.Context) (T, error)) (T, error) {
	ctx, stop := context.WithTimeout(ctx, longest)
	defer stop()
	return read(ctx)
}

// note keeps what was worked out, or counts that it failed. A process that ends has not failed.
func (i *Insight) note(ctx context.Context, question string, looked *lookedAt, err error, keep func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case ctx.Err() != nil:
	case err != nil:
		looked.failures++
		i.config.Logger.Warn("what monitoring watches can't be worked out: it stays as it was", "question", question,
			"error", err)
	default:
		keep()
		looked.at = i.config.Now()
	}
}

// Describe names the metrics.
func (i *Insight) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{signalWorse, signalFailures, signalUsualFailures, signalAmount,
		signalUsualAmount, sourceSilent, sourceExpected, insightTime, insightFailures} {
		out <- d
	}
}

// Collect gives what was worked out last.
func (i *Insight) Collect(out chan<- prometheus.Metric) {
	i.mu.Lock()
	defer i.mu.Unlock()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for question, looked := range map[string]lookedAt{"signals": i.signalled, "sources": i.heard} {
		seconds := 0.
		if !looked.at.IsZero() {
			seconds = float64(looked.at.UnixMilli()) / 1000
		}
		gauge(insightTime, seconds, question)
		out <- prometheus.MustNewConstMetric(insightFailures, prometheus.CounterValue, float64(looked.failures), question)
	}
	i.sendSignals(gauge)
	i.sendSources(gauge)
}

// first is more than any count: what calls for somebody is told apart before what is large.
const first = 1e15

func (i *Insight) sendSignals(gauge sendGauge) {
	weights := map[string]map[string]float64{}
	for _, s := range i.signals {
		if weights[s.Series] == nil {
			weights[s.Series] = map[string]float64{}
		}
		if s.Chart == insight.ChartCases {
			weights[s.Series][s.Of] += s.Observed
		}
		weights[s.Series][s.Of] += first * one(s.Worse)
	}
	words := map[string]func(string) string{}
	for series, of := range weights {
		words[series] = largest(of, i.config.LabelValues)
	}
	words["company"] = func(string) string { return all }
	type labels struct{ chart, series, of, currency string }
	worse, observed, usual := map[labels]float64{}, map[labels]float64{}, map[labels]float64{}
	for _, s := range i.signals {
		of := labels{s.Chart, s.Series, words[s.Series](s.Of), s.Currency}
		worse[of] = max(worse[of], one(s.Worse))
		observed[of] += s.Observed
		usual[of] += s.Usual
	}
	for of, v := range worse {
		was, wouldBe := signalFailures, signalUsualFailures
		if of.chart == insight.ChartMoney {
			was, wouldBe = signalAmount, signalUsualAmount
		}
		gauge(signalWorse, v, of.chart, of.series, of.of, of.currency)
		gauge(was, observed[of], of.chart, of.series, of.of, of.currency)
		gauge(wouldBe, usual[of], of.chart, of.series, of.of, of.currency)
	}
}

func (i *Insight) sendSources(gauge sendGauge) {
	weights := map[string]map[string]float64{"till": {}, "store": {}}
	for _, s := range i.sources {
		weights[s.What][s.Name] = s.Orders + first*one(s.Silent)
	}
	words := map[string]func(string) string{}
	for what, names := range weights {
		words[what] = largest(names, i.config.LabelValues)
	}
	type labels struct{ what, name, store string }
	silent, expected := map[labels]float64{}, map[labels]float64{}
	for _, s := range i.sources {
		of := labels{s.What, words[s.What](s.Name), s.Store}
		if of.name == other {
			of.store = other
		}
		silent[of] = max(silent[of], one(s.Silent))
		expected[of] = max(expected[of], s.Expected)
	}
	for of, v := range silent {
		gauge(sourceSilent, v, of.what, of.name, of.store)
		gauge(sourceExpected, expected[of], of.what, of.name, of.store)
	}
}

// one is 1 for yes.
func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
