package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/shadow"
)

// rebuild books the backlog, one order in ten without a cost, then sets the rate that they lack and posts history
// again: all of it, and once more passing over what the rate can't change.
//
// On two virtual CPUs that did nothing else, a million events: booked live at 162,000 a second, posted again at
// 650,000, which is 4.0 times that (3.9 to 4.1), and all of it at 292,000, 1.8 times. Both CPUs are busy then: of
// 2.6 µs an event 1.9 are the server's, who unpacks rows that stand beside those that are wanted, inserts what
// changes, and looks through the ledger for what accounts hold and what feeds lack. Two workers with a connection
// each, and asking for balances meanwhile, won nothing.
func (b *bench) rebuild(ctx context.Context) (err error) {
	b.prefix += "rebuild." // topics of its own
	a, err := b.app(ctx, server.RoleExporter)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if _, err := b.write(ctx, &benchEvents{run: "r"}, b.Events, func(i int, e *domain.Event) *domain.Event {
		if i%10 == 9 {
			e.Data.(*domain.OrderPlaced).Lines[0].UnitCost = domain.Optional{}
		}
		return e
	}); err != nil {
		return err
	}
	live, err := b.timed(func() error {
		if err := a.StartProjector(ctx); err != nil {
			return err
		}
		return a.Booked(ctx, int64(b.Events))
	})
	if err != nil {
		return err
	}
	if err := b.setItemCost(ctx, a); err != nil {
		return err
	}
	if err := a.StartRebuilder(); err != nil {
		return err
	}
	var r *shadow.Rebuild
	compute := func(whole bool) (lap, error) {
		if err := b.merged(ctx, a); err != nil {
			return lap{}, err
		}
		return b.timed(func() error {
			if r, err = (server.Books{App: a}).StartRebuild(ctx, gateway.RebuildRequest{Actor: gateway.Actor{Name: "bench"},
				Whole: whole}); err != nil {
				return err
			}
			r, err = b.until(ctx, a, r.ID, shadow.Ready)
			return err
		})
	}
	whole, err := compute(true)
	if err != nil {
		return err
	}
	rebuilt, err := compute(false)
	if err != nil {
		return err
	}
	start := time.Now()
	if _, err := (server.Books{App: a}).SwapRebuild(ctx, r.ID, gateway.Actor{}); err != nil {
		return err
	}
	if _, err := b.until(ctx, a, r.ID, shadow.Done); err != nil {
		return err
	}
	took := time.Since(start)
	b.sayRebuilt(r, live, rebuilt, whole, took)
	return nil
}

// sayRebuilt tells how fast it was.
func (b *bench) sayRebuilt(r *shadow.Rebuild, live, rebuilt, whole lap, took time.Duration) {
	b.say("\nrebuild, from the ledger's own payloads, its report included:")
	b.say("  booked live %s/s, CPU %.2f µs an event (%s)", terminal.Count(live.rate), b.perEvent(live.cpu()),
		b.shares(live))
	b.say("  rebuilt     %s/s, CPU %.2f µs an event (%s)   %.1f times the live rate", terminal.Count(rebuilt.rate),
		b.perEvent(rebuilt.cpu()), b.shares(rebuilt), rebuilt.rate/live.rate)
	b.say("  all of it   %s/s, CPU %.2f µs an event (%s)   %.1f times the live rate", terminal.Count(whole.rate),
		b.perEvent(whole.cpu()), b.shares(whole), whole.rate/live.rate)
	b.say("  %s of %s rows posted again, %s come out otherwise; swapped in within %s", terminal.Count(float64(r.Done)),
		terminal.Count(float64(r.Done+r.PassedOver-1)), terminal.Count(float64(r.Report.Events)),
		took.Round(time.Millisecond))
}

// setItemCost says what a piece costs, after all that lacked it was booked.
func (b *bench) setItemCost(ctx context.Context, a *server.App) error {
	m := benchMessage(&domain.Event{Source: "//bench", ID: "cost", Type: domain.TypeRateSet, Time: benchStart,
		Currency: "USD",
		Data: &domain.RateSet{Rate: domain.ItemCost, Key: "*", Value: 5_000_000, EffectiveFrom: benchStart.AddDate(0, -1,
			0)}})
	ends, err := a.Ends(ctx)
	if err != nil {
		return err
	}
	m.Metadata.Set(ledger.EndsHeader, ends)
	if err := a.Publisher.Publish(a.Config.Topic(domain.Books), m); err != nil {
		return fmt.Errorf("set a rate: %w", err)
	}
	return a.Booked(ctx, int64(b.Events)+1)
}

// merged waits until the server has merged what was loaded: that was the load's to pay for.
func (b *bench) merged(ctx context.Context, a *server.App) error {
	for {
		var merging uint64
		if err := a.Store.DB.QueryRow(ctx, "SELECT count() FROM system.merges").Scan(&merging); err != nil {
			return fmt.Errorf("ask for merges: %w", err)
		}
		if merging == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// until waits for a state of a rebuild.
func (b *bench) until(ctx context.Context, a *server.App, id, state string) (*shadow.Rebuild, error) {
	for {
		r, err := shadow.Read(ctx, a.Store.DB, id)
		if err != nil || r.State == state {
			return r, err
		}
		if r.State == shadow.Failed || r.State == shadow.Discarded {
			return nil, fmt.Errorf("the rebuild was %s: %s", r.State, r.Error)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case err := <-a.Failed():
			return nil, err
		case <-time.After(5 * time.Millisecond):
		}
	}
}
