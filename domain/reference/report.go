package reference

import (
	"fmt"
	"math/big"
	"slices"
	"sort"
	"strings"
	"time"
)

// Row is one row of a leakage report. Amounts are strings with 4 decimals; booked and hidden split gross.
type Row struct {
	Key        map[string]string `json:"key,omitempty"`
	Gross      string            `json:"gross"`
	Net        string            `json:"net"`
	Booked     string            `json:"booked"`
	Hidden     string            `json:"hidden"`
	Recoveries string            `json:"recoveries"`
	Cases      int               `json:"cases"`
	Orders     int               `json:"orders"`
}

// Report is a leakage report in the shape of section 7.
type Report struct {
	Currency string            `json:"currency"`
	Rows     []Row             `json:"rows"`
	Totals   Row               `json:"totals"`
	Apart    map[string]string `json:"apart"`
}

// viewHas tells which bases a view counts.
var viewHas = map[string][]string{
	"economic": {cash, accrued, imputed},
	"booked":   {cash, accrued},
	"cash":     {cash},
}

// sums gathers the lines of one row.
type sums struct {
	gross, net, booked, hidden, recoveries big.Rat
	cases, orders                          map[string]bool
	some                                   bool // a line of no case, or of one that isn't gone
}

func newSums() *sums { return &sums{cases: make(map[string]bool), orders: make(map[string]bool)} }

// add counts one line that carries an element. Of a case that is gone it counts no case and no order.
func (s *sums) add(order string, l Line, gone bool) {
	s.net.Add(&s.net, l.Amount)
	if l.Element == "RECOVERY" || l.Element == "SALVAGE" {
		s.recoveries.Sub(&s.recoveries, l.Amount)
	} else {
		s.gross.Add(&s.gross, l.Amount)
		if l.Basis == imputed {
			s.hidden.Add(&s.hidden, l.Amount)
		} else {
			s.booked.Add(&s.booked, l.Amount)
		}
	}
	if gone {
		return
	}
	s.some = true
	if l.Case != "" {
		s.cases[l.Order+"\x00"+l.Case] = true
	}
	if order != "" {
		s.orders[order] = true
	}
}

func (s *sums) row(key map[string]string) Row {
	return Row{
		Key: key, Gross: money(&s.gross), Net: money(&s.net), Booked: money(&s.booked), Hidden: money(&s.hidden),
		Recoveries: money(&s.recoveries), Cases: len(s.cases), Orders: len(s.orders),
	}
}

