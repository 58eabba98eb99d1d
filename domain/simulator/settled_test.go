package simulator

import (
	"testing"

	"github.com/makegood/makegood/domain"
)

// TestWhatIsToldSettles settles every order of a simulation with its months closed. The books must balance, nothing may
// be unpriced or unlike what can be, no account of a case on its wrong side, and what an order brought must be
// explained.
func TestWhatIsToldSettles(t *testing.T) {
	terms, units := recorded(t, config(3, 12_000))
	standings := map[domain.Standing]int{}
	contradicted, changes, apart, net := 0, domain.Amount(0), domain.Amount(0), domain.Amount(0)
	for name, unit := range units {
		s, err := terms.Settle(unit)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b := &settledUnit{T: t, name: name, cases: map[string]domain.CaseFacts{}, open: map[account]domain.Amount{}}
		for _, c := range s.Cases {
			b.cases[c.Case] = c
		}
		waits := false
		for i := range s.Events {
			standings[s.Events[i].Standing]++
			waits = waits || s.Events[i].Standing == domain.Waits
			b.take(unit[i].Event, &s.Events[i])
		}
		if waits {
			contradicted++
		}
		for _, f := range s.Flags {
			t.Errorf("%s: flagged %+v", name, f)
		}
		b.compare()
		changes, apart, net = changes+b.changes, apart+b.apart, net+b.net
	}
	t.Logf("%d units: net %s, customer changes %s, apart %s, standings %v, contradicted %d",
		len(units), net, changes, apart, standings, contradicted)
	if standings[domain.Double] == 0 || standings[domain.Voided] == 0 || changes >= 0 || net <= 0 || apart <= 0 {
		t.Error("that is too little for a check of it")
	}
	if share := float64(contradicted) / float64(len(units)); share > 0.001 {
		t.Errorf("%.5f of the units wait for a person", share)
	}
}

// recorded is a simulation in the log, as it was told, by the unit to which each event belongs.
func recorded(t *testing.T, c Config) (*domain.Terms, map[string][]domain.Recorded) {
	t.Helper()
	terms := domain.NewTerms(c.Start.Location())
	units := map[string][]domain.Recorded{}
	for n, e := range all(t, c) {
		at := domain.Position{Stream: e.Stream(), Offset: int64(n), Time: e.Time}
		unit := e.OrderID
		if unit == "" {
			unit = e.ErrorID
		}
		if e.Stream() == domain.Books {
			ends := map[domain.Partition]int64{}
			for _, stream := range []domain.Stream{domain.Orders, domain.Errors, domain.Redeliveries} {
				ends[domain.Partition{Stream: stream}] = int64(n)
			}
			terms.Apply(&e, domain.Mark{Offset: int64(n), Time: e.Time, Ends: ends})
			if d, is := e.Data.(*domain.FactDecided); is {
				unit = d.OrderID
			}
		}
		if unit != "" {
			units[unit] = append(units[unit], domain.Recorded{Event: &e, At: at, RecordedAt: e.Time})
		}
	}
	return terms, units
}

// settledUnit is what an order and its cases came to.
type settledUnit struct {
	*testing.T
	name                                       string
	cases                                      map[string]domain.CaseFacts
	open                                       map[account]domain.Amount
	contribution, perfect, changes, apart, net domain.Amount
}

type account struct {
	domain.Account
	incident string
}

// sides are the accounts that a case can leave open, and the sign that they then have.
var sides = map[domain.Account]domain.Amount{
	domain.ReturnAsset: 1, domain.ClaimsReceivable: 1, domain.DisputeReceivable: 1, domain.VoucherLiability: -1,
	domain.GoodsOwed: -1,
}

func (b *settledUnit) take(e *domain.Event, s *domain.SettledEvent) {
	if len(s.Unpriced) > 0 {
		b.Errorf("%s: %s %s is unpriced: %q", b.name, e.Type, e.ID, s.Unpriced)
	}
	balance := map[string]domain.Amount{}
	for _, l := range s.Lines {
		balance[l.Currency] += l.Amount
		if sides[l.Account] != 0 {
			b.open[account{l.Account, l.Case}] += l.Amount
		}
		if l.Account.ProfitAndLoss() {
			b.contribution -= l.Amount
			if l.Step == domain.Perfect {
				b.perfect -= l.Amount
			} else if l.Element == domain.NoElement {
				b.changes -= l.Amount
			}
		}
		if l.Element == domain.NoElement {
			continue
		}
		if c, known := b.cases[l.Case]; known && !c.Founded && c.SameAs == "" {
			b.apart += l.Amount
		} else {
			b.net += l.Amount
		}
	}
	for currency, sum := range balance {
		if sum != 0 {
			b.Errorf("%s: the entry of %s %s comes to %s %s", b.name, e.Type, e.ID, sum, currency)
		}
	}
}

func (b *settledUnit) compare() {
	for a, sum := range b.open {
		if sum*sides[a.Account] < 0 {
			b.Errorf("%s: case %q leaves %s on %d", b.name, a.incident, sum, a.Account)
		}
	}
	if b.contribution != b.perfect+b.changes-b.apart-b.net {
		b.Errorf("%s brought %s: %s perfect, %s changes, %s apart, %s net", b.name, b.contribution, b.perfect, b.changes,
			b.apart, b.net)
	}
}
