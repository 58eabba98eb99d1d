package shops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/simulator"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/insight/trials"
)

// Check plays shops and says how well the answers held. progress is told how far it is, and of an engine that is
// fetched.
func Check(ctx context.Context, logger *slog.Logger, progress io.Writer, seed uint64, n int) (_ []trials.Claim,
	err error) {
	b, err := open(ctx, logger, progress)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.end()) }()
	h := newHeld()
	for shop := range n {
		start := time.Now()
		for _, part := range []func(context.Context, *books, uint64, int, *held) error{years, regulars} {
			if err := part(ctx, b, seed, shop, h); err != nil {
				return nil, fmt.Errorf("shop %d of seed %d: %w", shop, seed, err)
			}
		}
		if n := shop + 1; n&(n-1) == 0 || n%50 == 0 {
			fmt.Fprintf(progress, "%d shops are done, the last in %s\n", n, time.Since(start).Round(time.Millisecond))
		}
	}
	return h.claims(n), nil
}

// begin is when all shops begin: a Monday.
var begin = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func day(n int) time.Time { return begin.AddDate(0, 0, n) }

const (
	twoYears = 728
	// tenth is the end of the tenth day of the thirteenth month: a year and some days are known, and what is still to come
	// is a year.
	tenth      = 366 + 10
	secondYear = tenth + 364 // its end
	// charted is how many shops have one whose charts are made: they take as long as all else.
	charted = 8
)

// planted are three preventions of known effect, of causes that differ from shop to shop, in stores of their own.
func planted(shop int) []simulator.Prevention {
	causes := []string{"supplier_quality", "pick_pack", "carrier", "billing_system"}
	all := make([]simulator.Prevention, 3)
	for i, effect := range []float64{0, -0.2, -0.5} {
		all[i] = simulator.Prevention{Cause: causes[(shop+i)%len(causes)], Store: "store-" + strconv.Itoa(1+(shop+2*i)%4),
			From: day(tenth + 18 + 14*i), Effect: effect, Weekly: 20_000_000}
	}
	return all
}

// company is one of four stores over two years. In the second one money is spent on prevention.
func company(seed uint64, shop int) (*simulator.Simulation, error) {
	c := simulator.Defaults()
	c.Seed, c.Start, c.Days, c.Orders = seed<<20+uint64(shop), begin, twoYears, 6000
	c.ErrorRate, c.WithoutTruck = 0.12, true
	c.Story = &simulator.Story{Season: 0.2, Shocks: 0.15, Preventions: planted(shop),
		Loyalty: simulator.Loyalty{Low: 0.25, High: 0.6, Effect: -0.12}}
	return simulator.New(c)
}

// years asks a company; what its first year let expect of the second is held against that.
func years(ctx context.Context, b *books, seed uint64, shop int, h *held) error {
	s, err := company(seed, shop)
	if err != nil {
		return err
	}
	if err := b.empty(ctx); err != nil {
		return err
	}
	known := day(tenth)
	first, err := b.tellUntil(s, known, nil)
	if err != nil {
		return err
	}
	if err := b.book(ctx); err != nil {
		return err
	}
	alone, err := settle(ctx, &b.log)
	if err != nil {
		return err
	}
	month := monthOf(known)
	before := map[string]*insight.Answer{}
	for _, q := range []asking{{"provision", month.AddDate(0, -1, 0), month, nil},
		{"budget", month, month.AddDate(0, 1, 0), nil}, {"what-if", begin, known, nil},
		{"signals", known.AddDate(0, 0, -90), known, nil}, {"sources", begin, known, nil}} {
		if q.name == "signals" && shop%charted != charted-1 {
			continue
		}
		if before[q.name], err = b.ask(ctx, q.name, q.from, q.to, known, q.of); err != nil {
			return err
		}
	}
	if _, err := b.tellUntil(s, time.Time{}, first); err != nil {
		return err
	}
	if err := b.book(ctx); err != nil {
		return err
	}
	end := day(secondYear)
	after := map[string]*insight.Answer{}
	for _, q := range []asking{{"provision", month, day(2 * twoYears), nil},
		{"budget", month, month.AddDate(0, 1, 0), nil},
		{"what-if", known, end, nil}, {"prevention", begin, end, nil}, {"counter", begin, end, nil},
		{"vendors", begin, end, nil}} {
		if after[q.name], err = b.ask(ctx, q.name, q.from, q.to, end.AddDate(0, 0, 1), q.of); err != nil {
			return err
		}
	}
	if err := h.sameAlone(before["provision"], alone, month); err != nil {
		return err
	}
	h.toCome(before["provision"], after["provision"], month)
	h.budget(before["budget"], after["budget"])
	h.nextYear(before["what-if"], after["what-if"], s.Truth())
	h.calls(before["signals"], before["sources"])
	h.named(after["counter"])
	h.placed(after["vendors"])
	return h.prevented(after["prevention"], s.Truth(), b.spent)
}

