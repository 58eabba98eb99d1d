package simulator

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
)

// storied is a company of six stores with the standard story, a tenth of whose orders go wrong.
func storied(seed uint64, orders int) Config {
	c := Defaults()
	c.Seed, c.Start, c.Orders, c.Days, c.Stores, c.ErrorRate = seed, start.UTC(), orders, 364, 6, 0.1
	c.Currencies = []string{"USD", "EUR"}
	c.Story = StandardStory(&c)
	return c
}

// told is a simulation's events with its truth.
func told(t *testing.T, c Config) ([]domain.Event, *Truth) {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	var events []domain.Event
	for e, more := s.Next(); more; e, more = s.Next() {
		events = append(events, e)
	}
	return events, s.Truth()
}

// about: a count is what was to be expected, within four standard deviations.
func about(t *testing.T, what string, got, want, variance float64) {
	t.Helper()
	if math.Abs(got-want) > 4*math.Sqrt(variance) {
		t.Errorf("%s: %.4f instead of %.4f ± %.4f", what, got, want, math.Sqrt(variance))
	}
}

// TestWhatIsPlantedIsThere finds in the events of a story what its truth says.
func TestWhatIsPlantedIsThere(t *testing.T) {
	c := storied(11, 40_000)
	t.Logf("seed %d", c.Seed)
	events, truth := told(t, c)
	seen := look(t, c, events)
	if truth.Orders != len(seen.placed) || truth.Customers.Back < seen.back || seen.back < truth.Customers.Back*8/10 {
		t.Errorf("%d orders, %d times somebody comes back: %+v", len(seen.placed), seen.back, truth.Customers)
	}
	if seen.june < 1.2*seen.december || seen.rates < 12 {
		t.Errorf("%g orders in June, %g in December; %d exchange rates", seen.june, seen.december, seen.rates)
	}
	if before, after := seen.worse[0][0]/seen.worse[0][1], seen.worse[1][0]/seen.worse[1][1]; after < 2.5*before {
		t.Errorf("the vendor fails %g of the orders, then %g", before, after)
	}
	for i, p := range truth.Preventions {
		n := float64(p.Happened + p.Prevented)
		about(t, "prevented by "+p.Cause, float64(p.Prevented), -p.Effect*n, -p.Effect*(1+p.Effect)*n)
		weeks := c.Start.AddDate(0, 0, c.Days).Sub(c.Story.Preventions[i].From).Hours() / 24 / 7
		if got := float64(seen.spends[p.Cause+" "+p.Store]); n == 0 ||
			math.Abs(got-weeks) > 4 { // the orders may be told before the days are over
			t.Errorf("%+v: spent on in %g weeks of %.1f", p, got, weeks)
		}
	}
	heldTruth(t, truth)
}

// seen is what the events of a story show.
type seen struct {
	placed         map[string]string // customers by order
	back, rates    int
	june, december float64
	spends         map[string]int
	worse          [2][2]float64 // cases of the vendor who worsens, orders: before and since
}

func look(t *testing.T, c Config, events []domain.Event) *seen {
	t.Helper()
	s := &seen{placed: map[string]string{}, spends: map[string]int{}}
	customers := map[string]time.Time{}
	turn := c.Story.Worsening[0].From
	for _, e := range events {
		since := 0
		if !e.Time.Before(turn) {
			since = 1
		}
		switch d := e.Data.(type) {
		case *domain.OrderPlaced:
			if s.placed[e.OrderID] != "" || e.OrderID == "truck-1" {
				continue
			}
			s.placed[e.OrderID] = d.CustomerID
			s.worse[since][1]++
			if last, known := customers[d.CustomerID]; known {
				s.back++
				if days := e.Time.Sub(last).Hours() / 24; days < 2 || days > 90 {
					t.Errorf("%s comes back after %.1f days", d.CustomerID, days)
				}
			}
			customers[d.CustomerID] = e.Time
			switch e.Time.Month() {
			case time.June:
				s.june++
			case time.December:
				s.december++
			}
		case *domain.ErrorReported:
			if d.VendorID == c.Story.Worsening[0].Who && e.OrderID != "" {
				s.worse[since][0]++
			}
		case *domain.QualitySpent:
			if d.Category == "prevention" {
				s.spends[d.TargetCause+" "+e.StoreID]++
			}
		case *domain.RateSet:
			if d.Rate == domain.ExchangeRate {
				s.rates++
			}
		}
	}
	return s
}

