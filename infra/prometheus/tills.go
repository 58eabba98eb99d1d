package prometheus

import "github.com/prometheus/client_golang/prometheus"

// TillCounts are what a process has done for a till since it started.
type TillCounts struct {
	Received, Unsigned, Mapped, Events, Nothing, Refused int64
	Last                                                 int64 // Unix, in milliseconds; 0: nothing came
	Aside                                                int   // files that lie refused in its folder
}

// TillRequestCounts are what became of the requests of all tills since a process started.
type TillRequestCounts struct{ Kept, Unknown, Unsigned, TooLarge, Shed, Failed int64 }

var (
	tillReceived = tillDesc("makegood_till_received_total", "Bodies and files of a till that came here.")
	tillUnsigned = tillDesc("makegood_till_unsigned_total", "Requests for a till that it did not sign.")
	tillMapped   = tillDesc("makegood_till_mapped_total", "Bodies and files of a till that were mapped, copies included.")
	tillEvents   = tillDesc("makegood_till_events_total", "Events that were made of them.")
	tillNothing  = tillDesc("makegood_till_nothing_total", "Bodies of a till that say nothing that the books want.")
	tillRefused  = tillDesc("makegood_till_refused_total",
		"Bodies and files of a till that no event could be made of, copies included.")
	tillLast = tillDesc("makegood_till_last_received_timestamp_seconds",
		"When the last body or file of a till came here; there is none before the first.")
	tillAside = tillDesc("makegood_till_refused_files", "Files that lie refused in the folder of a till.")
)

func tillDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"till"}, nil)
}

// WatchTills adds what is done for each till. They are as many as the tills file names.
func WatchTills(r prometheus.Registerer, each func(func(till string, c TillCounts))) {
	r.MustRegister(tillCollector(each))
}

type tillCollector func(func(till string, c TillCounts))

// Describe names the metrics.
func (tillCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{tillReceived, tillUnsigned, tillMapped, tillEvents, tillNothing, tillRefused,
		tillLast, tillAside} {
		out <- d
	}
}

// Collect says how it stands.
func (each tillCollector) Collect(out chan<- prometheus.Metric) {
	each(func(till string, c TillCounts) {
		for d, n := range map[*prometheus.Desc]int64{tillReceived: c.Received, tillUnsigned: c.Unsigned,
			tillMapped: c.Mapped, tillEvents: c.Events, tillNothing: c.Nothing, tillRefused: c.Refused} {
			out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), till)
		}
		out <- prometheus.MustNewConstMetric(tillAside, prometheus.GaugeValue, float64(c.Aside), till)
		if c.Last > 0 {
			out <- prometheus.MustNewConstMetric(tillLast, prometheus.GaugeValue, float64(c.Last)/1000, till)
		}
	})
}

// WatchTillRequests adds what became of requests for tills.
func WatchTillRequests(r prometheus.Registerer, read func() TillRequestCounts) {
	for outcome, of := range map[string]func(TillRequestCounts) int64{
		"kept":      func(c TillRequestCounts) int64 { return c.Kept },
		"unknown":   func(c TillRequestCounts) int64 { return c.Unknown },
		"unsigned":  func(c TillRequestCounts) int64 { return c.Unsigned },
		"too_large": func(c TillRequestCounts) int64 { return c.TooLarge },
		"shed":      func(c TillRequestCounts) int64 { return c.Shed },
		"failed":    func(c TillRequestCounts) int64 { return c.Failed },
	} {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "makegood_till_requests_total",
			Help: "Requests of tills, by outcome: kept, for a till that is not configured (unknown), not signed by it " +
				"(unsigned), larger than the log takes (too_large), turned away for want of room (shed), not acknowledged " +
				"by the brokers (failed).",
			ConstLabels: prometheus.Labels{"outcome": outcome}}, func() float64 { return float64(of(read())) }))
	}
}
