package domain

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"
)

// closedAt are terms with closes before some places of the log, and a cost of p.
func closedAt(places ...int) *Terms {
	terms, _ := recorded(nil, nil, -1)
	terms.Apply(
		rateEvent("6", ItemCost, "p", "7.123457", "USD", when.AddDate(-1, 0, 0)),
		Mark{Offset: 8, Ends: map[Partition]int64{}},
	)
	for n, at := range places {
		terms.Apply(
			&Event{Source: "s", ID: fmt.Sprint("close", n), Data: &PeriodClosed{PeriodOf(when, time.UTC) + Period(n)}},
			Mark{Offset: int64(10 + n), Time: when.Add(time.Hour), Ends: map[Partition]int64{{Orders, 0}: int64(at)}},
		)
	}
	return terms
}

func inArrival(events []*Event, arrival []int) []Recorded {
	all := make([]Recorded, len(arrival))
	for n, i := range arrival {
		at := Position{Stream: Orders, Offset: int64(n), Time: when.Add(time.Duration(n) * time.Hour)}
		all[n] = Recorded{Event: events[i], At: at, RecordedAt: at.Time}
	}
	return all
}

// TestPropertiesOfRandomUnits: what holds of every unit.
func TestPropertiesOfRandomUnits(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for n := range units() {
		if err := unitHolds(seed, uint64(n)); err != nil {
			t.Fatalf("seed %d, unit %d: %v", seed, n, err)
		}
	}
}

// units is how many random units are drawn: as many as MAKEGOOD_UNITS says.
func units() int {
	if n, err := strconv.Atoi(os.Getenv("MAKEGOOD_UNITS")); err == nil {
		return n
	}
	return 4000
}

// FuzzSettle looks for a unit of which something doesn't hold.
func FuzzSettle(f *testing.F) {
	f.Add(uint64(1), uint64(1))
	// Units of which something once did not hold.
	f.Add(uint64(9253521898702583372), uint64(21520))
	f.Add(uint64(13862442909989675626), uint64(217))
	f.Add(uint64(10643839739738896133), uint64(68272))
	f.Add(uint64(5490694488317613906), uint64(98098))
	f.Fuzz(func(t *testing.T, seed, n uint64) {
		if err := unitHolds(seed, n); err != nil {
			t.Fatal(err)
		}
	})
}

// unitHolds draws a unit and checks it.
func unitHolds(seed, n uint64) error {
	random := rand.New(rand.NewPCG(seed, n))
	most := 12
	if random.IntN(20) == 0 {
		most = 60
	}
	events := drawUnit(random, 1+random.IntN(most))
	var places []int
	for range random.IntN(3) {
		places = append(places, random.IntN(len(events)+1))
	}
	slices.Sort(places)
	terms := closedAt(places...)
	arrival := random.Perm(len(events))
	all := inArrival(events, arrival)
	s, err := terms.Settle(all)
	if err != nil {
		return err
	}
	for _, check := range []func(*Terms, []Recorded, *Settlement) error{entriesBalance, entriesSumUp, identityHolds,
		sidesAreRight, factsSumUp} {
		if err := check(terms, all, s); err != nil {
			return fmt.Errorf("%w\n%s", err, story(all, s, places))
		}
	}
	if err := otherArrivals(random, terms, events, arrival, places, s); err != nil {
		return fmt.Errorf("%w\n%s", err, story(all, s, places))
	}
	return nil
}

func story(all []Recorded, s *Settlement, places []int) (text string) {
	text = fmt.Sprintln("closes before", places)
	for _, i := range s.Sequence {
		e := all[i].Event
		text += fmt.Sprintf(
			"%s/%s at %d %s order %q case %q %s %s: %+v\n\t%s of %v: %s %v\n",
			e.Source,
			e.ID,
			all[i].At.Offset,
			e.Time.Format("15:04"),
			e.OrderID,
			e.ErrorID,
			e.Currency,
			e.Type.Name(),
			e.Data,
			s.Events[i].Standing,
			s.Events[i].Of,
			inWords(slices.Clone(s.Events[i].Lines)),
			s.Events[i].Cases,
		)
	}
	return text
}

