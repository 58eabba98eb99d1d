package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/cmd/makegood/shops"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/insight/trials"
)

type insightCheckCommand struct {
	Seed       uint64   `help:"Decides everything." default:"1"`
	Shops      int      `help:"How many simulated shops each estimator is held against." default:"60"`
	FromEvents bool     `help:"${from_events}"`
	Only       []string `help:"${insight_checks}"`
}

// Run holds the estimators against shops whose truth is known.
func (c *insightCheckCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) error {
	if c.Shops < 2 {
		return fmt.Errorf("%d shops: a coverage wants at least 2", c.Shops)
	}
	fmt.Fprintf(s.Out, "seed %d, %d shops each; ± is what chance explains in 997 of 1,000 such checks\n", c.Seed, c.Shops)
	if c.FromEvents {
		return c.fromEvents(ctx, logger, s)
	}
	known := map[string]bool{}
	failed := 0
	for n, t := range trials.Trials() {
		known[t.Name] = true
		if len(c.Only) > 0 && !slices.Contains(c.Only, t.Name) {
			continue
		}
		start := time.Now()
		claims := t.Run(rand.New(rand.NewPCG(c.Seed, uint64(n))), c.Shops)
		fmt.Fprintf(s.Out, "\n%s: %s (%s)\n", t.Name, t.About, time.Since(start).Round(time.Millisecond))
		failed += printClaims(s, claims)
	}
	for _, name := range c.Only {
		if !known[name] {
			return fmt.Errorf("%q is none of the questions that are estimated", name)
		}
	}
	return notHeld(failed)
}

// fromEvents holds the answers to the questions against shops' truth, from events on.
func (c *insightCheckCommand) fromEvents(ctx context.Context, logger *slog.Logger, s terminal.Streams) error {
	check := func() ([]trials.Claim, error) { return shops.Check(ctx, logger, s.Err, c.Seed, c.Shops) }
	if len(c.Only) > 0 {
		alone := shops.Alone()
		for _, name := range c.Only {
			if !slices.Contains(alone, name) {
				return fmt.Errorf("--from-events asks all questions of each shop, or those of what is still to come together: "+
					"--only %s", strings.Join(alone, ","))
			}
		}
		check = func() ([]trials.Claim, error) { return shops.CheckAlone(ctx, s.Err, c.Seed, c.Shops) }
	}
	claims, err := check()
	if err != nil {
		return err
	}
	return notHeld(printClaims(s, claims))
}

// printClaims prints claims and counts those that don't hold.
func printClaims(s terminal.Streams, claims []trials.Claim) (failed int) {
	for _, claim := range claims {
		fmt.Fprintln(s.Out, " ", claim)
		if !claim.Holds() {
			failed++
		}
	}
	return failed
}

func notHeld(failed int) error {
	if failed > 0 {
		return fmt.Errorf("%d of the claims do not hold", failed)
	}
	return nil
}
