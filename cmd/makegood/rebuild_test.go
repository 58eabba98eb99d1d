package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/report"
)

// makegood runs it and wants it to end well.
func makegood(t *testing.T, args ...string) string {
	t.Helper()
	var out, said bytes.Buffer
	if status := run(t.Context(), args, terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &said}); status != 0 {
		t.Fatalf("makegood %s: exit status %d\n%s%s", strings.Join(args, " "), status, &out, &said)
	}
	return out.String()
}

// TestRebuildPricesWhatHadNoRate: the truck, told before anybody had set a rate. A rebuild makes of it what it would
// have been, in an open month; a closed one it leaves as it is, unless told otherwise.
func TestRebuildPricesWhatHadNoRate(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	for _, e := range goldenEvents {
		mustPost(t, c, e)
	}
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := makegood(t, "rebuild", "--yes", "--to", c.base); !strings.Contains(out, "nothing was changed") {
		t.Errorf("with nothing to change it says\n%s", out)
	}
	makegood(t, "close", "2026-01", "--yes", "--actor", "ann", "--to", c.base)
	const closed = "from=2026-01-01&to=2026-02-01&as_of=close:2026-01&group_by=store,element,account&currency=USD"
	ask := func(query string) string {
		t.Helper()
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := c.get(t.Context(), "/v1/reports/leakage", values, &text); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	was := ask(closed)
	ratesCameLate(t, c)
	makegood(t, "rebuild", "--yes", "--actor", "ann", "--reason", "rates came late", "--to", c.base)
	now, err := c.caughtUp(t.Context())
	if err != nil || now.Unpriced != 4 {
		t.Errorf("%d events are unpriced (%v), not the 4 of the closed month", now.Unpriced, err)
	}
	if is := ask(closed); is != was {
		t.Errorf("the closed report changed:\n%s\n%s", was, is)
	}
	makegood(t, "rebuild", "--yes", "--closed-periods", "--actor", "ann", "--reason", "the auditor wants it", "--to",
		c.base)
	if now, err = c.caughtUp(t.Context()); err != nil || now.Unpriced != 0 {
		t.Errorf("%d events are unpriced (%v)", now.Unpriced, err)
	}
	if is := ask(closed); is != was {
		t.Errorf("told to price closed months, the rebuild changes what the closed report says:\n%s\n%s", was, is)
	}
	var story report.Story
	if err := c.get(t.Context(), "/v1/orders/o1", nil, &story); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(story.PerfectContribution, " ", story.Gross, " ", story.Net, " ", story.Hidden, " ",
		story.Unpriced); got != "36.5700 128.3500 103.3500 110.3500 false" {
		t.Errorf("the order reads %s", got)
	}
	rebuiltOnRecord(t, app, c)
}

// ratesCameLate sets the rates after the month was closed, and tries a rebuild that only says what it would change.
func ratesCameLate(t *testing.T, c *client) {
	t.Helper()
	for _, e := range goldenRates {
		mustPost(t, c, e)
	}
	late := strings.NewReplacer(`"5"`, `"5b"`, `"labour_id":"`, `"labour_id":"b`, `"minutes":18`,
		`"minutes":60,"role2":"x"`, `"role":"agent"`,
		`"role":"driver"`).Replace(goldenEvents[4])
	mustPost(t, c, late) // posted to February, and nobody has said what a driver costs
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustPost(t, c, event("r6", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"labour_hour","key":"driver","value":"40","currency":"USD","effective_from":"2026-01-01"}`))

	out := makegood(t, "rebuild", "--dry-run", "--to", c.base)
	for _, want := range []string{"1 events come out otherwise; without a price for some line: 5 before, 4 after",
		"2026-02  5300 recovery_labour     s1       USD  0.0000   40.0000   40.0000",
		"2026-01: 4 events would come out otherwise and stay as a close has seen them", "a dry run"} {
		if !strings.Contains(out, want) {
			t.Errorf("the dry run doesn't say %q but\n%s", want, out)
		}
	}
	now, err := c.caughtUp(t.Context())
	if err != nil || now.Unpriced != 5 {
		t.Fatalf("after a dry run %d events are unpriced (%v)", now.Unpriced, err)
	}
}

// rebuiltOnRecord: who rebuilt the books twice, and why, is on record; again it changes nothing, and nothing is left.
func rebuiltOnRecord(t *testing.T, app *server.App, c *client) {
	t.Helper()
	var said []string
	if err := app.Store.DB.QueryRow(t.Context(),
		`SELECT groupArray(payload) FROM (SELECT payload FROM ledger FINAL WHERE event_type = 'makegood.books.rebuilt.v1' `+
			`AND order_id = '' ORDER BY offset)`).Scan(&said); err != nil {
		t.Fatal(err)
	}
	if len(said) != 2 || !strings.Contains(said[0], `"reason":"rates came late"`) || !strings.Contains(said[0],
		`"events":1`) || !strings.Contains(said[1], `"closed_periods":true`) || !strings.Contains(said[1], `"actor":"ann"`) {
		t.Errorf("on record: %s", said)
	}
	if _, differences := reconcileWith(t, c, ""); differences != "" {
		t.Errorf("the books differ:\n%s", differences)
	}
	if out := makegood(t, "audit", "--to", c.base); !strings.Contains(out, "rates came late") ||
		!strings.Contains(out, ", 1 events") || !strings.Contains(out, "closed months as well") {
		t.Errorf("the audit says\n%s", out)
	}
	// Again it changes nothing, and there is nothing left of it.
	if out := makegood(t, "rebuild", "--yes", "--closed-periods", "--to", c.base); !strings.Contains(out,
		"nothing was changed") {
		t.Errorf("a rebuild right after a rebuild says\n%s", out)
	}
	var p *problem
	if err := c.post(t.Context(), "/v1/rebuild/nobody/swap", "", nil, nil); !errors.As(err, &p) ||
		p.Status != http.StatusNotFound {
		t.Errorf("the swap of no rebuild: %v", err)
	}
}

// TestRebuildMendsWhatIsKeptFromTheLedger: rows that a crash kept from the tables that are fed from the ledger.
func TestRebuildMendsWhatIsKeptFromTheLedger(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, crash := range []string{
		"ALTER TABLE failures DELETE WHERE event_id = '4' SETTINGS mutations_sync = 1",
		"ALTER TABLE leakage_daily DELETE WHERE account = 5300 SETTINGS mutations_sync = 1",
		"ALTER TABLE leakage_daily UPDATE amount = amount + 1 WHERE account = 5110 SETTINGS mutations_sync = 1",
	} {
		if err := app.Store.DB.Exec(t.Context(), crash); err != nil {
			t.Fatal(err)
		}
	}
	if _, differences := reconcileWith(t, c, ""); differences == "" {
		t.Fatal("the crash was not made as it should be")
	}
	if out := makegood(t, "rebuild", "--yes", "--to", c.base); !strings.Contains(out,
		"did not agree with it and are mended") {
		t.Errorf("it says\n%s", out)
	}
	if _, differences := reconcileWith(t, c, ""); differences != "" {
		t.Errorf("the books differ still:\n%s", differences)
	}
}

// hourOf is an hour of somebody's labour on a case, and a case of its own.
func hourOf(id string) string {
	return event(id, "labour.spent", "2026-01-10T00:00:00Z", "o"+id,
		fmt.Sprintf(
			`{"order_id":"o%[1]s","store_id":"s1","error_id":"e%[1]s","labour_id":"l","role":"agent","minutes":60,`+
				`"currency":"USD"}`, id))
}

const agentRate = `{"rate":"labour_hour","key":"agent","value":"10","currency":"USD","effective_from":"2026-01-01"}`

// TestRebuildBesideTheStream: events go on coming while a rebuild computes and swaps, and readers go on reading. What
// came before the rate is priced by the rebuild, what came after by the rate, nothing twice, nothing not.
func TestRebuildBesideTheStream(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	sending, stop := context.WithCancel(t.Context())
	defer stop()
	var others producers
	for n := range 3 {
		others.Go(func() {
			mine := newClient(c.base)
			for i := 0; sending.Err() == nil; i++ {
				var batch []string
				for j := range 50 {
					batch = append(batch, hourOf(fmt.Sprintf("%d-%d-%d", n, i, j)))
				}
				if err := mine.post(t.Context(), "/v1/events", "application/cloudevents-batch+json",
					strings.NewReader("["+strings.Join(batch, ",")+"]"), nil); err != nil {
					t.Error(err)
					return
				}
				others.written.Add(50)
				time.Sleep(30 * time.Millisecond) // enough to come all the while, and not so many that the rest takes minutes
			}
		})
	}
	others.Go(func() {
		reader := newClient(c.base)
		for sending.Err() == nil {
			if err := reader.get(t.Context(), "/v1/reports/leakage", url.Values{"group_by": {"element"}}, nil); err != nil {
				t.Error(err)
				return
			}
		}
	})
	others.awaitMore(t, 1000)
	mustPost(t, c, event("r", "rate.set", "2026-01-01T00:00:00Z", "", agentRate))
	others.awaitMore(t, 500)
	out := makegood(t, "rebuild", "--yes", "--to", c.base)
	others.awaitMore(t, 500)
	stop()
	others.Wait()
	sent := others.written.Load()
	now, err := c.caughtUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if now.Unpriced != 0 || now.Events != uint64(sent)+2 {
		t.Errorf("%+v of %d sent\n%s", now, sent, out)
	}
	var answer report.Leakage
	if err := c.get(t.Context(), "/v1/reports/leakage", nil, &answer); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d.0000", 10*sent); answer.Totals.Gross != want ||
		answer.Totals.Cases != uint64(sent) {
		t.Errorf("gross %s in %d cases, not %s", answer.Totals.Gross, answer.Totals.Cases, want)
	}
	if _, differences := reconcileWith(t, c, ""); differences != "" {
		t.Errorf("the books differ:\n%s", differences)
	}
}

// rebuildUnderKills is a makegood of its own process, with events that are rebuilt while it is killed.
type rebuildUnderKills struct {
	*testing.T
	ctx                  context.Context
	seed                 uint64
	dir, addr, kafkaAddr string
	c                    *client
	p                    *process
}

func (k *rebuildUnderKills) serve() {
	k.Helper()
	k.p = startProcess(k.T, "serve", "--data-dir", k.dir, "--http", k.addr, "--kafka-listen", k.kafkaAddr)
	waitReady(k.ctx, k.T, k.c, k.p)
}

func (k *rebuildUnderKills) kill() {
	k.Helper()
	if err := k.p.cmd.Process.Kill(); err != nil {
		k.Fatal(err)
	}
	_ = k.p.cmd.Wait() // it was killed
	k.serve()
}

// wantUnpriced holds the number of events without a price against what it should be.
func (k *rebuildUnderKills) wantUnpriced(what string, want uint64) {
	k.Helper()
	if n := k.unpriced(); n != want {
		k.Errorf("seed %d: %s, %d events are unpriced and not %d", k.seed, what, n, want)
	}
}

func (k *rebuildUnderKills) unpriced() uint64 {
	k.Helper()
	now, err := k.c.caughtUp(k.ctx)
	if err != nil {
		k.Fatalf("seed %d: %v\n%s", k.seed, err, k.p.said)
	}
	return now.Unpriced
}

// start begins a rebuild. While nobody knows yet that the process of the one before is gone, it asks again.
func (k *rebuildUnderKills) start() (id string) {
	k.Helper()
	for {
		var answer rebuildAnswer
		err := k.c.post(k.ctx, "/v1/rebuild", "application/json", strings.NewReader(`{"actor":"ann","reason":"test"}`),
			&answer)
		var busy *problem
		if errors.As(err, &busy) && busy.Status == http.StatusConflict {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		if err != nil {
			k.Fatalf("seed %d: %v\n%s", k.seed, err, k.p.said)
		}
		return answer.Rebuild.ID
	}
}

func (k *rebuildUnderKills) wantClean() {
	k.Helper()
	if _, differences := reconcileWith(k.T, k.c, ""); differences != "" {
		k.Errorf("seed %d: the books differ:\n%s", k.seed, differences)
	}
}

// TestRebuildKilled: a process that is killed while it computes leaves the books as they were, and the next rebuild
// takes over; one that is killed while it swaps finishes that when it is there again.
func TestRebuildKilled(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 9))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	k := &rebuildUnderKills{T: t, ctx: ctx, seed: seed, dir: t.TempDir(), addr: freeAddress(t), kafkaAddr: freeAddress(t)}
	k.c = newClient("http://" + k.addr)
	k.serve()
	const events = 10_000
	for i := 0; i < events; i += 1000 {
		var batch []string
		for j := range 1000 {
			batch = append(batch, hourOf(fmt.Sprint(i+j)))
		}
		if err := k.c.post(ctx, "/v1/events", "application/cloudevents-batch+json",
			strings.NewReader("["+strings.Join(batch, ",")+"]"), nil); err != nil {
			t.Fatal(err)
		}
	}
	mustPost(t, k.c, event("r", "rate.set", "2026-01-01T00:00:00Z", "", agentRate))
	was := k.unpriced()
	if was == 0 {
		t.Fatal("nothing is unpriced")
	}
	k.start()
	time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond)
	k.kill()
	k.wantUnpriced("killed while a rebuild was computed", was)
	k.wantClean()
	id := k.start()
	if _, err := k.c.computed(ctx, id, terminal.Streams{Out: io.Discard, Err: io.Discard}); err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, k.p.said)
	}
	k.wantUnpriced("with a rebuild that is not swapped in", was)
	if err := k.c.post(ctx, "/v1/rebuild/"+id+"/swap", "", nil, nil); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(random.IntN(120)) * time.Millisecond)
	k.kill()
	if err := k.c.swapped(ctx, id); err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, k.p.said)
	}
	k.wantUnpriced("killed while a rebuild was swapped in", 0)
	k.wantClean()
	var answer report.Leakage
	if err := k.c.get(ctx, "/v1/reports/leakage", nil, &answer); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d.0000", 10*events); answer.Totals.Gross != want {
		t.Errorf("seed %d: gross %s, not %s", seed, answer.Totals.Gross, want)
	}
}
