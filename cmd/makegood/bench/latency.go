package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/kafka"
)

// probeEvery is how often latency sends an event that it looks for in the report.
const probeEvery = 50 * time.Millisecond

// watchEvery is how long the report is left alone between two looks: who asks without a pause measures the asking.
const watchEvery = 50 * time.Millisecond

// latency measures, under a steady load, how long it takes from the moment that an event is accepted, which is that the
// brokers have acknowledged it, until a report over HTTP shows it. Each probe is a refund in a store of its own.
func (b *bench) latency(ctx context.Context) (err error) {
	a, err := b.app(ctx, server.RoleProjector)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	// First what is in the topic, if anything, and one more: then the group has been joined.
	backlog := 1
	if slices.Contains(b.Only, "pipe") || slices.Contains(b.Only, "stages") {
		backlog += b.Events
	}
	if _, err := b.write(ctx, &benchEvents{run: "w"}, 1, nil); err != nil {
		return err
	}
	if err := a.Booked(ctx, int64(backlog)); err != nil {
		return err
	}
	publisher, err := kafka.NewPublisher(kafka.PublisherConfig{Config: b.kafkaConfig()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, publisher.Close()) }()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := &probeWatch{url: a.URL, accepted: map[string]time.Time{}, sent: make(chan struct{})}
	var working sync.WaitGroup
	var failed, missed error
	sent := 0
	working.Go(func() {
		sent, failed = b.load(ctx, publisher)
	})
	working.Go(func() {
		missed = watch.watch(ctx)
	})
	start := time.Now()
	for i := 0; time.Since(start) < time.Duration(b.Seconds)*time.Second; i++ {
		store := "probe" + strconv.Itoa(i)
		if err := publisher.Publish(b.prefix+domain.Redeliveries.String(),
			benchMessage(benchRefund(store, "probe"+b.prefix+strconv.Itoa(b.made)+store))); err != nil {
			cancel()
			working.Wait()
			return fmt.Errorf("send a probe: %w", err)
		}
		watch.add(store)
		time.Sleep(time.Until(start.Add(time.Duration(i+1) * probeEvery)))
	}
	close(watch.sent)
	working.Wait()
	if err := errors.Join(failed, missed); err != nil {
		return err
	}
	b.say("\nlatency from accepted to in the report of %s/leakage, while %s order events a second arrive (%s asked "+
		"for), %d probes:", a.URL,
		terminal.Count(float64(sent)/float64(b.Seconds)), terminal.Count(float64(b.Rate)), len(watch.took))
	b.say("  p50 %s  p90 %s  p99 %s  worst %s", quantile(watch.took, .5), quantile(watch.took, .9),
		quantile(watch.took, .99), quantile(watch.took, 1))
	return nil
}

func benchRefund(store, id string) *domain.Event {
	return &domain.Event{Source: "//bench/probe", ID: id, Type: domain.TypeRefundIssued, Time: benchStart, OrderID: id,
		ErrorID: "e" + id, StoreID: store, Currency: "USD",
		Data: &domain.RefundIssued{RefundID: "r" + id, Net: 10_000_000}}
}

// load publishes order events at the rate asked for, every ten milliseconds some, as long as is measured.
func (b *bench) load(ctx context.Context, publisher *kafka.Publisher) (sent int, err error) {
	events := &benchEvents{run: "l" + strconv.Itoa(b.made) + "-"}
	start := time.Now()
	var batch []*message.Message
	for elapsed := time.Duration(0); elapsed < time.Duration(b.Seconds)*time.Second &&
		ctx.Err() == nil; elapsed = time.Since(start) {
		due := int(elapsed.Seconds() * float64(b.Rate))
		if due == sent {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		batch = batch[:0]
		for ; sent < due && len(batch) < 5000; sent++ {
			batch = append(batch, benchMessage(events.next()))
		}
		if err := publisher.Publish(b.prefix+domain.Orders.String(), batch...); err != nil {
			return sent, fmt.Errorf("send the load: %w", err)
		}
	}
	return sent, nil
}

// probeWatch asks for the report again and again.
type probeWatch struct {
	url  string
	sent chan struct{} // closed when no more probes come

	mu       sync.Mutex
	accepted map[string]time.Time // by store; those not yet seen
	took     []time.Duration
}

func (w *probeWatch) add(store string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accepted[store] = time.Now()
}

func (w *probeWatch) watch(ctx context.Context) error {
	sent := false
	var deadline time.Time
	for ; ; time.Sleep(watchEvery) {
		rows, err := leakageByStore(ctx, w.url)
		if err != nil {
			return err
		}
		seen := time.Now()
		w.mu.Lock()
		for _, store := range rows {
			if at, ok := w.accepted[store]; ok {
				delete(w.accepted, store)
				w.took = append(w.took, seen.Sub(at))
			}
		}
		left := len(w.accepted)
		w.mu.Unlock()
		select {
		case <-w.sent:
			if !sent {
				sent, deadline = true, time.Now().Add(time.Minute)
			}
		default:
			continue
		}
		if left == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d probes were not in the report after a minute, %d were", left, len(w.took))
		}
	}
}

// leakageByStore lists the stores of the leakage report.
func leakageByStore(ctx context.Context, at string) ([]string, error) {
	query := url.Values{"from": {benchStart.Format(time.DateOnly)},
		"to": {benchStart.AddDate(0, 0, 1).Format(time.DateOnly)}, "group_by": {"store"}}
	var report struct {
		Rows []struct {
			Key map[string]string `json:"key"`
		} `json:"rows"`
	}
	if err := benchGet(ctx, at+"/v1/reports/leakage?"+query.Encode(), &report); err != nil {
		return nil, err
	}
	stores := make([]string, len(report.Rows))
	for i := range report.Rows {
		stores[i] = report.Rows[i].Key["store"]
	}
	return stores, nil
}

// answerOf is the whole answer of an address.
// answerOf asks, as a program or by a mode as a browser does.
func answerOf(ctx context.Context, at string, mode ...string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", at, err)
	}
	if len(mode) > 0 {
		request.Header.Set("Sec-Fetch-Mode", mode[0])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", at, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %s: %w", at, response.Status, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask %s: %s %s", at, response.Status, bytes.TrimSpace(body))
	}
	return body, nil
}

func benchGet(ctx context.Context, at string, into any) error {
	body, err := answerOf(ctx, at)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", at, err)
	}
	return nil
}

// quantile of durations, rounded for people.
func quantile(of []time.Duration, q float64) time.Duration {
	s := slices.Sorted(slices.Values(of))
	if len(s) == 0 {
		return 0
	}
	return s[min(len(s)-1, int(q*float64(len(s))))].Round(100 * time.Microsecond)
}