// Leakage reports the lines with an element from one day (YYYY-MM-DD) to before another; an empty day is no bound.
// groupBy names keys of section 7, view is economic, booked or cash, periodBy occurred or posting. An empty currency
// will do where the range has but one.
func (b *Books) Leakage(from, to string, groupBy []string, view, periodBy, currency string) (*Report, error) {
	bases, err := askedOf(groupBy, view, periodBy)
	if err != nil {
		return nil, err
	}
	currencies := map[string]bool{}
	totals, apart, groups, keys := newSums(), make(map[string]*sums), make(map[string]*sums), make(map[string][]string)
	for _, name := range []string{changedMind, unfounded, "customer_changes"} {
		apart[name] = newSums()
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		day := b.dayOf(e, periodBy)
		if day < from || to != "" && day >= to {
			continue
		}
		for _, l := range e.Lines {
			if !slices.Contains(bases, l.Basis) || currency != "" && l.Currency != currency {
				continue
			}
			if l.Element == "" {
				if l.Step == change && isProfitAndLoss(l.Account) {
					apart["customer_changes"].add("", l, false)
				}
				continue
			}
			currencies[l.Currency] = true
			if where := b.apart(l); where != "" {
				apart[where].add("", l, false)
				continue
			}
			values := b.keysOf(groupBy, e, l, day)
			group := strings.Join(values, "\x00") // ids hold no control characters, so this sorts key by key
			if groups[group] == nil {
				groups[group], keys[group] = newSums(), values
			}
			groups[group].add(l.Order, l, b.isGone(l))
			totals.add(l.Order, l, b.isGone(l))
		}
	}
	all := slices.Sorted(mapKeys(currencies))
	if len(all) > 1 {
		return nil, fmt.Errorf("several currencies, ask for one: %s", strings.Join(all, ", "))
	}
	if currency == "" && len(all) == 1 {
		currency = all[0]
	}
	report := &Report{Currency: currency, Rows: []Row{}, Totals: totals.row(nil), Apart: map[string]string{}}
	for name, sum := range apart {
		report.Apart[name] = money(&sum.net)
	}
	report.Apart["customer_changes"] = money(negative(&apart["customer_changes"].net)) // contribution that they brought
	var names []string
	for name, g := range groups {
		if g.some || g.net.Sign() != 0 || g.gross.Sign() != 0 {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		key := make(map[string]string)
		for i, k := range groupBy {
			key[k] = keys[name][i]
		}
		report.Rows = append(report.Rows, groups[name].row(key))
	}
	return report, nil
}

// keysOf are the values of the keys that a line counts under.
func (b *Books) keysOf(groupBy []string, e *Entry, l Line, day string) []string {
	var values []string
	for _, key := range groupBy {
		values = append(values, b.keyOf(key, e, l, day))
	}
	return values
}

// askedOf are the bases of a view. Its error says which word of a question is unknown.
func askedOf(groupBy []string, view, periodBy string) ([]string, error) {
	bases, ok := viewHas[view]
	if !ok {
		return nil, fmt.Errorf("unknown view %q", view)
	}
	if periodBy != "occurred" && periodBy != "posting" {
		return nil, fmt.Errorf("unknown period_by %q", periodBy)
	}
	for _, key := range groupBy {
		if !slices.Contains(Keys, key) {
			return nil, fmt.Errorf("unknown key %q", key)
		}
	}
	return bases, nil
}

// dayOf is the day an entry counts in. By posting period an entry that came too late for its own month counts on the
// first day of the month that took it.
func (b *Books) dayOf(e *Entry, periodBy string) string {
	if periodBy == "posting" && e.PostingPeriod != e.OriginPeriod {
		return e.PostingPeriod + "-01"
	}
	return e.OccurredAt.In(b.zone).Format(time.DateOnly)
}

// Keys are what a report can be grouped by.
var Keys = []string{
	"day", "month", "store", "selling_store", "founded", "vendor", "kind", "root_cause", "party_at_fault", "employee",
	"avoidable",
	"element", "account", "basis", "category", "case", "order",
}

func (b *Books) keyOf(key string, e *Entry, l Line, day string) string {
	c := b.caseOf(l)
	if c == nil {
		c = &facts{} // without a case: all empty
	}
	switch key {
	case "day":
		return day
	case "month":
		return day[:len("2006-01")]
	case "store":
		return l.Store
	case "selling_store":
		return b.soldBy(l.Order)
	case "founded":
		return c.foundedText()
	case "case":
		return l.Case
	case "order":
		return l.Order
	case "vendor":
		return c.vendor
	case "kind":
		return c.kind
	case "root_cause":
		return c.rootCause
	case "party_at_fault":
		return c.atFault
	case "employee":
		return c.employee
	case "avoidable":
		return c.avoidable
	case "element":
		return l.Element
	case "account":
		return l.Account
	case "basis":
		return l.Basis
	case "category":
		if c.before() {
			return "internal"
		}
		return "external"
	}
	panic("unknown key " + key) // Leakage has checked
}

// isGone tells whether what a line is of was a case of the order and is none any more.
func (b *Books) isGone(l Line) bool {
	c := b.caseOf(l)
	return c != nil && c.gone
}

// foundedText is "yes, no; ” where there is no case".
func (c *facts) foundedText() string {
	switch {
	case c.id == "", c.gone:
		return ""
	case c.founded:
		return "yes"
	}
	return "no"
}

// VendorOf is the vendor of the case that a line is of; "" where there is none.
func (b *Books) VendorOf(l Line) string {
	if c := b.caseOf(l); c != nil {
		return c.vendor
	}
	return ""
}

// soldBy is the store that sold an order; "" where it is not known.
func (b *Books) soldBy(order string) string {
	if s := b.orders[order]; s != nil && len(s.placed) > 0 {
		return s.placed[0].store()
	}
	return ""
}