// heldTruth is the truth of a large story against what the standard story plants.
func heldTruth(t *testing.T, truth *Truth) {
	t.Helper()
	failed := float64(truth.Customers.FailedBack) / float64(truth.Customers.Failed)
	others := float64(truth.Customers.Back-truth.Customers.FailedBack) / float64(truth.Orders-truth.Customers.Failed)
	// Without confounding it would be 12 points; those who are failed are those who come back more.
	if d := failed - others; d < -0.125 || d > -0.05 {
		t.Errorf("%.3f of the failed come back, %.3f of the others", failed, others)
	}
	r := truth.Ratings
	if r[ratedKept].Mean < 4.4 || r[ratedFixed].Mean > 3.8 || r[ratedFailed].Mean > 1.7 || r[ratedLate].Mean > 3.3 {
		t.Errorf("ratings: %+v", r)
	}
	if l := truth.Lags["claim.settled"]; l.N == 0 || l.Mean < 10 || truth.Lags["labour.spent"].Mean > l.Mean {
		t.Errorf("lags: %+v", truth.Lags)
	}
}

// TestLotDeals: a customer is in one arm, whenever something goes wrong for them; half are held out, the others are
// called.
func TestLotDeals(t *testing.T) {
	c := storied(13, 20_000)
	events, truth := told(t, c)
	arms, held, called, calls := map[string]string{}, 0, 0, 0
	customers := map[string]string{}
	for _, e := range events {
		switch d := e.Data.(type) {
		case *domain.OrderPlaced:
			customers[e.OrderID] = d.CustomerID
		case *domain.LabourSpent:
			if strings.HasSuffix(d.LabourID, "-call") {
				calls++
			}
		case *domain.ErrorReported:
			arm, who := d.Experiment.Arm, customers[e.OrderID]
			if arm == "" {
				continue
			}
			if arm == calledArm {
				called++
			}
			if arms[who] == "" && arm == domain.Holdout {
				held++
			}
			if arms[who] != "" && arms[who] != arm {
				t.Errorf("%s is in two arms", who)
			}
			arms[who] = arm
		}
	}
	n := float64(len(arms))
	about(t, "the share held out", float64(held)/n, truth.Experiment.Holdout, 0.25/n)
	if calls != called || calls < 500 {
		t.Errorf("%d calls after %d reports of who is to be called", calls, called)
	}
}

// TestStoriesAreDrawnFromTheirSeed: the same seed tells the same story, and what it tells settles as all else does.
func TestStoriesAreDrawnFromTheirSeed(t *testing.T) {
	a, first := told(t, storied(12, 3000))
	b, second := told(t, storied(12, 3000))
	if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(first, second) {
		t.Error("two stories of one seed differ")
	}
	terms, units := recorded(t, storied(12, 3000))
	for name, unit := range units {
		s, err := terms.Settle(unit)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range s.Events {
			if len(s.Events[i].Unpriced) > 0 {
				t.Errorf("%s: %s is unpriced", name, unit[i].Event.ID)
			}
		}
		for _, f := range s.Flags {
			t.Errorf("%s: flagged %+v", name, f)
		}
	}
}

func TestStoriesAreChecked(t *testing.T) {
	for want, spoil := range map[string]func(*Story){
		"no cause":  func(s *Story) { s.Preventions[0].Cause = "customer" },
		"there is":  func(s *Story) { s.Preventions[0].Store = "store-7" },
		"effect of": func(s *Story) { s.Preventions[0].Effect = 0.5 },
		"a season":  func(s *Story) { s.Season = 1 },
		"pickers":   func(s *Story) { s.Pickers = -1 },
		"shocks":    func(s *Story) { s.Shocks = -1 },
		"as often":  func(s *Story) { s.Worsening[0].Times = 0 },
		"come back": func(s *Story) { s.Loyalty.High = 0.1 },
		"no vendor": func(s *Story) { s.Worsening[1].Who = "carrier-legoon" },
		"holds out": func(s *Story) { s.Experiment.Holdout = 1 },
	} {
		c := storied(1, 10)
		spoil(c.Story)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