func entriesBalance(_ *Terms, _ []Recorded, s *Settlement) error {
	for i := range s.Events {
		sums := map[string]Amount{}
		for _, l := range s.Events[i].Lines {
			sums[l.Currency] += l.Amount
		}
		for currency, a := range sums {
			if a != 0 {
				return fmt.Errorf("the entry of event %d is out by %s %s", i, a, currency)
			}
		}
	}
	return nil
}

// entriesSumUp: the sum of the entries is the position of all events.
func entriesSumUp(terms *Terms, all []Recorded, s *Settlement) error {
	u := newUnit(terms, all)
	v := &view{u: u, settled: &Settlement{Events: make([]SettledEvent, len(all))}}
	v.take(len(u.statements), nil)
	for i := range u.statements {
		for _, l := range s.Events[u.statements[i].given].Lines {
			at := u.slot(&l, u.ownOrder(int32(i)))
			*v.position.at(&at) -= l.Amount
		}
	}
	for i, a := range v.position.amounts {
		if a != 0 {
			return fmt.Errorf("the entries and the position differ by %s on %d", a, v.position.slots[i].account)
		}
	}
	return nil
}

// factsSumUp: what the events say last of each case of an order, in the sequence, is what is known of it in the end.
func factsSumUp(terms *Terms, all []Recorded, s *Settlement) error {
	u := newUnit(terms, all)
	last := map[[2]string]CaseFacts{}
	for i := range u.statements {
		for _, f := range s.Events[u.statements[i].given].Cases {
			f.Order = cmp.Or(f.Order, u.names.text(u.ownOrder(int32(i))))
			last[[2]string{f.Order, f.Case}] = f
		}
	}
	for _, c := range s.Cases {
		at := [2]string{c.Order, c.Case}
		if last[at] != c {
			return fmt.Errorf("of case %s the events say %+v, and in the end it is %+v", c.Case, last[at], c)
		}
		delete(last, at)
	}
	for _, f := range last {
		if !f.Gone {
			return fmt.Errorf("case %s is none in the end, and no event says so: %+v", f.Case, f)
		}
	}
	return nil
}

func identityHolds(_ *Terms, _ []Recorded, s *Settlement) error {
	b := sumUp(s)
	if b.contribution != b.perfect+b.changes-b.changedMind-b.unfounded-b.net {
		return fmt.Errorf(
			"contribution %s is not %s + %s − %s − %s − %s",
			b.contribution,
			b.perfect,
			b.changes,
			b.changedMind,
			b.unfounded,
			b.net,
		)
	}
	return nil
}

// sidesAreRight: after every entry, no account of a case is on its wrong side.
func sidesAreRight(_ *Terms, _ []Recorded, s *Settlement) error {
	type balance struct {
		incident, currency string
		account            Account
	}
	held := map[balance]Amount{}
	for _, i := range s.Sequence {
		for _, l := range s.Events[i].Lines {
			held[balance{l.Case, l.Currency, l.Account}] += l.Amount
		}
		for k, a := range held {
			switch k.account {
			case ReturnAsset, ClaimsReceivable, DisputeReceivable:
				if a < 0 {
					return fmt.Errorf("after event %d, %d of case %s holds %s", i, k.account, k.incident, a)
				}
			case VoucherLiability, GoodsOwed:
				if a > 0 {
					return fmt.Errorf("after event %d, %d of case %s holds %s", i, k.account, k.incident, a)
				}
			}
		}
	}
	return nil
}

