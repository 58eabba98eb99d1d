package shops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/insight/trials"
)

// Alone are the questions that CheckAlone holds.
func Alone() []string { return []string{"provision", "budget"} }

// CheckAlone holds the provision and the forecast of the month's end in shops that are settled in memory, from events
// on but without ClickHouse: a thousand of them take minutes. That ClickHouse's statements read the same is held by
// Check.
func CheckAlone(ctx context.Context, progress io.Writer, seed uint64, n int) ([]trials.Claim, error) {
	h := newHeld()
	for shop := range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := yearsAlone(ctx, seed, shop, h); err != nil {
			return nil, fmt.Errorf("shop %d of seed %d: %w", shop, seed, err)
		}
		if n := shop + 1; n&(n-1) == 0 || n%50 == 0 {
			fmt.Fprintf(progress, "%d shops are done\n", n)
		}
	}
	return h.aheadClaims(), nil
}

// yearsAlone settles a company as it is known on the tenth of a month, and again when all has come.
func yearsAlone(ctx context.Context, seed uint64, shop int, h *held) error {
	s, err := company(seed, shop)
	if err != nil {
		return err
	}
	b, known := &books{}, day(tenth)
	first, err := b.tellUntil(s, known, nil)
	if err != nil {
		return err
	}
	before, err := settle(ctx, &b.log)
	if err != nil {
		return err
	}
	if _, err := b.tellUntil(s, time.Time{}, first); err != nil {
		return err
	}
	after, err := settle(ctx, &b.log)
	if err != nil {
		return err
	}
	month := monthOf(known)
	truth, cost := 0.0, 0.0
	for _, x := range after.after(month) {
		truth += x
	}
	triangle := before.triangle(month)
	for _, cohort := range triangle {
		for _, x := range cohort {
			cost += x / float64(len(triangle))
		}
	}
	p, err := estimate.ChainLadder(triangle, level)
	if err != nil {
		return err
	}
	h.provided(p.Total, truth, cost)
	since, end := month.AddDate(0, 0, -history), month.AddDate(0, 1, 0)
	come := after.days(known, end)
	for store, days := range before.days(since, known) {
		truth := 0.0
		for _, x := range come[store] {
			truth += x
		}
		of := "each"
		if store == "" {
			of = "all"
		}
		h.monthsEnd[of].takes(estimate.Forecast(days, int(end.Sub(known).Hours()/24), level), truth)
	}
	return nil
}

// level is that of what is said of the time ahead, history the days that a forecast reads.
const (
	level   = 0.8
	history = 182
)

// takes counts an estimate that nothing was written of.
func (h *hits) takes(e estimate.Estimated, truth float64) {
	h.asked++
	if !e.Enough() {
		return
	}
	h.enough++
	const cents = 0.005 // sums of floats
	if e.Low-cents <= truth && truth <= e.High+cents {
		h.covered++
	}
}

// provided counts a provision, and by how much it missed.
func (h *held) provided(e estimate.Estimated, truth, cost float64) {
	h.provision.takes(e, truth)
	if e.Enough() {
		h.misses, h.costs = append(h.misses, e.Value-truth), append(h.costs, cost)
	}
}

// sameAlone counts shops of which ClickHouse's statements say something else than what is settled in memory.
func (h *held) sameAlone(a *insight.Answer, alone *settled, month time.Time) error {
	p, err := estimate.ChainLadder(alone.triangle(month), level)
	if err != nil {
		return err
	}
	want := p.Total.Estimate("chain_ladder", 2)
	for _, row := range a.Parts["still_to_come"].Rows {
		if row["view"] != "economic" {
			continue
		}
		low, mid, high, enough := interval(row["to_come"])
		wantLow, wantMid, wantHigh, wantEnough := interval(want)
		if enough != wantEnough || !slices.EqualFunc([]float64{low, mid, high}, []float64{wantLow, wantMid, wantHigh},
			func(a, b float64) bool { return math.Abs(a-b) < 0.02 }) {
			h.apart++
		}
		return nil
	}
	return errors.New("provision says nothing of what is still to come")
}
