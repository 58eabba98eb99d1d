package page

import (
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

// served is the question how well orders were served; false where the page is narrowed to what it can't be asked about.
func (a *ask) served() (q report.SummaryQuery, ok bool) {
	q = report.SummaryQuery{Store: a.query.Only["store"], Currency: a.query.Currency, AsOf: a.query.AsOf, Brief: true}
	narrowed := len(a.query.Only)
	if q.Store != "" {
		narrowed--
	}
	return q, narrowed == 0 && a.query.View == defaultView && a.query.PeriodBy == defaultPeriod && a.query.Currency != ""
}

// service adds what the summary says.
func (b *overviewBody) service(a *ask, served, before part[*report.Summary]) error {
	if !served.Known {
		return nil
	}
	now := served.Value
	add := func(name, term, explained string, of func(*report.Summary) report.Ratio) error {
		value, err := ratio(of(now))
		if err != nil || value == "" {
			return err
		}
		c := card{Name: name, Term: term, Value: value, Explained: explained, Direction: "same",
			Change: "nothing to compare", URL: a.Link("/cases"), At: at(served)}
		if before.Known {
			earlier, err := ratio(of(before.Value))
			if err != nil {
				return err
			}
			if earlier != "" {
				c.Change = "was " + earlier
			}
		}
		b.add(c)
		return nil
	}
	err := add("Share of net sales", "", "Net cost of putting right, out of all sales without tax.",
		func(s *report.Summary) report.Ratio { return s.LeakageShareOfNetSales })
	if err != nil {
		return err
	}
	silent := now.SilentFailures.Numerator + " more broke it, and nobody complained."
	return add("Right first time", "silent-failure", "Delivered orders with the promise kept and nothing wrong. "+silent,
		func(s *report.Summary) report.Ratio { return s.RightFirstTime })
}

// ratio is a ratio in percent; nothing where there is nothing to divide by.
func ratio(r report.Ratio) (string, error) {
	if r.Value == nil {
		return "", nil
	}
	above, err := read(r.Numerator, "")
	if err != nil {
		return "", err
	}
	below, err := read(r.Denominator, "")
	if err != nil {
		return "", err
	}
	return share(&above.units, &below.units), nil
}

// add adds a card. Where the two times can't be compared it says so instead.
func (b *overviewBody) add(c card) {
	if b.Unequal != "" && c.Change != "" {
		c.Change, c.Direction, c.Worse = b.Unequal, "same", false
	}
	b.Cards = append(b.Cards, c)
}

const noComparison = "nothing to compare"

// cards are the headline numbers; nothing says that nothing is known of the time before.
func (b *overviewBody) cards(a *ask, past *figures, nothing bool, got *answers) error {
	t := b.Total
	add := func(name, term string, now, then *money, worseUp bool, explained, url string) {
		c := card{Name: name, Term: term, Value: now.Cents(), Unit: now.currency, Exact: now.Text(), Explained: explained,
			URL: url}
		c.Change, c.Direction = change(now, then)
		c.Worse = c.Direction == "up" == worseUp
		if nothing {
			c.Change, c.Direction, c.Worse = noComparison, "same", false
		}
		b.add(c)
	}
	add("Real cost, net", "net", t.Net, past.Net, true, "What putting mistakes right cost, after what others paid back: "+
		countOf(t.Cases, "case", "cases")+" on "+countOf(t.Orders, "order", "orders")+".", a.Link("/cases"))
	hidden := "Inside wages and fleet in the general ledger, not as a cost of failures"
	if share := t.HiddenShare(); share != "" {
		hidden += ": " + share + " of the gross cost"
	}
	add("Of the cost hidden", "hidden", t.Hidden, past.Hidden, true, hidden+".", a.Link("/cases", "basis",
		domain.Imputed.String()))
	add("Your ledger shows", "booked", t.Ledger(), past.Ledger(), true,
		"All that your general ledger alone shows of it, net. Below zero it looks like a gain.", a.Link("/", "view",
			"booked"))
	if b.Save != nil {
		b.Cards = append(b.Cards, b.Save.card(a))
	}
	add("Paid back to us", "recovered", t.Recoveries, past.Recoveries, false,
		"By suppliers, carriers and insurers, and from salvage.", a.Link("/cases", "element", domain.Recovery.String()))
	if got.next.Known {
		c, err := owedCard(a, got.next)
		if err != nil {
			return err
		}
		b.Cards = append(b.Cards, c)
	}
	return b.service(a, got.served, got.servedBefore)
}

// warning is what a reader must know of the numbers; its link leads to what it is about, where there is such a page.
type warning struct{ Text, URL string }

func (b *overviewBody) warnings(a *ask, c report.Counts) {
	for _, w := range []struct {
		n              uint64
		one, many, url string
	}{
		{c.Unpriced, "event has no rate to price it yet: the real cost is higher than shown.",
			"events have no rate to price them yet: the real cost is higher than shown.", ""},
		{c.DeadLetters, "message could not be read and is not in these numbers.",
			"messages could not be read and are not in these numbers.", ""},
		{c.Contradictions, "event contradicts another one and waits for a decision.",
			"events contradict other ones and wait for a decision.", a.Link("/doubts")},
		{c.Flagged, "thing in the books can't be right, and is booked as far as it is known.",
			"things in the books can't be right, and are booked as far as they are known.", a.Link("/doubts")},
	} {
		switch w.n {
		case 0:
		case 1:
			b.Warnings = append(b.Warnings, warning{"One " + w.one, w.url})
		default:
			b.Warnings = append(b.Warnings, warning{counted(w.n) + " " + w.many, w.url})
		}
	}
}
