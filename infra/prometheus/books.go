package prometheus

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/report"
)

// BooksConfig is what watching the books needs. Zero limits take their defaults.
type BooksConfig struct {
	Count      func(context.Context) (report.Counts, error)
	Gauges     func(context.Context) (*report.Gauges, error)
	Unbalanced func(context.Context) (uint64, error)
	Served     func(context.Context) (report.Served, error)
	Due        func(context.Context) ([]insight.DueClaim, error)
	Now        func() time.Time
	Logger     *slog.Logger

	// LabelValues caps the values of each label that the business brings (stores, vendors, kinds, causes): the largest
	// by money stay, the rest is summed in `other`. Default 50.
	LabelValues int
	// Fresh is how long numbers are given out again before the books are read again. Default 5 s.
	Fresh time.Duration
	// Audited is the same for what reads more: whether every entry balances, how promises were kept. Default 5 minutes.
	Audited time.Duration
}

// maxLeakageSeries bounds the one metric whose labels multiply. Beyond it the cap of each label is halved until it
// fits.
const maxLeakageSeries = 20_000

var (
	booksEvents   = prometheus.NewDesc("makegood_books_events", "Distinct events in the books.", nil, nil)
	booksUnpriced = prometheus.NewDesc("makegood_books_unpriced", "Events with a line that no rate could price.", nil,
		nil)
	booksDoubles = prometheus.NewDesc("makegood_doubles",
		"Events that say what another one says. They post nothing.", nil, nil)
	booksContradictions = prometheus.NewDesc("makegood_contradictions",
		"Events that say otherwise than another one of the same fact, and wait for a person.", nil, nil)
	booksVoidsNothing = prometheus.NewDesc("makegood_voids_nothing",
		"Voids whose original is not in the books.", nil, nil)
	booksFlagged = prometheus.NewDesc("makegood_flagged",
		"What can't be right in the books, and is booked as far as it is known.", nil, nil)
	booksDeadLetters = prometheus.NewDesc("makegood_books_dead_letters", "Open dead letters by reason.",
		[]string{"reason"}, nil)
	booksUnbalanced = prometheus.NewDesc("makegood_books_unbalanced_events",
		"Events whose journal lines don't sum to zero. More than none is a bug.", nil, nil)
	booksReadable = prometheus.NewDesc("makegood_books_readable",
		"1 when the books could be read for this scrape, else 0.", nil, nil)
	booksGaps = prometheus.NewDesc("makegood_books_gaps",
		"Stretches of the log that were booked, that the store has lost, and that are being read again.", nil, nil)
	booksNewest = prometheus.NewDesc("makegood_books_newest_event_timestamp_seconds",
		"When the newest event arrived in the books.", nil, nil)
	rebuildRunning = prometheus.NewDesc("makegood_rebuild_running",
		"1 while a rebuild is being computed or swapped in, else 0.", nil, nil)
	rebuildProgress = prometheus.NewDesc("makegood_rebuild_progress_ratio",
		"How much of what it posts again the last rebuild has done, 0 to 1.", nil, nil)
	leakageAmount = prometheus.NewDesc("makegood_leakage_amount",
		"Leakage of the running day or month in its currency: net is the sum, gross the sum without "+
			strings.Join(domain.RecoveryElements(), " and ")+", hidden the part on basis "+domain.Imputed.String()+" of gross.",
		[]string{"period", "currency", "store", "kind", "root_cause", "element", "basis"}, nil)
	claimsAmount = prometheus.NewDesc("makegood_claims_to_file_amount",
		"What the terms of a vendor cover of what it caused and nobody has claimed yet, in its currency.",
		[]string{"currency", "vendor"}, nil)
	claimsWindow = prometheus.NewDesc("makegood_claims_window_seconds",
		"Until the first window ends in which something is to be claimed from a vendor.",
		[]string{"currency", "vendor"}, nil)
	spendAmount = prometheus.NewDesc("makegood_quality_spend_amount",
		"Prevention and appraisal spend of the running day or month in its currency.",
		[]string{"period", "currency", "category"}, nil)
	deliveredOrders = prometheus.NewDesc("makegood_delivered_orders",
		"Orders delivered in the running month, by what became of their promise; an order stands in several: "+
			"all, promised (with a time), on_time (of those), in_full, "+
			"perfect (not late, in full, undamaged, the right items, documents right), "+
			"right_first_time (perfect and no founded case), silent_failure (broken, and nobody reported it or knew).",
		[]string{"outcome"}, nil)
)

