package main

import (
	"math/big"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/simulator"
	"github.com/makegood/makegood/projections/report"
)

// tally sums decimals by name.
type tally map[string]*big.Rat

func (y tally) add(t *testing.T, name, amount string) {
	t.Helper()
	a, is := new(big.Rat).SetString(amount)
	if !is {
		t.Fatalf("%s: %q is no amount", name, amount)
	}
	if y[name] == nil {
		y[name] = new(big.Rat)
	}
	y[name].Add(y[name], a)
}

// TestIdentityOfStories: contribution = perfect + customer_changes − changed_mind − unfounded − net of the story
// of every order that a simulated distributor sells, and of every case without an order; and what the reports of
// all orders and of each store say is what the stories come to.
func TestIdentityOfStories(t *testing.T) {
	t.Parallel()
	config := simulator.Defaults()
	config.Seed = rand.Uint64()
	t.Logf("seed %d", config.Seed)
	config.ErrorRate, config.Orders, config.Days, config.Start = 0.3, 250, 20, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	simulation, err := simulator.New(config)
	if err != nil {
		t.Fatal(err)
	}
	_, c := startTestApp(t, t.TempDir())
	out := httpSink(t.Context(), c)
	stories := map[string]bool{} // of orders, and of cases that were found in the stockroom before any order
	for event, more := simulation.Next(); more; event, more = simulation.Next() {
		if event.OrderID != "" {
			stories["/v1/orders/"+url.PathEscape(event.OrderID)] = true
		} else if event.ErrorID != "" {
			stories["/v1/cases/"+url.PathEscape(event.ErrorID)] = true
		}
		if err := out.add(&event); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.close(); err != nil {
		t.Fatal(err)
	}
	if s, err := c.caughtUp(t.Context()); err != nil || s.DeadLetters != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	told := tally{}
	for path := range stories {
		var s report.Story
		if err := c.get(t.Context(), path, nil, &s); err != nil {
			t.Fatal(err)
		}
		for _, f := range figuresByCurrency(&s) {
			holds := tally{}
			for name, amount := range map[string]string{"left": f.Contribution, "perfect": f.PerfectContribution,
				"changes": f.CustomerChanges,
				"net":     f.Net, "changed_mind": f.ChangedMind, "unfounded": f.Unfounded} {
				holds.add(t, name, amount)
			}
			right := new(big.Rat).Add(holds["perfect"], holds["changes"])
			for _, name := range []string{"net", "changed_mind", "unfounded"} {
				right.Sub(right, holds[name])
			}
			if right.Cmp(holds["left"]) != 0 {
				t.Errorf("%s in %s: %+v doesn't tie", path, f.Currency, f)
			}
			told.add(t, f.Currency+" net", f.Net)
			told.add(t, f.Currency+" changed_mind", f.ChangedMind)
			told.add(t, f.Currency+" unfounded", f.Unfounded)
			told.add(t, f.Currency+" customer_changes", f.CustomerChanges)
		}
		told.lines(t, &s)
	}
	compareWithStories(t, c, told)
}

// lines counts the leakage of a story by the store that each line is of.
func (y tally) lines(t *testing.T, s *report.Story) {
	founded := map[string]bool{"": true}
	for _, k := range s.Cases {
		founded[k.ErrorID] = k.Founded
	}
	for i := range s.Events {
		for _, l := range s.Events[i].Lines {
			if l.Element != "" && founded[l.ErrorID] {
				y.add(t, l.Currency+" store "+l.StoreID, l.Amount)
			}
		}
	}
}

// compareWithStories holds the leakage report of each currency that was told against what the stories come to.
func compareWithStories(t *testing.T, c *client, told tally) {
	t.Helper()
	query := url.Values{"from": {"2026-01-01"}, "to": {"2027-01-01"}, "group_by": {"store"}, "currency": {"USD"}}
	var found report.Leakage
	if err := c.get(t.Context(), "/v1/reports/leakage", query, &found); err != nil {
		t.Fatal(err)
	}
	same := func(name, amount string) {
		t.Helper()
		got := tally{}
		got.add(t, name, amount)
		if want := told[name]; want == nil && got[name].Sign() != 0 || want != nil && want.Cmp(got[name]) != 0 {
			t.Errorf("%s is %s in the report, and %v in the stories", name, amount, want)
		}
	}
	same("USD net", found.Totals.Net)
	for part, amount := range found.Apart {
		same("USD "+part, amount)
	}
	if len(found.Rows) < 2 {
		t.Errorf("%d stores have leakage: too few to tell them apart", len(found.Rows))
	}
	for _, r := range found.Rows {
		same("USD store "+r.Key["store"], r.Net)
	}
}
