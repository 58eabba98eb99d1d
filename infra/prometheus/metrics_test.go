package prometheus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func sampleGauges() *report.Gauges {
	return &report.Gauges{
		Leakage: []report.LeakageGauge{
			{Currency: "USD", Store: "s1", Kind: "wrong_item", RootCause: "pick_pack", Element: "FLEET", Basis: "IMPUTED",
				Day: 57.15, Month: 57.15, Today: 1},
			{Currency: "USD", Store: "s2", Kind: "damaged", RootCause: "", Element: "RECOVERY", Basis: "ACCRUED", Month: -25},
		},
		Spend:       []report.SpendGauge{{Currency: "USD", Category: "prevention", Month: 80}},
		DeadLetters: []report.ReasonGauge{{Reason: "bad_json", Open: 2}},
		Newest:      noon,
	}
}

func sampleConfig() BooksConfig {
	return BooksConfig{
		Count: func(context.Context) (report.Counts, error) {
			return report.Counts{Events: 3, Unpriced: 1}, nil
		},
		Gauges:     func(context.Context) (*report.Gauges, error) { return sampleGauges(), nil },
		Unbalanced: func(context.Context) (uint64, error) { return 0, nil },
		Served: func(context.Context) (report.Served, error) {
			return report.Served{All: 10, Promised: 9, OnTime: 9, InFull: 9, Perfect: 8, RightFirstTime: 7, Silent: 1}, nil
		},
		Due: func(context.Context) ([]insight.DueClaim, error) {
			return []insight.DueClaim{{Vendor: "v1", Currency: "USD", Amount: 60, Ends: noon.Add(48 * time.Hour)},
				{Vendor: "v2", Currency: "USD", Amount: 6, Ends: noon.Add(-time.Hour)}}, nil
		},
		Now: func() time.Time { return noon }, Logger: slog.New(slog.DiscardHandler),
	}
}

// full is a registry with every metric, each with a value.
func full(t *testing.T) *prometheus.Registry {
	t.Helper()
	r := NewRegistry()
	var stats post.Stats
	WatchProjector(r, &stats, func() int { return 1 })
	WatchLog(r, func() []LogChange { return []LogChange{{Kind: "topic_remade", Topic: "makegood.orders"}} })
	NewLandings(r).Landed(post.Landing{Records: 3, Took: time.Second, Insert: time.Second,
		DeadLetters: map[string]int{"bad_json": 1}})
	WatchGateway(r, func() GatewayCounts { return GatewayCounts{} })
	WatchTurnedAway(r, func() map[string]int64 { return map[string]int64{"host": 1, "reports": 2} })
	WatchBroker(r, func() map[string]int64 { return map[string]int64{"rights": 1} })
	WatchAccess(r, func() AccessCounts { return AccessCounts{Missing: 1} })
	WatchAccessFile(r, "certificate", func() bool { return true })
	WatchTills(r, func(each func(string, TillCounts)) { each("shop", TillCounts{Received: 2, Mapped: 1, Last: 1}) })
	WatchTillRequests(r, func() TillRequestCounts { return TillRequestCounts{} })
	WatchLag(r, func(context.Context) ([]Progress, error) { return []Progress{{"makegood.orders", 0, 9, 7}}, nil },
		func() time.Time { return noon }, slog.New(slog.DiscardHandler))
	if err := WatchBooks(r, sampleConfig()); err != nil {
		t.Fatal(err)
	}
	watched, err := WatchInsight(r, sampleInsight())
	if err != nil {
		t.Fatal(err)
	}
	watched.look(t.Context())
	return r
}

// golden opens a file of testdata that holds what a scrape is to say.
func golden(t *testing.T, name string) io.Reader {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(text)
}

func TestNamesAndUnits(t *testing.T) {
	problems, err := testutil.GatherAndLint(full(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "makegood_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestLeakage(t *testing.T) {
	err := testutil.GatherAndCompare(full(t), golden(t, "leakage.txt"), "makegood_leakage_amount", "makegood_lag_records")
	if err != nil {
		t.Error(err)
	}
}

// TestLabelsAreBounded gives more stores than labels: the largest stay, the rest is other, and nothing is lost.
func TestLabelsAreBounded(t *testing.T) {
	c := sampleConfig()
	c.LabelValues = 2
	c.Gauges = func(context.Context) (*report.Gauges, error) {
		var g report.Gauges
		for i := range 10 {
			g.Leakage = append(g.Leakage, report.LeakageGauge{Currency: "USD", Store: fmt.Sprintf("s%d", i), Kind: "late",
				RootCause: "carrier", Element: "LABOUR", Basis: "IMPUTED", Month: float64(i)})
		}
		return &g, nil
	}
	r := prometheus.NewRegistry()
	if err := WatchBooks(r, c); err != nil {
		t.Fatal(err)
	}
	err := testutil.GatherAndCompare(r, golden(t, "bounded.txt"), "makegood_leakage_amount")
	if err != nil {
		t.Error(err)
	}
}

// TestSeriesAreBounded gives labels whose product is too much: fewer are told apart until it fits.
func TestSeriesAreBounded(t *testing.T) {
	c := sampleConfig()
	c.LabelValues = 1000
	c.Gauges = func(context.Context) (*report.Gauges, error) {
		var g report.Gauges
		for i := range 3 * maxLeakageSeries {
			g.Leakage = append(g.Leakage, report.LeakageGauge{Currency: "USD", Store: fmt.Sprint(i % 300),
				Kind: fmt.Sprint(i / 300), RootCause: "x", Month: 1})
		}
		return &g, nil
	}
	r := prometheus.NewRegistry()
	if err := WatchBooks(r, c); err != nil {
		t.Fatal(err)
	}
	n, err := testutil.GatherAndCount(r, "makegood_leakage_amount")
	if err != nil || n > maxLeakageSeries || n < 100 {
		t.Errorf("%d series (%v), at most %d are wanted", n, err, maxLeakageSeries)
	}
}

// TestBooksAreNotAskedTooOften scrapes within the time that numbers stay fresh, and after.
func TestBooksAreNotAskedTooOften(t *testing.T) {
	c := sampleConfig()
	now, reads, audits := noon, 0, 0
	c.Now = func() time.Time { return now }
	c.Gauges = func(context.Context) (*report.Gauges, error) { reads++; return sampleGauges(), nil }
	c.Unbalanced = func(context.Context) (uint64, error) { audits++; return 0, nil }
	r := prometheus.NewRegistry()
	if err := WatchBooks(r, c); err != nil {
		t.Fatal(err)
	}
	for _, after := range []time.Duration{0, time.Second, 5 * time.Second, 10 * time.Minute} {
		now = noon.Add(after)
		if _, err := r.Gather(); err != nil {
			t.Fatal(err)
		}
	}
	if reads != 3 || audits != 2 {
		t.Errorf("the books were read %d times and audited %d times, 3 and 2 are wanted", reads, audits)
	}
}

func TestBooksThatCannotBeRead(t *testing.T) {
	r := prometheus.NewRegistry()
	c := sampleConfig()
	c.Gauges = func(context.Context) (*report.Gauges, error) { return sampleGauges(), errors.New("down") }
	if err := WatchBooks(r, c); err != nil {
		t.Fatal(err)
	}
	err := testutil.GatherAndCompare(r, strings.NewReader(`
# HELP makegood_books_readable 1 when the books could be read for this scrape, else 0.
# TYPE makegood_books_readable gauge
makegood_books_readable 0
`))
	if err != nil {
		t.Error(err) // no number is better than one that isn't true
	}
}
