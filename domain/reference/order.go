package reference

import (
	"fmt"
	"math/big"
	"sort"
)

// Order is what one order promised to bring, and what it brought.
type Order struct {
	OrderID, StoreID, Currency string
	Perfect, Contribution      *big.Rat // of order.placed alone; with everything that happened
	Gross, Net, Hidden         *big.Rat // leakage, without changed_mind
	ChangedMind                *big.Rat // net of the changed_mind cases
	CustomerCancellations      *big.Rat // contribution that customers undid
	Unpriced                   bool
	Entries                    []Entry // by time
}

// Check is the identity of section 5: what the perfect order would have brought, less what this one did, is what leaked,
// what the customer changed their mind about and what they cancelled. Nothing else moves a contribution.
func (o *Order) Check() error {
	lost := new(big.Rat).Sub(o.Perfect, o.Contribution)
	explained := new(big.Rat).Add(o.Net, o.ChangedMind)
	explained.Add(explained, o.CustomerCancellations)
	if lost.Cmp(explained) != 0 {
		return fmt.Errorf("order %s: perfect − actual = %s, but net + changed_mind + cancellations = %s",
			o.OrderID, money(lost), money(explained))
	}
	return nil
}

// OrderIDs are the orders that the books know of, sorted.
func (b *Books) OrderIDs() []string { return b.distinct(func(e *Entry) string { return e.OrderID }) }

// CaseIDs are the cases that the books know of, sorted.
func (b *Books) CaseIDs() []string { return b.distinct(func(e *Entry) string { return e.ErrorID }) }

func (b *Books) distinct(id func(*Entry) string) []string {
	seen := make(map[string]bool)
	var ids []string
	for i := range b.Entries {
		if s := id(&b.Entries[i]); s != "" && !seen[s] {
			seen[s] = true
			ids = append(ids, s)
		}
	}
	sort.Strings(ids)
	return ids
}

// Order reads one order; nil where the books know nothing of it.
func (b *Books) Order(orderID string) *Order {
	return b.read(orderID, func(e *Entry) bool { return e.OrderID == orderID })
}

// Case reads one case in the same form; its OrderID is that of its earliest event, and nothing is promised by a case alone.
func (b *Books) Case(errorID string) *Order {
	o := b.read("", func(e *Entry) bool { return e.ErrorID == errorID })
	if o != nil {
		o.OrderID = o.Entries[0].OrderID
	}
	return o
}

func (b *Books) read(orderID string, in func(*Entry) bool) *Order {
	o := &Order{
		OrderID: orderID, Perfect: new(big.Rat), Contribution: new(big.Rat), Gross: new(big.Rat), Net: new(big.Rat),
		Hidden: new(big.Rat), ChangedMind: new(big.Rat), CustomerCancellations: new(big.Rat),
	}
	for i := range b.Entries {
		if in(&b.Entries[i]) {
			o.Entries = append(o.Entries, b.Entries[i])
		}
	}
	if len(o.Entries) == 0 {
		return nil
	}
	sort.SliceStable(o.Entries, func(i, j int) bool {
		x, y := &o.Entries[i], &o.Entries[j]
		if !x.OccurredAt.Equal(y.OccurredAt) {
			return x.OccurredAt.Before(y.OccurredAt)
		}
		return x.less(y.Identity)
	})
	o.StoreID = o.Entries[0].StoreID
	leak := newSums()
	for i := range o.Entries {
		e := &o.Entries[i]
		if o.Currency == "" {
			o.Currency = e.Currency
		}
		o.Unpriced = o.Unpriced || len(e.Unpriced) > 0
		for _, l := range e.Lines {
			if !isProfitAndLoss(l.Account) {
				continue
			}
			o.Contribution.Sub(o.Contribution, l.Amount)
			switch {
			case e.PostedFor == "order.placed":
				o.StoreID = e.StoreID
				o.Perfect.Sub(o.Perfect, l.Amount)
			case e.CancelledBy == "customer":
				o.CustomerCancellations.Add(o.CustomerCancellations, l.Amount)
			case l.Element == "":
				// Nothing else is left in the table; were there a row, Check would say so.
			case b.cases[e.ErrorID].kind == changedMind:
				o.ChangedMind.Add(o.ChangedMind, l.Amount)
			default:
				leak.add(e, l)
			}
		}
	}
	o.Gross, o.Net, o.Hidden = &leak.gross, &leak.net, &leak.hidden
	return o
}
