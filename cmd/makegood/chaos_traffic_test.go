//go:build chaos

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
)

// traffic is what the producers of a chaos send.
type traffic struct {
	seed    uint64
	books   []reference.Record    // sent first
	late    []reference.Record    // of the books stream too: sent while the others flow, each in its turn
	finals  []finalJournal        // what was quoted as final after a close
	others  [4][]reference.Record // of each producer, in the order in which it sends them
	bad     map[string]string     // what breaks the contract, by its bytes: the stream it is sent to
	badList [4][]reference.Record

	tillOrders int // that a shop sends as webhooks
	volume     volume

	sent atomic.Int64

	mu      sync.Mutex
	share   float64 // how much of it may be sent by now: so that it flows for as long as faults happen
	changed chan struct{}
}

// newTraffic draws it. Where the broker stamps records, rates change as well while all flows; where producers do, a
// copy that was held up is younger than it says, and which of two counts says nothing of which of them a rate precedes.
func newTraffic(t *testing.T, seed uint64, faults int, stamps bool) *traffic {
	random := rand.New(rand.NewPCG(seed, 6))
	const atOnce = 120 // orders that the reference bears well: it takes the square of their number in time
	orders := max(60, 6*faults)
	blocks := (max(0, orders-atOnce) + ordersOfBlock - 1) / ordersOfBlock
	if events := number(t, "MAKEGOOD_CHAOS_EVENTS", 0); events > 0 {
		blocks = int((events + eventsOfBlock - 1) / eventsOfBlock)
	}
	copies := duplicates(t)
	options := reference.Options{Orders: min(orders, atOnce), Periods: true, Duplicates: true, Conflicts: true,
		SecondVoids: true, StockFixes: true}
	records := bookstest.WithoutVoidedConflicts(t, reference.Generate(int64(seed>>1), options))
	x := &traffic{seed: seed, bad: map[string]string{}, changed: make(chan struct{}), tillOrders: 5 * faults,
		volume: volume{seed: seed, blocks: blocks, copies: copies}}
	var rest []reference.Record
	late := map[reference.Identity]bool{} // copies go where the first goes
	for _, r := range records {
		if r.Stream != "books" {
			rest = append(rest, r)
			continue
		}
		id := identityOf(t, r.Event)
		if _, copied := late[id]; !copied {
			late[id] = closesForGood(t, r) != "" || stamps && r.RecordedAt.After(time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC))
		}
		if late[id] {
			x.late = append(x.late, r)
		} else {
			x.books = append(x.books, r)
		}
	}
	const window = 200
	for i := range rest {
		j := min(len(rest)-1, i+random.IntN(window))
		rest[i], rest[j] = rest[j], rest[i]
	}
	for _, r := range rest {
		n := random.IntN(len(x.others))
		x.others[n] = append(x.others[n], r)
		if random.IntN(100) < copies {
			n = random.IntN(len(x.others))
			x.others[n] = append(x.others[n], r)
		}
	}
	for i := range max(10, faults/2) {
		n := i % len(x.others)
		r := broken(i, rest[random.IntN(len(rest))])
		x.badList[n] = append(x.badList[n], r)
		if n >= 2 { // the gateway refuses them; the log takes whatever comes
			x.bad[string(r.Event)] = r.Stream
		}
	}
	return x
}

// closesForGood is the month, as YYYY-MM, that a record of the books stream closes and that nothing reopens; empty
// where it closes none.
func closesForGood(t *testing.T, r reference.Record) string {
	var e struct {
		Type string
		Time time.Time
		Data struct{ Period string }
	}
	if err := json.Unmarshal(r.Event, &e); err != nil {
		t.Fatal(err)
	}
	reopened := time.Date(2026, 2, 9, 0, 0, 0, 0, time.UTC) // January, for the last time
	if e.Type != "makegood.period.closed.v1" || !e.Time.After(reopened) || e.Data.Period == "2025-12" {
		return ""
	}
	return e.Data.Period
}

// finalJournal is a month's journal as it was quoted for ever.
type finalJournal struct {
	query url.Values
	text  string
}

// sendLate sends what changes the terms while all else happens. After each close for good it asks for the month's final
// journal until that is given.
func (x *traffic) sendLate(ctx context.Context, t *testing.T, f *fleet) error {
	asking, ctx := errgroup.WithContext(ctx)
	asked := map[string]bool{}
	asking.Go(func() error {
		for i, r := range x.late {
			if err := x.await(ctx, float64(i+1)/float64(len(x.late)+1)); err != nil {
				return err
			}
			if err := sendUntilAcknowledged(ctx, newClient(f.gateways[i%len(f.gateways)]), []reference.Record{r},
				x.seed); err != nil {
				return err
			}
			x.sent.Add(1)
			if month := closesForGood(t, r); month != "" && !asked[month] { // it may be sent twice
				asked[month] = true
				asking.Go(func() error { return x.quote(ctx, f, month) })
			}
		}
		return nil
	})
	return asking.Wait()
}