// otherArrivals: events that arrive in another order within their epochs make the same entries, and those of closed
// epochs are the same without what came later.
func otherArrivals(random *rand.Rand, terms *Terms, events []*Event, arrival, places []int, want *Settlement) error {
	all := inArrival(events, arrival)
	other := slices.Clone(arrival)
	from := 0
	for _, to := range append(slices.Clone(places), len(events)) {
		part := other[from:to]
		random.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
		from = to
	}
	shuffled := inArrival(events, other)
	got, err := terms.Settle(shuffled)
	if err != nil {
		return err
	}
	for n, i := range arrival {
		m := slices.Index(other, i)
		if !reflect.DeepEqual(got.Events[m], want.Events[n]) {
			return fmt.Errorf(
				"event %s depends on the order of arrival: %+v and %+v",
				all[n].Event.ID,
				want.Events[n],
				got.Events[m],
			)
		}
	}
	for _, to := range places {
		early, err := terms.Settle(all[:to])
		if err != nil {
			return err
		}
		for i := range early.Events {
			if !sameEntry(all[:to], i, &early.Events[i], &want.Events[i]) {
				return fmt.Errorf(
					"a later epoch changes event %s: %s %v was %s %v",
					all[i].Event.ID,
					inWords(want.Events[i].Lines),
					want.Events[i].Cases,
					inWords(early.Events[i].Lines),
					early.Events[i].Cases,
				)
			}
		}
	}
	return nil
}

// sameEntry reports whether a settlement says of an event what a later one says, which knows more. Amounts never
// differ. Two other things may: a decision that names an order is of that order only once there is anything of it,
// and from then on its lines name the order (before, Home does); and a case that nothing names under an order has one
// once something does.
func sameEntry(known []Recorded, i int, early, late *SettledEvent) bool {
	e := known[i].Event
	same := func(incident, x, y string) bool {
		x, y = cmp.Or(x, early.Home, e.OrderID), cmp.Or(y, late.Home, e.OrderID)
		return x == y || incident != "" && !namedUnderAnOrder(known, incident)
	}
	return slices.EqualFunc(early.Lines, late.Lines, func(x, y Line) bool {
		if x.Order != y.Order && same(x.Case, x.Order, y.Order) {
			x.Order, y.Order = "", ""
		}
		return x == y
	}) && slices.EqualFunc(stayed(early.Cases), stayed(late.Cases), func(x, y CaseFacts) bool {
		if x.Order != y.Order && same(x.Case, x.Order, y.Order) {
			x.Order, y.Order = "", ""
		}
		return x == y
	})
}

// stayed are the facts without those of cases that only went to another order. Where nothing names a case under an
// order, the orders that are known decide of which it is.
func stayed(facts []CaseFacts) []CaseFacts {
	return slices.DeleteFunc(slices.Clone(facts), func(f CaseFacts) bool {
		return f.Gone && slices.ContainsFunc(facts, func(o CaseFacts) bool { return o.Case == f.Case && !o.Gone })
	})
}

// namedUnderAnOrder reports whether an event says under which order a case is. Decisions, and voids, are of the order
// of what they are about.
func namedUnderAnOrder(known []Recorded, incident string) bool {
	return slices.ContainsFunc(known, func(r Recorded) bool {
		switch r.Event.Data.(type) {
		case *FactDecided, *EventVoided:
			return false
		}
		return r.Event.ErrorID == incident && r.Event.OrderID != ""
	})
}

// TestAReportAloneIsNeitherProfitNorLoss: whatever it says, and whatever the order is.
func TestAReportAloneIsNeitherProfitNorLoss(t *testing.T) {
	seed := rand.Uint64()
	for n := range 2000 {
		random := rand.New(rand.NewPCG(seed, uint64(n)))
		var events []*Event
		for _, e := range drawUnit(random, 30) {
			switch e.Data.(type) {
			case *ErrorReported, *ErrorClassified, *ErrorRejected:
				events = append(events, e)
			case *OrderPlaced:
				if len(events) == 0 || random.IntN(2) == 0 {
					events = append(events, e)
				}
			}
		}
		s, err := closedAt().Settle(inArrival(events, random.Perm(len(events))))
		if err != nil {
			t.Fatal(err)
		}
		if b := sumUp(s); b.net != 0 || b.unfounded != 0 || b.changedMind != 0 {
			t.Fatalf("seed %d, unit %d: reports alone have net %s", seed, n, b.net)
		}
	}
}
