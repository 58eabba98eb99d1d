package insight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// vendors asks how good suppliers and carriers are. It reads what recoverable reads, and of the ledger the orders that
// were placed in the time.
var vendors = Question{
	Name: "vendors",
	About: "Suppliers and carriers: what was sold of them, how often it failed, what that cost, what they paid back, " +
		"and how fast.",
	Method: "Failures per thousand lines are the lines of goods sold in the time of which a founded case came that a " +
		"supplier or carrier caused, with the 95 % interval (Wilson). A place is given only as far as the exact intervals " +
		"of all vendors together (Clopper-Pearson, Bonferroni) tell them apart.",
	Heading: "Vendors",
	Columns: []Column{
		{Name: "vendor", Unit: Text, About: "The supplier or carrier; empty: what names none, services and fees too."},
		{Name: "lines", Unit: Count, About: "Lines of goods sold, as orders were placed.", Sum: true},
		{Name: "pieces", Unit: Price, About: "Pieces on them."},
		{Name: "sales", Unit: Money, About: "Net sales of these orders as they were placed.", Sum: true},
		{Name: "received", Unit: Money, About: "What the goods sold cost to buy.", Sum: true},
		{Name: "margin", Unit: Money, About: "sales − received.", Sum: true},
		{Name: "failed_lines", Unit: Count, About: "Lines of which a founded case came that the vendor caused.", Sum: true},
		{Name: "per_thousand", Unit: Price, About: "Failed lines per thousand lines.", Estimate: true},
		{Name: "place_from", Unit: Count, About: "Best place that the intervals allow; 1 fails least."},
		{Name: "place_to", Unit: Count, About: "Worst place that they allow."},
		{Name: "cases", Unit: Count, About: "Cases with costs in the time that the vendor caused.", Sum: true},
		{Name: "gross", Unit: Money, About: "What they cost.", Sum: true},
		{Name: "recovered", Unit: Money, About: "What claims and sold leftovers brought of that.", Sum: true},
		{Name: "net", Unit: Money, About: "Net quality cost: gross − recovered.", Sum: true},
		{Name: "of_margin", Unit: Share, About: "net ÷ margin: how much of the margin quality eats."},
		{Name: "claims", Unit: Count, About: "Claims filed of these cases.", Sum: true},
		{Name: "claims_accepted", Unit: Count, About: "Of them, those that were accepted or paid.", Sum: true},
		{Name: "days_to_accept", Unit: Days, About: "Median, from filing to acceptance."},
		{Name: "link", Unit: Text, About: "Where its cases are."},
	},
	Read: readVendors,
}

// leastLines is the least of lines by which a vendor's failures are told: one in a thousand is seen by then.
const leastLines = 100

// scored is what is known of a vendor.
type scored struct {
	name                        string
	lines, failed               uint64
	pieces                      string
	sales, received             *big.Rat
	gross, recovered            *big.Rat
	cases, claims, acceptedOnes uint64
	days                        []float64 // to acceptance
}

func readVendors(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	all, err := readVendorGoods(ctx, db, q)
	if err != nil {
		return nil, nil, err
	}
	cases, err := readVendorCases(ctx, db, q)
	if err != nil {
		return nil, nil, err
	}
	byName := map[string]*scored{}
	for _, v := range all {
		byName[v.name] = v
	}
	for _, c := range cases {
		v := byName[c.vendor]
		if v == nil {
			v = newScored(c.vendor)
			byName[c.vendor] = v
			all = append(all, v)
		}
		v.add(c)
	}
	named := slices.DeleteFunc(slices.Clone(all), func(v *scored) bool { return v.name == "" })
	arms := make([]estimate.Arm, len(named))
	for i, v := range named {
		if v.lines >= leastLines {
			arms[i] = estimate.Arm{N: v.lines, Back: v.failed}
		}
	}
	places := map[string]estimate.Ranked{}
	for i, place := range estimate.Ranks(arms, estimate.Level95) {
		places[named[i].name] = place
	}
	// Who can't be told apart stands by name.
	slices.SortFunc(all, func(a, b *scored) int {
		from := func(v *scored) int { return cmp.Or(places[v.name].From, len(all)+1) }
		return cmp.Or(cmp.Compare(from(a), from(b)), cmp.Compare(places[a.name].To, places[b.name].To),
			cmp.Compare(a.name, b.name))
	})
	rows := make([]Row, 0, len(all))
	for _, v := range all {
		rows = append(rows, v.row(places[v.name], q))
	}
	return rows, nil, nil
}