// WatchBooks adds what the books hold.
func WatchBooks(r prometheus.Registerer, c BooksConfig) error {
	if c.Count == nil || c.Gauges == nil || c.Unbalanced == nil || c.Served == nil || c.Due == nil || c.Now == nil ||
		c.Logger == nil {
		return errors.New("prometheus: the books want their readers, a clock and a logger")
	}
	if c.LabelValues == 0 {
		c.LabelValues = 50
	}
	if c.Fresh == 0 {
		c.Fresh = 5 * time.Second
	}
	if c.Audited == 0 {
		c.Audited = 5 * time.Minute
	}
	return r.Register(&booksCollector{config: c})
}

// booksCollector reads the books when it is asked, and not more often than its config allows.
type booksCollector struct {
	config BooksConfig

	mu         sync.Mutex // one reader at a time: scrapes that come together share what it finds
	read       time.Time
	counts     report.Counts
	gauges     *report.Gauges
	audited    time.Time
	unbalanced uint64
	served     report.Served
	due        []insight.DueClaim
}

// Describe names the metrics.
func (c *booksCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{booksEvents, booksUnpriced, booksDoubles, booksContradictions,
		booksVoidsNothing, booksFlagged, booksDeadLetters, booksUnbalanced, booksReadable, booksNewest, booksGaps,
		rebuildRunning, rebuildProgress, leakageAmount, spendAmount, deliveredOrders, claimsAmount, claimsWindow} {
		out <- d
	}
}

// Collect gives the numbers; where the books can't be read, it says so and gives none.
func (c *booksCollector) Collect(out chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), scrape)
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if err := c.refresh(ctx); err != nil {
		c.config.Logger.Warn("the books can't be read for metrics", "error", err)
		gauge(booksReadable, 0)
		return
	}
	gauge(booksReadable, 1)
	gauge(booksEvents, float64(c.counts.Events))
	gauge(booksUnpriced, float64(c.counts.Unpriced))
	gauge(booksDoubles, float64(c.counts.Doubles))
	gauge(booksContradictions, float64(c.counts.Contradictions))
	gauge(booksVoidsNothing, float64(c.counts.VoidsNothing))
	gauge(booksFlagged, float64(c.counts.Flagged))
	gauge(booksUnbalanced, float64(c.unbalanced))
	gauge(booksGaps, float64(c.gauges.Gaps))
	running := 0.
	if c.gauges.Rebuilding {
		running = 1
	}
	gauge(rebuildRunning, running)
	gauge(rebuildProgress, c.gauges.Rebuilt)
	if !c.gauges.Newest.IsZero() {
		gauge(booksNewest, float64(c.gauges.Newest.UnixMilli())/1000)
	}
	c.sendDeadLetters(gauge)
	c.sendLeakage(gauge)
	c.sendClaims(gauge)
	for _, s := range c.gauges.Spend {
		gauge(spendAmount, s.Day, "day", s.Currency, s.Category)
		gauge(spendAmount, s.Month, "month", s.Currency, s.Category)
	}
	for outcome, n := range map[string]uint64{
		"all": c.served.All, "promised": c.served.Promised, "on_time": c.served.OnTime, "in_full": c.served.InFull,
		"perfect": c.served.Perfect, "right_first_time": c.served.RightFirstTime, "silent_failure": c.served.Silent,
	} {
		gauge(deliveredOrders, float64(n), outcome)
	}
}

