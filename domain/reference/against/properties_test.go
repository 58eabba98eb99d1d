package against

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/makegood/makegood/domain"
)

// holds answers what doesn't hold of the books of a unit, whatever the reference says; "" where all does.
func holds(terms *domain.Terms, events []domain.Recorded, s *domain.Settlement) string {
	for _, check := range []func(*domain.Terms, []domain.Recorded, *domain.Settlement) string{entriesBalance,
		identityHolds,
		sidesAreRight, factsSumUp, closesHold, reportsAloneCostNothing} {
		if d := check(terms, events, s); d != "" {
			return d
		}
	}
	return ""
}

// entriesBalance: Σ of every entry is zero, by currency.
func entriesBalance(_ *domain.Terms, events []domain.Recorded, s *domain.Settlement) string {
	for i := range s.Events {
		sums := map[string]domain.Amount{}
		for _, l := range s.Events[i].Lines {
			sums[l.Currency] += l.Amount
		}
		for currency, a := range sums {
			if a != 0 {
				return fmt.Sprintf("balance: the entry of %s is out by %s %s", events[i].Event.ID, a, currency)
			}
		}
	}
	return ""
}

// figures of an order in a currency.
type figures struct{ contribution, perfect, changes, changedMind, unfounded, net domain.Amount }

// identityHolds: contribution = perfect + customer_changes − changed_mind − unfounded − net leakage, of every
// order.
func identityHolds(_ *domain.Terms, events []domain.Recorded, s *domain.Settlement) string {
	kind, founded := map[string]string{}, map[string]bool{}
	for _, i := range s.Sequence {
		for _, f := range s.Events[i].Cases {
			kind[f.Case], founded[f.Case] = f.Kind, f.Founded
		}
	}
	of := map[[2]string]*figures{}
	for i := range s.Events {
		for _, l := range s.Events[i].Lines {
			key := [2]string{events[i].Event.OrderID, l.Currency}
			if of[key] == nil {
				of[key] = &figures{}
			}
			f := of[key]
			if l.Account.ProfitAndLoss() {
				f.contribution -= l.Amount
				switch {
				case l.Step == domain.Perfect:
					f.perfect -= l.Amount
				case l.Step == domain.Change && l.Element == domain.NoElement:
					f.changes -= l.Amount
				}
			}
			is, known := founded[l.Case]
			switch {
			case l.Element == domain.NoElement:
			case !domain.IsFailure(kind[l.Case]):
				f.changedMind += l.Amount
			case known && !is:
				f.unfounded += l.Amount
			default:
				f.net += l.Amount
			}
		}
	}
	for key, f := range of {
		if f.contribution != f.perfect+f.changes-f.changedMind-f.unfounded-f.net {
			return fmt.Sprintf("identity: of order %q in %s: %+v", key[0], key[1], *f)
		}
	}
	return ""
}

// sidesAreRight: after every entry no account of a case is on its wrong side.
func sidesAreRight(_ *domain.Terms, events []domain.Recorded, s *domain.Settlement) string {
	type balance struct {
		incident, currency string
		account            domain.Account
	}
	held := map[balance]domain.Amount{}
	for _, i := range s.Sequence {
		for _, l := range s.Events[i].Lines {
			held[balance{l.Case, l.Currency, l.Account}] += l.Amount
		}
		for k, a := range held {
			switch k.account {
			case domain.ReturnAsset, domain.ClaimsReceivable, domain.DisputeReceivable:
				a = -a
			case domain.VoucherLiability, domain.GoodsOwed:
			default:
				continue
			}
			if a > 0 {
				return fmt.Sprintf("side: after %s, %d of case %s is out by %s %s", events[i].Event.ID, k.account, k.incident, a,
					k.currency)
			}
		}
	}
	return ""
}

// factsSumUp: what the events say last of each case of an order is what is known of it in the end.
func factsSumUp(_ *domain.Terms, events []domain.Recorded, s *domain.Settlement) string {
	several := slices.ContainsFunc(s.Cases, func(c domain.CaseFacts) bool { return c.Order != "" })
	last := map[[2]string]domain.CaseFacts{}
	for _, i := range s.Sequence {
		for _, f := range s.Events[i].Cases {
			if f.Order == "" && several {
				f.Order = cmp.Or(s.Events[i].Home, events[i].Event.OrderID)
			}
			last[[2]string{f.Order, f.Case}] = f
		}
	}
	for _, c := range s.Cases {
		at := [2]string{c.Order, c.Case}
		if last[at] != c {
			return fmt.Sprintf("facts: of case %s the events say %+v, and in the end it is %+v", c.Case, last[at], c)
		}
		delete(last, at)
	}
	for _, f := range last {
		if !f.Gone {
			return fmt.Sprintf("facts: case %s is none in the end, and no event says so", f.Case)
		}
	}
	return ""
}

// closesHold: an entry that a close saw never changes.
func closesHold(terms *domain.Terms, events []domain.Recorded, s *domain.Settlement) string {
	var epochs []int
	for i := range events {
		epochs = append(epochs, terms.Periods.Epoch(events[i].At))
	}
	all := slices.Compact(slices.Sorted(slices.Values(epochs)))
	for _, next := range all[1:] {
		var early []domain.Recorded
		var was []int
		for i := range events {
			if epochs[i] < next {
				early, was = append(early, events[i]), append(was, i)
			}
		}
		got, err := terms.Settle(early)
		if err != nil {
			return "settle: " + err.Error()
		}
		for n, i := range was {
			a, b := &got.Events[n], &s.Events[i]
			if !slices.Equal(a.Lines, b.Lines) || !reflect.DeepEqual(a.Cases, b.Cases) {
				return fmt.Sprintf("closed: %s had %v %+v before epoch %d, and has %v %+v", events[i].Event.ID,
					linesOf(a.Lines, ""), a.Cases, next, linesOf(b.Lines, ""), b.Cases)
			}
		}
	}
	return ""
}

// reportsAloneCostNothing: what is only reported, classified or rejected has net 0.
func reportsAloneCostNothing(terms *domain.Terms, events []domain.Recorded, _ *domain.Settlement) string {
	var said []domain.Recorded
	for i := range events {
		switch events[i].Event.Data.(type) {
		case *domain.OrderPlaced, *domain.ErrorReported, *domain.ErrorClassified, *domain.ErrorRejected:
			said = append(said, events[i])
		}
	}
	got, err := terms.Settle(said)
	if err != nil {
		return "settle: " + err.Error()
	}
	sums := map[string]domain.Amount{}
	for i := range got.Events {
		for _, l := range got.Events[i].Lines {
			if l.Element != domain.NoElement {
				sums[l.Currency] += l.Amount
			}
		}
	}
	for currency, a := range sums {
		if a != 0 {
			return fmt.Sprintf("reports: alone they cost %s %s", a, currency)
		}
	}
	return ""
}