func newScored(name string) *scored {
	return &scored{name: name, pieces: "0", sales: new(big.Rat), received: new(big.Rat), gross: new(big.Rat),
		recovered: new(big.Rat)}
}

// add takes a case.
func (v *scored) add(c *vendorCase) {
	v.cases++
	v.gross.Add(v.gross, c.gross)
	v.recovered.Add(v.recovered, c.recovered).Add(v.recovered, c.salvaged)
	for _, k := range c.claims {
		v.claims++
		if !k.accepted {
			continue
		}
		v.acceptedOnes++
		if !k.filedAt.IsZero() && !k.acceptedAt.IsZero() && !k.acceptedAt.Before(k.filedAt) {
			v.days = append(v.days, k.acceptedAt.Sub(k.filedAt).Hours()/24)
		}
	}
}

func (v *scored) row(place estimate.Ranked, q *Query) Row {
	margin := new(big.Rat).Sub(v.sales, v.received)
	net := new(big.Rat).Sub(v.gross, v.recovered)
	row := Row{"vendor": v.name, "lines": v.lines, "pieces": v.pieces, "sales": v.sales.FloatString(4),
		"received": v.received.FloatString(4), "margin": margin.FloatString(4), "failed_lines": v.failed,
		"per_thousand": estimate.Wilson(v.failed, v.lines, leastLines, 1000), "place_from": nil, "place_to": nil,
		"cases": v.cases, "gross": v.gross.FloatString(4), "recovered": v.recovered.FloatString(4),
		"net": net.FloatString(4), "of_margin": nil, "claims": v.claims, "claims_accepted": v.acceptedOnes,
		"days_to_accept": nil, "link": q.listLink("recoverable", "vendor", v.name)}
	if place.From > 0 {
		row["place_from"], row["place_to"] = uint64(place.From), uint64(place.To)
	}
	if margin.Sign() > 0 {
		row["of_margin"] = new(big.Rat).Quo(net, margin).FloatString(6)
	}
	if n := len(v.days); n > 0 {
		slices.Sort(v.days)
		row["days_to_accept"] = strconv.FormatFloat((v.days[(n-1)/2]+v.days[n/2])/2, 'f', 2, 64)
	}
	return row
}

// readVendorGoods reads what was sold of each vendor. What names none is the rest of what the journal has, so the sums
// are those of the journal.
func readVendorGoods(ctx context.Context, db driver.Conn, q *Query) ([]*scored, error) {
	var found []struct {
		Vendor string `ch:"vendor"`
		Lines  uint64 `ch:"goods_lines"`
		Pieces string `ch:"pieces"`
		Sales  string `ch:"sales"`
		Cost   string `ch:"cost"`
		Failed uint64 `ch:"failed"`
	}
	if err := q.make("vendor_goods").Select(ctx, db, &found); err != nil {
		return nil, fmt.Errorf("read what was sold of vendors: %w", err)
	}
	var sales, cost string
	if err := q.make("sold_in_all").Row(ctx, db).Scan(&sales, &cost); err != nil {
		return nil, fmt.Errorf("read what was sold: %w", err)
	}
	nobody := newScored("")
	if err := errors.Join(setAmount(nobody.sales, sales), setAmount(nobody.received, cost)); err != nil {
		return nil, err
	}
	all := []*scored{nobody}
	for _, f := range found {
		if f.Vendor == "" {
			nobody.lines, nobody.failed, nobody.pieces = f.Lines, f.Failed, f.Pieces
			continue
		}
		v := newScored(f.Vendor)
		v.lines, v.failed, v.pieces = f.Lines, f.Failed, f.Pieces
		if err := errors.Join(setAmount(v.sales, f.Sales), setAmount(v.received, f.Cost)); err != nil {
			return nil, err
		}
		nobody.sales.Sub(nobody.sales, v.sales)
		nobody.received.Sub(nobody.received, v.received)
		all = append(all, v)
	}
	if nobody.lines == 0 && nobody.sales.Sign() == 0 && nobody.received.Sign() == 0 {
		return all[1:], nil
	}
	return all, nil
}

// setAmount reads decimal text.
func setAmount(into *big.Rat, text string) error {
	if _, is := into.SetString(text); !is {
		return fmt.Errorf("%q is no amount", text)
	}
	return nil
}