func (c *booksCollector) refresh(ctx context.Context) error {
	now := c.config.Now()
	if c.gauges == nil || now.Sub(c.read) >= c.config.Fresh {
		counts, err := c.config.Count(ctx)
		if err != nil {
			return err
		}
		gauges, err := c.config.Gauges(ctx)
		if err != nil {
			return err
		}
		c.counts, c.gauges, c.read = counts, gauges, now
	}
	if c.audited.IsZero() || now.Sub(c.audited) >= c.config.Audited {
		unbalanced, err := c.config.Unbalanced(ctx)
		if err != nil {
			return err
		}
		served, err := c.config.Served(ctx)
		if err != nil {
			return err
		}
		due, err := c.config.Due(ctx)
		if err != nil {
			return err
		}
		c.unbalanced, c.served, c.due, c.audited = unbalanced, served, due, now
	}
	return nil
}

type sendGauge func(d *prometheus.Desc, v float64, labels ...string)

func (c *booksCollector) sendDeadLetters(gauge sendGauge) {
	weights := map[string]float64{}
	for _, d := range c.gauges.DeadLetters {
		weights[d.Reason] = float64(d.Open)
	}
	word := largest(weights, maxReasons)
	sums := map[string]float64{}
	for _, d := range c.gauges.DeadLetters {
		sums[word(d.Reason)] += float64(d.Open)
	}
	if len(sums) == 0 {
		sums[none] = 0 // so that an alert sees a zero and not a hole
	}
	for reason, n := range sums {
		gauge(booksDeadLetters, n, reason)
	}
}

func (c *booksCollector) sendLeakage(gauge sendGauge) {
	type labels struct{ period, currency, store, kind, cause, element, basis string }
	var sums map[labels]float64
	for most := c.config.LabelValues; ; most /= 2 {
		stores, kinds, causes := map[string]float64{}, map[string]float64{}, map[string]float64{}
		for _, l := range c.gauges.Leakage {
			stores[l.Store] += math.Abs(l.Month)
			kinds[l.Kind] += math.Abs(l.Month)
			causes[l.RootCause] += math.Abs(l.Month)
		}
		store, kind, cause := largest(stores, most), largest(kinds, most), largest(causes, most)
		sums = map[labels]float64{}
		for _, l := range c.gauges.Leakage {
			of := labels{"month", l.Currency, store(l.Store), kind(l.Kind), cause(l.RootCause), l.Element, l.Basis}
			sums[of] += l.Month
			if l.Today > 0 {
				of.period = "day"
				sums[of] += l.Day
			}
		}
		if len(sums) <= maxLeakageSeries || most == 0 {
			break
		}
	}
	for l, amount := range sums {
		gauge(leakageAmount, amount, l.period, l.currency, l.store, l.kind, l.cause, l.element, l.basis)
	}
}

// sendClaims gives the vendors that most is to be claimed from, and all others as one: with the first window that ends.
func (c *booksCollector) sendClaims(gauge sendGauge) {
	weights := map[string]float64{}
	for _, d := range c.due {
		weights[d.Vendor] += math.Abs(d.Amount)
	}
	word := largest(weights, c.config.LabelValues)
	type labels struct{ currency, vendor string }
	amounts, left := map[labels]float64{}, map[labels]float64{}
	for _, d := range c.due {
		of := labels{d.Currency, word(d.Vendor)}
		amounts[of] += d.Amount
		seconds := d.Ends.Sub(c.config.Now()).Seconds()
		if known, is := left[of]; !is || seconds < known {
			left[of] = seconds
		}
	}
	for of, amount := range amounts {
		gauge(claimsAmount, amount, of.currency, of.vendor)
		gauge(claimsWindow, left[of], of.currency, of.vendor)
	}
}
