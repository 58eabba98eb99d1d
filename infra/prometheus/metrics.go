// Package prometheus exposes what makegood is doing as metrics, with client_golang.
//
// What it promises: what the books hold is read from them when it is asked for, so that no restart, replay or second
// instance inflates it; what a process does is counted by that process. Labels are bounded: the largest values are told
// apart, the others are called other, and sums are kept. dashboards/metrics.md documents every metric, and a test holds
// the two together.
//
// What it costs: a scrape reads the books at most every few seconds (BooksConfig.Fresh) and audits them every few
// minutes, whoever scrapes and how often. Amounts are floats here, since Prometheus knows nothing else: for the books'
// own numbers ask the reports.
package prometheus

import (
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/makegood/makegood/projections/post"
)

// NewRegistry is a registry with what the process and its Go runtime are, and makegood's build.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	version, revision := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "makegood_build_info", Help: "1, labelled with what runs.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "goversion": runtime.Version()}},
		func() float64 { return 1 })
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build)
	return r
}

// WatchProjector adds what a projector has done since it started, and how many partitions it can't read now.
func WatchProjector(r prometheus.Registerer, s *post.Stats, still func() int) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "makegood_projector_stuck_partitions",
		Help: "Partitions that this process can't read now: what they hold can't be unpacked, or fetching it keeps failing."},
		func() float64 { return float64(still()) }))
	counter := func(name, help string, read func() int64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(read()) }))
	}
	counter("makegood_projector_rows_total", "Rows written to the ledger, copies included.", s.Booked.Load)
	counter("makegood_projector_unpriced_total", "Events posted while a rate was missing, copies included.",
		s.Unpriced.Load)
	counter("makegood_projector_read_again_total",
		"Records that were booked, that the store had lost, and that were booked again from the log.", s.ReadAgain.Load)
	counter("makegood_projector_skipped_units_total",
		"Orders and cases that ClickHouse refused to settle or to sum up: they stay as they are.", s.Skipped.Load)
	counter("makegood_projector_retries_total", "Times that a step had to be tried again.", s.Retries.Load)
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "makegood_projector_waiting",
		Help: "1 while ClickHouse or the log doesn't answer and the projector waits."}, func() float64 {
		if len(s.Waiting()) > 0 {
			return 1
		}
		return 0
	}))
}

// Landings measure the batches of a projector.
type Landings struct {
	records, took, insert, rollUp prometheus.Histogram
	letters                       *prometheus.CounterVec
	reasons                       *vocabulary
}

// maxReasons bounds the reasons of dead letters. They are makegood's own codes, some three dozen.
const maxReasons = 64

// NewLandings adds them. Its Landed is for post.Config.
func NewLandings(r prometheus.Registerer) *Landings {
	seconds := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help,
			// From an idle insert on a laptop to an outage.
			Buckets: []float64{.005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30}})
	}
	l := &Landings{
		records: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "makegood_projector_batch_records",
			Help:    "Records of a batch.",
			Buckets: []float64{1, 10, 100, 1000, 5000, 10_000, 20_000, 50_000, 100_000}}),
		took: seconds("makegood_projector_batch_seconds",
			"How long a batch took from the insert until it was booked and visible, retries included."),
		insert: seconds("makegood_projector_insert_seconds",
			"How long the insert of a batch into the ledger took, retries included."),
		rollUp: seconds("makegood_projector_rollup_seconds",
			"How long recomputing the roll-ups after a batch took, retries included."),
		letters: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "makegood_projector_dead_letters_total",
			Help: "Records that could not be booked, copies included, by reason."}, []string{"reason"}),
		reasons: newVocabulary(maxReasons),
	}
	r.MustRegister(l.records, l.took, l.insert, l.rollUp, l.letters)
	return l
}

// Landed takes one batch.
func (l *Landings) Landed(b post.Landing) {
	l.records.Observe(float64(b.Records))
	l.took.Observe(b.Took.Seconds())
	if b.Insert > 0 {
		l.insert.Observe(b.Insert.Seconds())
	}
	l.rollUp.Observe(b.RollUp.Seconds())
	for reason, n := range b.DeadLetters {
		l.letters.WithLabelValues(l.reasons.word(reason)).Add(float64(n))
	}
}

