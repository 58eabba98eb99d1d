package page

import (
	"math/big"

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
func (b *overviewBody) service(a *ask, now, then *report.Summary) error {
	if now == nil {
		return nil
	}
	add := func(name, explained string, of func(*report.Summary) report.Ratio) error {
		value, err := ratio(of(now))
		if err != nil || value == "" {
			return err
		}
		c := card{Name: name, Value: value, Explained: explained, Direction: "same", Change: "nothing to compare",
			URL: a.Link("/cases")}
		if then != nil {
			earlier, err := ratio(of(then))
			if err != nil {
				return err
			}
			if earlier != "" {
				c.Change = "was " + earlier
			}
		}
		b.Cards = append(b.Cards, c)
		return nil
	}
	err := add("Share of net sales", "Net cost of putting right, out of all sales without tax.",
		func(s *report.Summary) report.Ratio { return s.LeakageShareOfNetSales })
	if err != nil {
		return err
	}
	silent := now.SilentFailures.Numerator + " more broke it, and nobody complained."
	return add("Right first time", "Delivered orders with the promise kept and nothing wrong. "+silent,
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

func (b *overviewBody) cards(a *ask, past *figures) {
	t := b.Total
	nothing := past.Cases == 0 && past.Orders == 0
	const noComparison = "nothing to compare"
	add := func(name string, now, then *money, worseUp bool, explained, url string) {
		c := card{Name: name, Value: now.Cents(), Unit: now.currency, Exact: now.Text(), Explained: explained, URL: url}
		c.Change, c.Direction = change(now, then)
		c.Worse = c.Direction == "up" == worseUp
		if nothing {
			c.Change, c.Direction, c.Worse = noComparison, "same", false
		}
		b.Cards = append(b.Cards, c)
	}
	all := a.Link("/cases")
	add("Real cost, net", t.Net, past.Net, true, "What putting mistakes right cost, after what others paid back.", all)
	add("Gross cost", t.Gross, past.Gross, true,
		"Refunds, goods, freight, staff time, trucks: everything before paybacks.", a.Link("/", "group", "element")+"#groups")
	add("Paid back to us", t.Recoveries, past.Recoveries, false, "By suppliers, carriers and insurers, and from salvage.",
		a.Link("/cases", "element", domain.Recovery.String()))
	add("Your ledger shows", t.Ledger(), past.Ledger(), true,
		"All that your general ledger alone shows of it, net. Below zero it looks like a gain.", a.Link("/", "view",
			"booked"))
	hidden := card{Name: "Hidden share", Value: t.HiddenShare(), Exact: t.Hidden.Text(), Direction: "same",
		Explained: "Part of the gross cost that your ledger has as wages and fleet: " + t.Hidden.Short() + ".",
		URL:       a.Link("/cases", "basis", domain.Imputed.String()), Change: "was " + past.HiddenShare()}
	if hidden.Value == "" {
		hidden.Value = "–"
	}
	if past.HiddenShare() == "" {
		hidden.Change = noComparison
	}
	b.Cards = append(b.Cards, hidden)
	number := func(n uint64) *money {
		return &money{units: *new(big.Int).Mul(new(big.Int).SetUint64(n), big.NewInt(10_000))}
	}
	cases := card{Name: "Cases", Value: counted(t.Cases), URL: all,
		Explained: "Promises not kept that cost money, on " + counted(t.Orders) + " orders."}
	cases.Change, cases.Direction = change(number(t.Cases), number(past.Cases))
	if cases.Worse = cases.Direction == "up"; nothing {
		cases.Change, cases.Direction, cases.Worse = noComparison, "same", false
	} else if past.Cases == 0 {
		cases.Change = "none before"
	}
	b.Cards = append(b.Cards, cases)
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