type asking struct {
	name     string
	from, to time.Time
	of       map[string]string
}

// The effects of failing, and of the calls that a random half of those who were failed get.
var (
	ofFailing = []float64{-0.12, 0}
	ofCalling = []float64{0, 0.15}
)

// ofBoth is what a failure does to who comes back where half of the failed are called.
func ofBoth(failing, calling float64) float64 { return failing + calling/2 }

// regulars is one store for eight months, whose customers come back: fewer of those who were failed, and more of those
// who were called then, whom chance picks.
func regulars(ctx context.Context, b *books, seed uint64, shop int, h *held) error {
	const days = 240
	c := simulator.Defaults()
	c.Seed, c.Start, c.Days, c.Orders, c.ErrorRate, c.WithoutTruck = seed<<20+uint64(shop), begin, days, 4500, 0.08, true
	c.Stores = 1
	failing, calling := ofFailing[shop%2], ofCalling[shop/2%2]
	c.Story = &simulator.Story{Loyalty: simulator.Loyalty{Low: 0.25, High: 0.6, Effect: failing},
		Experiment: simulator.Experiment{Name: "calls", Holdout: 0.5, Effect: calling}}
	s, err := simulator.New(c)
	if err != nil {
		return err
	}
	if err := b.empty(ctx); err != nil {
		return err
	}
	if _, err := b.tellUntil(s, day(days), nil); err != nil {
		return err
	}
	if err := b.book(ctx); err != nil {
		return err
	}
	a, err := b.ask(ctx, "customers", begin, day(days), day(days), nil)
	if err != nil {
		return err
	}
	h.cameBack(a, ofBoth(failing, calling))
	return h.drawn(a, calling)
}

// tellUntil writes what happens before a moment, to the end where it is none; it returns the first event after it.
func (b *books) tellUntil(s *simulator.Simulation, until time.Time, first *domain.Event) (*domain.Event, error) {
	if first != nil {
		b.tell(first)
	}
	for e, more := s.Next(); more; e, more = s.Next() {
		if !until.IsZero() && !e.Time.Before(until) {
			return &e, nil
		}
		b.tell(&e)
	}
	if !until.IsZero() {
		return nil, fmt.Errorf("nothing happens after %s", until)
	}
	return nil, nil
}

// tell adds an event to the log, and up what was spent on prevention by the end of the second year.
func (b *books) tell(e *domain.Event) {
	if d, is := e.Data.(*domain.QualitySpent); is && d.Category == "prevention" && e.Time.Before(day(secondYear)) {
		b.spent += float64(d.Amount) / 1e6
	}
	b.log.add(e)
}

// figure reads an amount of a row: text, or what an estimate says; false where nothing is said. It panics
// where there is text that is no amount: the answer has a fault, and must not be counted as one that says nothing.
func figure(value any) (float64, bool) {
	switch v := value.(type) {
	case string:
		r, ok := new(big.Rat).SetString(v)
		if !ok {
			panic(fmt.Sprintf("an answer has %q in place of an amount", v))
		}
		f, _ := r.Float64()
		return f, true
	case *string:
		if v == nil {
			return 0, false
		}
		return figure(*v)
	}
	return 0, false
}

// interval reads an estimate; false where it refuses.
func interval(value any) (low, mid, high float64, enough bool) {
	e, is := value.(*estimate.Estimate)
	if !is || !e.Enough {
		return 0, 0, 0, false
	}
	low, lowKnown := figure(e.Low)
	mid, midKnown := figure(e.Value)
	high, highKnown := figure(e.High)
	return low, mid, high, lowKnown && midKnown && highKnown
}
