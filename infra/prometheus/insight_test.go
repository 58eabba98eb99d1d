package prometheus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/makegood/makegood/projections/insight"
)

func sampleInsight() InsightConfig {
	return InsightConfig{
		Signals: func(context.Context) ([]insight.Signal, error) {
			return []insight.Signal{
				{Chart: insight.ChartCases, Series: "company", Currency: "USD", Observed: 80, Usual: 78.5},
				{Chart: insight.ChartCases, Series: "store", Of: "s1", Currency: "USD", Observed: 59, Usual: 30.25, Worse: true},
				{Chart: insight.ChartMoney, Series: "store", Of: "s1", Currency: "USD", Observed: 250, Usual: 120},
				{Chart: insight.ChartRightFirstTime, Series: "store", Of: "s2", Currency: "USD", Observed: 4, Usual: 3},
			}, nil
		},
		Sources: func(context.Context) ([]insight.Source, error) {
			return []insight.Source{{What: "till", Name: "/tills/1", Store: "s1", Orders: 900, Expected: 14.5, Silent: true},
				{What: "store", Name: "s1", Store: "s1", Orders: 1800, Expected: 0.5}}, nil
		},
		Now: func() time.Time { return noon }, Logger: slog.New(slog.DiscardHandler),
	}
}

// watchedInsight has looked once.
func watchedInsight(t *testing.T, c InsightConfig) (*prometheus.Registry, *Insight) {
	t.Helper()
	r := prometheus.NewRegistry()
	i, err := WatchInsight(r, c)
	if err != nil {
		t.Fatal(err)
	}
	i.look(t.Context())
	return r, i
}

func TestInsight(t *testing.T) {
	r, _ := watchedInsight(t, sampleInsight())
	if err := testutil.GatherAndCompare(r, golden(t, "insight.txt")); err != nil {
		t.Error(err)
	}
}

// TestWhatCallsIsToldApart gives more stores and tills than labels: those that call for somebody are told apart, even
// small ones; where there are still too many, the others call as one; and no failure is lost.
func TestWhatCallsIsToldApart(t *testing.T) {
	c := sampleInsight()
	c.LabelValues = 2
	calling := 1
	c.Signals = func(context.Context) ([]insight.Signal, error) {
		var signals []insight.Signal
		for i := range 10 {
			for _, chart := range []string{insight.ChartCases, insight.ChartMoney} {
				signals = append(signals, insight.Signal{Chart: chart, Series: "store", Of: fmt.Sprintf("s%d", i),
					Currency: "USD", Observed: float64(10 * i), Usual: float64(i), Worse: i < calling})
			}
		}
		return signals, nil
	}
	c.Sources = func(context.Context) ([]insight.Source, error) {
		var sources []insight.Source
		for i := range 10 {
			sources = append(sources, insight.Source{What: "till", Name: fmt.Sprintf("t%d", i), Store: "s1",
				Orders: float64(100 + i), Expected: float64(20 - i), Silent: i < calling})
		}
		return sources, nil
	}
	r, i := watchedInsight(t, c)
	if err := testutil.GatherAndCompare(r, golden(t, "insight_bounded.txt"), "makegood_signal",
		"makegood_signal_failures", "makegood_signal_amount", "makegood_source_silent",
		"makegood_source_expected_orders"); err != nil {
		t.Error(err)
	}
	calling = 3
	i.look(t.Context())
	if err := testutil.GatherAndCompare(r, golden(t, "insight_many_call.txt"), "makegood_signal",
		"makegood_source_silent"); err != nil {
		t.Error(err)
	}
}

// TestWhatFailsStaysAsItWas: what can't be worked out is counted, and its last values stay with their time; the other
// question goes on.
func TestWhatFailsStaysAsItWas(t *testing.T) {
	c := sampleInsight()
	now, down := noon, false
	c.Now = func() time.Time { return now }
	signals := c.Signals
	c.Signals = func(ctx context.Context) ([]insight.Signal, error) {
		if down {
			return nil, errors.New("down")
		}
		return signals(ctx)
	}
	r, i := watchedInsight(t, c)
	before, err := testutil.GatherAndCount(r, "makegood_signal")
	if err != nil || before != 4 {
		t.Fatalf("%d signals (%v)", before, err)
	}
	now, down = noon.Add(time.Hour), true
	if wait := i.look(t.Context()); wait != i.config.Again {
		t.Errorf("it is tried again after %s", wait)
	}
	const text = "# HELP makegood_insight_failures_total Times that the signals, or the sources, could not be worked " +
		"out: what they said before stays." + `
# TYPE makegood_insight_failures_total counter
makegood_insight_failures_total{question="signals"} 1
makegood_insight_failures_total{question="sources"} 0
# HELP makegood_insight_timestamp_seconds When the signals, or the sources, were worked out last; 0: not yet.
# TYPE makegood_insight_timestamp_seconds gauge
makegood_insight_timestamp_seconds{question="signals"} %d
makegood_insight_timestamp_seconds{question="sources"} %d
`
	if err := testutil.GatherAndCompare(r, strings.NewReader(fmt.Sprintf(text, noon.Unix(), now.Unix())),
		"makegood_insight_failures_total", "makegood_insight_timestamp_seconds"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(r, "makegood_signal"); err != nil || n != before {
		t.Errorf("%d signals (%v), %d before", n, err, before)
	}
}

// TestRunLooksEveryHour while it is scraped: at once, then after the time that what it found asks for.
func TestRunLooksEveryHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := sampleInsight()
		var looks atomic.Int64
		c.Signals = func(context.Context) ([]insight.Signal, error) {
			switch looks.Add(1) {
			case 1:
				return nil, errors.New("down")
			case 2:
				return nil, nil
			}
			return []insight.Signal{{Chart: insight.ChartCases, Series: "company", Currency: "USD"}}, nil
		}
		c.Sources = func(context.Context) ([]insight.Source, error) { return nil, nil }
		r := prometheus.NewRegistry()
		i, err := WatchInsight(r, c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			i.Run(ctx)
		}()
		for n, after := range []time.Duration{0, 5 * time.Minute, time.Minute, time.Hour, time.Hour} {
			if after > 0 {
				time.Sleep(after - time.Second)
				synctest.Wait()
				if looks.Load() != int64(n) {
					t.Errorf("%d looks before the time of the %dth", looks.Load(), n+1)
				}
				time.Sleep(time.Second)
			}
			synctest.Wait()
			if looks.Load() != int64(n+1) {
				t.Errorf("%d looks, not %d", looks.Load(), n+1)
			}
			if _, err := r.Gather(); err != nil {
				t.Error(err)
			}
		}
		stop()
		<-ended
	})
}

// TestAProcessThatEndsHasNotFailed: a look that is broken off by the end counts no failure.
func TestAProcessThatEndsHasNotFailed(t *testing.T) {
	c := sampleInsight()
	ctx, stop := context.WithCancel(t.Context())
	c.Signals = func(ctx context.Context) ([]insight.Signal, error) {
		stop()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	i, err := WatchInsight(prometheus.NewRegistry(), c)
	if err != nil {
		t.Fatal(err)
	}
	i.Run(ctx)
	if i.signalled.failures != 0 || i.heard.failures != 0 {
		t.Errorf("%+v, %+v", i.signalled, i.heard)
	}
}