// quote keeps the final journal of a month.
func (x *traffic) quote(ctx context.Context, f *fleet, month string) error {
	first, err := time.Parse("2006-01", month)
	if err != nil {
		return err
	}
	q := url.Values{"from": {first.Format(time.DateOnly)}, "to": {first.AddDate(0, 1, 0).Format(time.DateOnly)},
		"final": {"true"}}
	if x.volume.blocks <= 10 { // else they are too many for one answer
		q.Set("detail", "events")
	}
	text, err := x.final(ctx, f, q)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.finals = append(x.finals, finalJournal{q, text})
	return nil
}

// final asks one gateway after the other for a journal until it is given as final.
func (x *traffic) final(ctx context.Context, f *fleet, q url.Values) (string, error) {
	for try := 0; ; try++ {
		c := newClient(f.gateways[try%len(f.gateways)])
		c.http.Timeout = 20 * time.Second
		var text strings.Builder
		err := c.get(ctx, "/v1/journal", q, &text)
		var p *problem
		switch {
		case err == nil:
			return text.String(), nil
		case errors.As(err, &p) && p.Status != http.StatusServiceUnavailable && p.Status != http.StatusInternalServerError:
			return "", fmt.Errorf("the final journal of %s: %w", q.Get("from"), err)
		case ctx.Err() != nil:
			return "", err
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// await waits until that share of the traffic may be sent.
func (x *traffic) await(ctx context.Context, share float64) error {
	for {
		x.mu.Lock()
		reached, changed := x.share >= share, x.changed
		x.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// broken makes an event that breaks the contract, in one of several ways.
func broken(i int, r reference.Record) reference.Record {
	var e map[string]any
	decoder := json.NewDecoder(bytes.NewReader(r.Event))
	decoder.UseNumber()
	if err := decoder.Decode(&e); err != nil {
		panic(err) // the generator made it
	}
	e["id"] = fmt.Sprintf("broken-%d", i)
	switch i % 3 {
	case 0:
		e["type"] = "makegood.order.vanished.v1"
	case 1:
		e["data"].(map[string]any)["store_id"] = strings.Repeat("x", 129)
	case 2:
		delete(e, "time")
	}
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // as above
	}
	return reference.Record{Stream: r.Stream, Event: text}
}

// allow lets producers send that share of what they have.
func (x *traffic) allow(share float64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.share = share
	close(x.changed)
	x.changed = make(chan struct{})
}

// take is the next batch of a producer, when it may be sent; nothing where it has sent all.
func (x *traffic) take(ctx context.Context, all []reference.Record, at, most int) ([]reference.Record, error) {
	for at < len(all) {
		x.mu.Lock()
		allowed, changed := int(x.share*float64(len(all))), x.changed
		x.mu.Unlock()
		if at < allowed {
			return all[at:min(at+most, allowed)], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, nil
}

// sendBooks sends the books stream, in its order, before anything else; but for what comes later.
func (x *traffic) sendBooks(ctx context.Context, t *testing.T, f *fleet) {
	if err := sendUntilAcknowledged(ctx, newClient(f.gateways[0]), x.books, x.seed); err != nil {
		t.Fatal(err)
	}
	x.sent.Add(int64(len(x.books)))
}

// producers are what sends the rest.
func (x *traffic) producers(t *testing.T, f *fleet) []func(context.Context) error {
	all := []func(context.Context) error{
		func(ctx context.Context) error { return x.overTill(ctx, f) },
		func(ctx context.Context) error { return x.sendLate(ctx, t, f) },
	}
	for n, open := range [lanes]func(n uint64) (sendFunc, func() error){
		func(n uint64) (sendFunc, func() error) { return x.overHTTP(f, n) },
		func(n uint64) (sendFunc, func() error) { return x.overHTTP(f, n) },
		func(n uint64) (sendFunc, func() error) {
			return x.overKafka(f, n, kafkago.Murmur2Balancer{Consistent: true}, false)
		},
		func(n uint64) (sendFunc, func() error) { return x.overKafka(f, n, &kafkago.Hash{}, true) },
	} {
		all = append(all, func(ctx context.Context) error {
			send, end := open(uint64(10 + n))
			return errors.Join(x.flow(ctx, n, send), end())
		}, func(ctx context.Context) error {
			send, end := open(uint64(20 + n))
			return errors.Join(x.volume.flow(ctx, t, x, n, send), end())
		})
	}
	return all
}

// sendFunc sends events, and some that break the contract, until they are acknowledged.
type sendFunc func(ctx context.Context, good, bad []reference.Record) error

// flow sends what one producer has, in its order and in batches of random sizes, each when it may be sent.
func (x *traffic) flow(ctx context.Context, n int, send sendFunc) error {
	random := rand.New(rand.NewPCG(x.seed, uint64(30+n)))
	broken := x.mixed(n)
	for at := 0; ; {
		batch, err := x.take(ctx, x.others[n], at, 1+random.IntN(20))
		if err != nil || len(batch) == 0 {
			return err
		}
		if err := send(ctx, batch, broken(at)); err != nil {
			return err
		}
		at += len(batch)
		x.sent.Add(int64(len(batch)))
	}
}

// mixed puts the broken events among the others: so many of them at each place.
func (x *traffic) mixed(n int) func(at int) []reference.Record {
	bad, every := x.badList[n], max(1, len(x.others[n])/max(1, len(x.badList[n])))
	return func(at int) (some []reference.Record) {
		for len(bad) > 0 && (len(x.badList[n])-len(bad))*every <= at {
			some, bad = append(some, bad[0]), bad[1:]
		}
		return some
	}
}

// overHTTP sends to one gateway after the other.
func (x *traffic) overHTTP(f *fleet, n uint64) (sendFunc, func() error) {
	random := rand.New(rand.NewPCG(x.seed, n))
	var gateways []*client
	for _, url := range f.gateways {
		c := newClient(url)
		c.http.Timeout = 20 * time.Second
		gateways = append(gateways, c)
	}
	return func(ctx context.Context, good, bad []reference.Record) error {
		var events [][]byte
		for _, r := range slices.Concat(bad, good) {
			events = append(events, r.Event)
		}
		body := append(append([]byte{'['}, bytes.Join(events, []byte{','})...), ']')
		for try := int(n); ; try++ {
			err := gateways[try%len(gateways)].post(ctx, "/v1/events", "application/cloudevents-batch+json",
				bytes.NewReader(body), nil)
			done, err := taken(err, len(good), len(bad))
			if err != nil || done {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			time.Sleep(time.Duration(20+random.IntN(80)) * time.Millisecond)
		}
	}, func() error { return nil }
}

// taken reads a gateway's answer: all the good ones are acknowledged, or it is to be sent again, or the answer is
// wrong.
func taken(err error, good, bad int) (bool, error) {
	var p *problem
	switch {
	case err == nil && bad == 0:
		return true, nil
	case err == nil:
		return false, fmt.Errorf("a batch with %d broken events was accepted", bad)
	case !errors.As(err, &p), p.Status == http.StatusServiceUnavailable, p.Status == http.StatusTooManyRequests:
		return false, nil
	case p.Status == http.StatusUnprocessableEntity && p.Accepted == good && len(p.Errors) == bad:
		return true, nil
	default:
		return false, fmt.Errorf("a batch of %d good and %d broken events is answered with %d: %w %+v", good, bad, p.Status,
			err, p.Errors)
	}
}

// overKafka writes straight to the log.
func (x *traffic) overKafka(f *fleet, n uint64, balancer kafkago.Balancer, binary bool) (sendFunc, func() error) {
	random := rand.New(rand.NewPCG(x.seed, n))
	w := &kafkago.Writer{Addr: kafkago.TCP(f.brokerPath.addr()), Balancer: balancer, BatchTimeout: time.Millisecond,
		RequiredAcks: kafkago.RequireAll,
		MaxAttempts:  2, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second,
		Transport: &kafkago.Transport{MetadataTTL: 2 * time.Second, DialTimeout: 2 * time.Second}}
	return func(ctx context.Context, good, bad []reference.Record) error {
		var messages []kafkago.Message
		for _, r := range bad {
			messages = append(messages, structuredRecord(r))
		}
		for _, r := range good {
			if binary && random.IntN(2) == 0 {
				messages = append(messages, binaryRecord(r))
			} else {
				messages = append(messages, structuredRecord(r))
			}
		}
		for len(messages) > 0 {
			one, cancel := context.WithTimeout(ctx, 30*time.Second)
			err := w.WriteMessages(one, messages...)
			cancel()
			var failed kafkago.WriteErrors
			switch {
			case err == nil:
				messages = nil
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.As(err, &failed):
				var again []kafkago.Message
				for i, err := range failed {
					if err != nil {
						again = append(again, messages[i])
					}
				}
				messages = again
				time.Sleep(100 * time.Millisecond)
			default:
				time.Sleep(100 * time.Millisecond)
			}
		}
		return nil
	}, w.Close
}

func keyOfRecord(r reference.Record) []byte {
	var e struct{ Subject string }
	if err := json.Unmarshal(r.Event, &e); err != nil {
		panic(err) // the generator made it
	}
	return []byte(e.Subject)
}

func structuredRecord(r reference.Record) kafkago.Message {
	return kafkago.Message{Topic: "makegood." + r.Stream, Key: keyOfRecord(r), Value: r.Event,
		Headers: []kafkago.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")}}}
}

// attributes are those of the envelope that a record in binary mode has as headers.
var attributes = []string{"specversion", "id", "source", "type", "time", "subject"}

func binaryRecord(r reference.Record) kafkago.Message {
	var e map[string]json.RawMessage
	if err := json.Unmarshal(r.Event, &e); err != nil {
		panic(err) // the generator made it
	}
	m := kafkago.Message{Topic: "makegood." + r.Stream, Key: keyOfRecord(r), Value: e["data"],
		Headers: []kafkago.Header{{Key: "content-type", Value: []byte("application/json")}}}
	for _, name := range attributes {
		if len(e[name]) == 0 {
			continue
		}
		var value string
		if err := json.Unmarshal(e[name], &value); err != nil {
			panic(err) // as above
		}
		m.Headers = append(m.Headers, kafkago.Header{Key: "ce_" + name, Value: []byte(value)})
	}
	return m
}
