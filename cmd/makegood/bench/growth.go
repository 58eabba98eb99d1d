package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
)

// growth books more and more history, one order in fifty with a refund, and measures at each size how fast the last
// tenth of a million was booked and how long people wait for answers. The aim is flat. From 1 to 10 million rows the
// rate fell from 84,000 to 68,000 a second, for merges of what is larger; one order took 9 and 14 ms, status 23 and 17,
// the check for conflicts 0.2 and 0.5 s. The reports took 50 and 170 ms: twenty events a second of business put all of
// this history into six days, so they have ten times as many cases to sum up.
func (b *bench) growth(ctx context.Context) (err error) {
	b.prefix += "growth." // topics of its own
	a, err := b.app(ctx, server.RoleProjector)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	history := slices.Sorted(slices.Values(b.History))
	if len(history) == 0 {
		return errors.New("--history names no size")
	}
	step := max(1, min(100_000, history[0]/2))
	events := &benchEvents{run: "h"}
	have := 0
	more := func(n int) error {
		_, err := b.write(ctx, events, n, func(i int, e *domain.Event) *domain.Event {
			if i%50 != 49 {
				return e
			}
			r := benchRefund(e.StoreID, e.ID)
			r.Time, r.OrderID = e.Time, e.OrderID
			return r
		})
		have += n
		return errors.Join(err, a.Booked(ctx, int64(have)))
	}
	b.say("\ngrowth:")
	for _, size := range history {
		for have < size-step {
			if err := more(min(step*5, size-step-have)); err != nil {
				return err
			}
		}
		self, server := now(), cpuOf(b.serverPID)
		start := time.Now()
		if err := more(step); err != nil {
			return err
		}
		seconds, spent := time.Since(start).Seconds(), self.until().cpu+cpuOf(b.serverPID)-server
		b.say("  %11s rows: written to the log and booked %s/s (CPU %.1f µs)", terminal.Count(float64(have)),
			terminal.Count(float64(step)/seconds), spent.Seconds()*1e6/float64(step))
		if err := b.answers(ctx, a, events); err != nil {
			return err
		}
	}
	return nil
}

// answers times what people ask, and the check that runs in the background.
func (b *bench) answers(ctx context.Context, a *server.App, events *benchEvents) error {
	last := benchStart.Add(time.Duration(events.n) * 50 * time.Millisecond)
	month := url.Values{"from": {benchStart.Format(time.DateOnly)},
		"to": {benchStart.AddDate(0, 0, 7).Format(time.DateOnly)}, "group_by": {"store"}}
	all := url.Values{"from": {benchStart.Format(time.DateOnly)}, "to": {last.AddDate(0, 0, 1).Format(time.DateOnly)},
		"group_by": {"store,day"}}
	get := func(path string) func() error {
		return func() error {
			var any any
			return benchGet(ctx, a.URL+path, &any)
		}
	}
	for _, q := range []struct {
		what string
		do   func() error
	}{
		{"leakage of a week by store", get("/v1/reports/leakage?" + month.Encode())},
		{"leakage of all by store and day", get("/v1/reports/leakage?" + all.Encode())},
		{"one order", get("/v1/orders/oh" + strconv.Itoa(events.n/2))},
		{"status", get("/v1/status")},
		{"check for conflicts", func() error { _, err := a.Projector.SettleConflicts(ctx); return err }},
	} {
		const times = 5
		took := make([]time.Duration, times)
		for i := range took {
			start := time.Now()
			if err := q.do(); err != nil {
				return fmt.Errorf("%s: %w", q.what, err)
			}
			took[i] = time.Since(start)
		}
		b.say("      %-32s first %8s  median %8s", q.what, took[0].Round(100*time.Microsecond), quantile(took, .5))
	}
	return nil
}