// GatewayCounts are what a gateway has done since it started.
type GatewayCounts struct {
	Accepted, Refused, Forbidden, Shed, Failed, Dropped, InFlight int64
}

// WatchGateway adds them.
func WatchGateway(r prometheus.Registerer, read func() GatewayCounts) {
	counter := func(name, help string, of func(GatewayCounts) int64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(of(read())) }))
	}
	counter("makegood_gateway_accepted_events_total", "Events that the brokers acknowledged.",
		func(c GatewayCounts) int64 { return c.Accepted })
	counter("makegood_gateway_refused_events_total",
		"Events that broke the contract, or that their sender may not send.",
		func(c GatewayCounts) int64 { return c.Refused })
	counter("makegood_gateway_forbidden_events_total", "Events, and bodies of tills, that their sender's token does not "+
		"allow, or that makegood alone may write.", func(c GatewayCounts) int64 { return c.Forbidden })
	counter("makegood_gateway_shed_requests_total", "Requests turned away for want of room.",
		func(c GatewayCounts) int64 { return c.Shed })
	counter("makegood_gateway_failed_requests_total", "Requests whose events the brokers did not acknowledge.",
		func(c GatewayCounts) int64 { return c.Failed })
	counter("makegood_gateway_dropped_members_total",
		"Texts, unknown members and attributes of accepted events that are not kept, as they may tell of people.",
		func(c GatewayCounts) int64 { return c.Dropped })
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "makegood_gateway_in_flight_bytes",
		Help: "Bytes of requests being worked on."},
		func() float64 { return float64(read().InFlight) }))
}

// WatchTurnedAway adds what a server has not let through. read has all reasons at once, also those of nothing yet.
func WatchTurnedAway(r prometheus.Registerer, read func() map[string]int64) {
	byReason(r, "makegood_http_turned_away_total", "Requests and connections that were not let through, by reason: "+
		"called by a name that is not the service's (host), sent by a page of another origin (origin), a connection of an "+
		"address that has too many (connections), too large a body (size), no room for its bytes (bytes), or no place among "+
		"those that are worked on (reports, changes, state, reconcile).", read)
}

// WatchBroker adds what the embedded broker has refused.
func WatchBroker(r prometheus.Registerer, read func() map[string]int64) {
	byReason(r, "makegood_broker_refused_requests_total", "Requests that the embedded broker refused, by reason: without "+
		"credentials or with wrong ones (credentials), what the sender may not do (rights), records that it may not write "+
		"(records), what is no request of Kafka's (malformed).", read)
}

func byReason(r prometheus.Registerer, name, help string, read func() map[string]int64) {
	for reason := range read() {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help,
			ConstLabels: prometheus.Labels{"reason": reason}}, func() float64 { return float64(read()[reason]) }))
	}
}

// AccessCounts are requests that were not let in since a process started.
type AccessCounts struct {
	Missing, Unknown, Scope, Slowed int64
}

// WatchAccess adds them.
func WatchAccess(r prometheus.Registerer, read func() AccessCounts) {
	const name, help = "makegood_access_refused_requests_total", "Requests that were not let in, by reason: without a " +
		"token (missing), with one that is not in the access file (unknown), with one that does not allow it (scope)."
	for reason, of := range map[string]func(AccessCounts) int64{
		"missing": func(c AccessCounts) int64 { return c.Missing },
		"unknown": func(c AccessCounts) int64 { return c.Unknown },
		"scope":   func(c AccessCounts) int64 { return c.Scope },
	} {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help,
			ConstLabels: prometheus.Labels{"reason": reason}},
			func() float64 { return float64(of(read())) }))
	}
	r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "makegood_access_slowed_requests_total",
		Help: "Requests without a valid token that were answered late and with 429, " +
			"since their address had failed too often."},
		func() float64 { return float64(read().Slowed) }))
}

// WatchAccessFile adds whether what a file of access says is in force.
func WatchAccessFile(r prometheus.Registerer, what string, stale func() bool) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "makegood_access_file_stale",
		Help: "1 while the access file, the certificate or the tills file can not be used as it is, so that what it " +
			"said before is in force, else 0.",
		ConstLabels: prometheus.Labels{"file": what}}, func() float64 {
		if stale() {
			return 1
		}
		return 0
	}))
}

// scrape bounds how long the books and the log may take to answer a scrape.
const scrape = 8 * time.Second
