package reference

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"
)

// Service is section 5's numbers of a period, as "numerator / denominator = value" by name; "-" where there is nothing
// to divide by. It is computed event by event, with no thought for speed.
type Service map[string]string

// ServiceQuery asks for them. From and To are days, To exclusive. Known is the moment that the books speak of: it ends
// the time in which a customer can have come back.
type ServiceQuery struct {
	From, To, Store, Currency string
	ByPosting                 bool // money counts in the month in which it is posted
	Known                     time.Time
}

func (q *ServiceQuery) holds(t time.Time, zone *time.Location, store string) bool {
	return q.holdsDay(t.In(zone).Format(time.DateOnly), store)
}

func (q *ServiceQuery) holdsDay(day, store string) bool {
	return day >= q.From && day < q.To && (q.Store == "" || store == q.Store)
}

// Serve computes them from the records.
func Serve(records []Record, zone *time.Location, q ServiceQuery) (Service, error) {
	books, err := Run(records, zone)
	if err != nil {
		return nil, err
	}
	var events []*event // what counts, by time: arrival plays no part
	for _, v := range books.units {
		for _, e := range v.counted {
			if e.kind != "books.rebuilt" {
				events = append(events, e)
			}
		}
	}
	events = byTime(events)
	s := Service{}
	cases, founded := map[string][]*facts{}, map[string]bool{} // by order
	for _, c := range books.cases {
		if c.sameAs == "" && !c.gone && c.order != "" {
			cases[c.order] = append(cases[c.order], c)
			founded[c.order] = founded[c.order] || c.founded
		}
	}
	partUnknown := map[Identity]bool{}
	for _, f := range books.Flags {
		partUnknown[f.Event] = partUnknown[f.Event] || f.Code == "part_unknown"
	}
	orders := gatherPromises(events, partUnknown)
	serveOrders(s, orders, events, zone, q, cases, founded)
	serveFixes(s, events, zone, q)
	serveMoney(s, books, orders, zone, q)
	serveCustomers(s, events, zone, q, founded)
	return s, nil
}

// promised is what the events say of one order.
type promised struct {
	store, currency string
	placed          bool
	until           string
	lines           []*orderLine
	still           []*orderLine // lines, without what the business took off as well
	nothing         bool         // the customer cancelled the whole
	unplaced        bool         // the whole was cancelled, or a part that nobody can place
	gaveUp          bool         // the customer took lines off
	came            totals
	delivered       time.Time
	lastDelivery    *event
	whole, broken   bool // a delivery without lines; damage or wrong documents
}

// wants reads what a line promises: "Promised is what was last agreed with the customer."
func (p *promised) wants(lines []fields) {
	for _, to := range []*[]*orderLine{&p.lines, &p.still} {
		for _, l := range lines {
			o := &orderLine{id: l.str("line_id"), sku: l.str("sku"), kind: l.str("kind"), left: l.dec("quantity"),
				components: map[string]*big.Rat{}}
			for _, c := range l.list("components") {
				totals(o.components).add(c.str("sku"), c.dec("quantity"))
			}
			*to = append(*to, o)
		}
	}
}

// loses takes lines off: "lines that the business removed stay promised".
func (p *promised) loses(removed []fields, byCustomer bool) {
	wantNoMore(p.still, removed)
	if byCustomer {
		wantNoMore(p.lines, removed)
		p.gaveUp = p.gaveUp || len(removed) > 0
	}
}

func wantNoMore(lines []*orderLine, removed []fields) {
	for _, r := range removed {
		rest := r.dec("quantity")
		for _, o := range lines {
			if r.str("line_id") != "" && o.id != r.str("line_id") || r.str("line_id") == "" && o.sku != r.str("sku") {
				continue
			}
			n := least(rest, notBelowZero(o.left))
			o.left, rest = minus(o.left, n), minus(rest, n)
		}
	}
}

// customerTookAll: "Orders that the customer cancelled whole, at once or line by line until nothing was left".
func (p *promised) customerTookAll() bool {
	return p != nil && (p.nothing || p.gaveUp && len(p.lines) > 0 &&
		!slices.ContainsFunc(p.lines, func(o *orderLine) bool { return o.left.Sign() > 0 }))
}

// complete tells whether all that was promised came.
func (p *promised) complete() bool { return p.nothing || p.has(p.lines) }

// fallsShortKnown: "What falls short only by lines that the business took off, or by a part that nobody can place, is
// a known failure, not a silent one."
func (p *promised) fallsShortKnown() bool { return p.unplaced || p.has(p.still) }

// has tells whether all of the lines came: "a delivery of the components delivers the line".
func (p *promised) has(lines []*orderLine) bool {
	if p.whole {
		return true
	}
	came := totals{}
	for sku, n := range p.came {
		came[sku] = n
	}
	for _, o := range lines {
		if !o.isGoods() {
			continue
		}
		itself := least(o.left, came.of(o.sku))
		came.take(o.sku, itself)
		if missing := minus(o.left, itself); missing.Sign() > 0 {
			if len(o.components) == 0 {
				return false
			}
			for sku, n := range o.components {
				if came.take(sku, times(n, missing)); came.of(sku).Sign() < 0 {
					return false
				}
			}
		}
	}
	return true
}

// gatherPromises reads the orders. partUnknown are cancellations of a part that nobody can place.
func gatherPromises(events []*event, partUnknown map[Identity]bool) map[string]*promised {
	orders := map[string]*promised{}
	for _, e := range events {
		id := e.order()
		if orders[id] == nil {
			orders[id] = &promised{came: totals{}}
		}
		o, byCustomer := orders[id], e.data.str("by") == "customer"
		switch e.kind {
		case "order.placed":
			if !o.placed {
				o.placed, o.store, o.currency = true, e.store(), e.currency()
			}
			o.until = e.data.obj("promise").str("until")
			o.wants(e.data.list("lines"))
		case "order.promise_changed":
			if e.data["agreed_with_customer"] == true {
				o.until = e.data.obj("promise").str("until")
			}
		case "order.changed":
			if byCustomer && e.data.has("promise") {
				o.until = e.data.obj("promise").str("until")
			}
			o.wants(e.data.list("lines_added"))
			o.loses(e.data.list("lines_removed"), byCustomer)
		case "order.cancelled":
			o.loses(e.data.list("lines"), byCustomer)
			if len(e.data.list("lines")) == 0 {
				o.unplaced = true
				o.nothing = o.nothing || byCustomer && !partUnknown[e.Identity]
			}
		case "order.delivered":
			o.arrives(e)
		}
	}
	return orders
}

func (p *promised) arrives(e *event) {
	at := e.time
	if text := e.data.str("delivered_at"); text != "" {
		at, _ = time.Parse(time.RFC3339, text) // valid, as all that is generated
	}
	if p.lastDelivery == nil || at.After(p.delivered) {
		p.delivered = at
	}
	p.lastDelivery = e
	lines := e.data.list("lines")
	p.whole = p.whole || len(lines) == 0
	for _, l := range lines {
		p.came.add(l.str("sku"), l.dec("quantity"))
		p.broken = p.broken || l.str("condition") == "damaged"
	}
	p.broken = p.broken || e.data["documents_ok"] == false
}

// caseSays tells whether a founded case that the customer met is of one of the kinds.
func caseSays(cases []*facts, kinds ...string) bool {
	return slices.ContainsFunc(cases, func(c *facts) bool { return c.is(kinds...) && !c.before() })
}

func serveOrders(s Service, orders map[string]*promised, events []*event, zone *time.Location, q ServiceQuery,
	cases map[string][]*facts, founded map[string]bool) {
	firstStore := map[string]string{}
	for _, e := range events {
		if id := e.order(); e.kind == "order.delivered" && firstStore[id] == "" {
			firstStore[id] = e.store()
		}
	}
	var delivered, timed, onTime, inFull, perfect, right, silent int64
	for id, o := range orders {
		store := o.store
		if !o.placed {
			store = firstStore[id]
		}
		if o.lastDelivery == nil || !q.holds(o.lastDelivery.time, zone, store) || q.Currency != "" && o.placed &&
			o.currency != q.Currency {
			continue
		}
		delivered++
		punctual := true
		if o.until != "" {
			timed++
			until, _ := time.Parse(time.RFC3339, o.until)
			punctual = !o.delivered.After(until)
		}
		// "in full, undamaged, right item: false also where a founded case says so"
		complete := o.complete() && !caseSays(cases[id], "missing_item", "not_delivered")
		kept := punctual && complete && !o.broken && !caseSays(cases[id], "damaged", "defective", "wrong_item",
			"not_as_described", "over_shipped")
		unheard := !(punctual && (o.complete() || o.fallsShortKnown()) && !o.broken) && len(cases[id]) == 0
		for _, c := range []struct {
			is bool
			n  *int64
		}{{punctual && o.until != "", &onTime}, {complete, &inFull}, {kept, &perfect}, {kept && !founded[id], &right},
			{unheard, &silent}} {
			if c.is {
				*c.n++
			}
		}
	}
	of := big.NewRat(delivered, 1)
	for name, n := range map[string]int64{"in_full": inFull, "perfect_order": perfect, "right_first_time": right,
		"silent_failures": silent} {
		s.set(name, big.NewRat(n, 1), of, 0, 0)
	}
	s.set("with_a_time_promised", big.NewRat(timed, 1), of, 0, 0)
	s.set("on_time", big.NewRat(onTime, 1), big.NewRat(timed, 1), 0, 0) // "of the orders that had a time promised"
}

// serveFixes: "fix_promise_kept: fixes with a promise completed by then ÷ fixes with a promise". The last dispatch
// that has one says the promise.
func serveFixes(s Service, events []*event, zone *time.Location, q ServiceQuery) {
	dispatched, done := map[string]*event{}, map[string]time.Time{}
	for _, e := range events {
		id := e.order() + " " + e.data.str("redelivery_id")
		switch {
		case e.kind == "redelivery.dispatched" && e.data.obj("promise").str("until") != "":
			dispatched[id] = e // sent again without a word of it, it has the promise that it had
		case e.kind == "redelivery.completed" && e.data.boolText("succeeded") == "true" && done[id].IsZero():
			done[id] = e.time
		}
	}
	var with, kept int64
	for id, e := range dispatched {
		until, err := time.Parse(time.RFC3339, e.data.obj("promise").str("until"))
		if err != nil || !q.holds(e.time, zone, e.store()) || q.Currency != "" && e.currency() != q.Currency {
			continue // no promise
		}
		with++
		if at := done[id]; !at.IsZero() && !at.After(until) {
			kept++
		}
	}
	s.set("fix_promise_kept", big.NewRat(kept, 1), big.NewRat(with, 1), 0, 0)
}

func serveMoney(s Service, books *Books, orders map[string]*promised, zone *time.Location, q ServiceQuery) {
	sums := totals{}
	placed, cases, months := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range books.Entries {
		e := &books.Entries[i]
		day := e.OccurredAt.In(zone).Format(time.DateOnly)
		if q.ByPosting && e.PostingPeriod != e.OriginPeriod {
			day = e.PostingPeriod + "-01"
		}
		byBusiness := changedByBusiness(e)
		// "the mean perfect contribution of the orders in view": those that were placed in it
		if e.Type == "makegood.order.placed.v1" && e.Standing == counts && e.Currency == q.Currency &&
			q.holdsDay(day, e.StoreID) && !orders[e.OrderID].customerTookAll() {
			placed[e.OrderID] = true
		}
		for _, l := range e.Lines {
			if l.Currency != q.Currency || !q.holdsDay(day, l.Store) {
				continue
			}
			month, order := day[:len("2006-01")], l.Order
			if name := map[string]string{"6100": "prevention", "6110": "appraisal"}[l.Account]; name != "" {
				sums.add(name, l.Amount)
				sums.add(name+" "+month, l.Amount)
				months[month] = true
			}
			if l.Account == "4000" {
				sums.take("sales", l.Amount)
			}
			if l.Step == perfect && isProfitAndLoss(l.Account) && !orders[order].customerTookAll() {
				sums.take("perfect", l.Amount)
			}
			if books.apart(l) == "" {
				if l.Step == fix || l.Step == change && byBusiness {
					sums.serveView(l)
				}
				books.serveLeak(sums, cases, months, e, l, month)
			}
		}
	}
	s.setMoney(sums, cases, placed, months)
}

// changedByBusiness tells whether an entry changes an order as the business wanted: "by business REFUND on 4000, GOODS
// on 5000; by customer none".
func changedByBusiness(e *Entry) bool {
	return slices.ContainsFunc(e.Lines, func(l Line) bool { return l.Step == change && l.Element != "" })
}

// serveView counts a line of a fix, or of what the business itself changed, in "the same fixes, seen twice".
func (t totals) serveView(l Line) {
	if l.Account == "1010" {
		t.add("cash", l.Amount)
	}
	if isProfitAndLoss(l.Account) {
		t.take("profit", l.Amount)
	}
}

// serveLeak counts a line of a founded case, or of none.
func (b *Books) serveLeak(sums totals, cases, months map[string]bool, e *Entry, l Line, month string) {
	if l.Element == "" {
		return
	}
	sums.add("net", l.Amount)
	if l.Element != "RECOVERY" && l.Element != "SALVAGE" {
		sums.add("gross", l.Amount)
		if l.Basis == imputed {
			sums.add("hidden", l.Amount)
		}
	}
	c, category := b.caseOf(l), "external"
	if c != nil && c.before() {
		category = "internal"
	}
	sums.add(category, l.Amount)
	sums.add(category+" "+month, l.Amount)
	months[month] = true
	if c == nil || c.gone {
		return
	}
	cases[l.Order+"\x00"+l.Case] = true
	sums.add("of cases", l.Amount)
	switch c.avoidable {
	case "":
		sums.add("unmarked", l.Amount)
	case "true":
		sums.add("avoidable", l.Amount)
		sums.add("known", l.Amount)
	default:
		sums.add("known", l.Amount)
	}
}

func (s Service) setMoney(sums totals, cases, placed, months map[string]bool) {
	s.set("avoidable_share", sums.of("avoidable"), sums.of("known"), 4, 4)
	s["avoidable unmarked"] = money(sums.of("unmarked")) // "shows the leakage without that mark beside it"
	s.set("hidden_share", sums.of("hidden"), sums.of("gross"), 4, 4)
	s.set("leakage_share_of_net_sales", sums.of("net"), sums.of("sales"), 4, 4)
	nCases, nOrders := big.NewRat(int64(len(cases)), 1), big.NewRat(int64(len(placed)), 1)
	s.set("cost_per_case", sums.of("of cases"), nCases, 4, 0)
	s.set("perfect_contribution", sums.of("perfect"), nOrders, 4, 0)
	if len(cases) > 0 && len(placed) > 0 {
		s.set("orders_to_earn_back", over(sums.of("of cases"), nCases), over(sums.of("perfect"), nOrders), 4, 4)
	}
	names := []string{"prevention", "appraisal", "internal", "external"}
	total := zero()
	for _, name := range names {
		total = plus(total, sums.of(name))
	}
	for _, name := range names {
		s.set("paf "+name, sums.of(name), total, 4, 4)
		for month := range months {
			s["paf "+name+" "+month] = money(sums.of(name + " " + month))
		}
	}
	s["cash"], s["profit"] = money(sums.of("cash")), money(sums.of("profit"))
}

// serveCustomers asks who came back after the first order of their life.
func serveCustomers(s Service, events []*event, zone *time.Location, q ServiceQuery, founded map[string]bool) {
	first := map[string]*event{}
	later := map[string][]*event{}
	for _, e := range events {
		if c := e.data.str("customer_id"); e.kind == "order.placed" && c != "" {
			if first[c] == nil {
				first[c] = e
			} else if e.data.str("order_id") != first[c].data.str("order_id") {
				later[c] = append(later[c], e)
			}
		}
	}
	for _, days := range []int{30, 90} {
		var n, k [2]float64
		for c, e := range first {
			end := e.time.AddDate(0, 0, days)
			if !q.holds(e.time, zone, e.store()) || end.After(q.Known) {
				continue
			}
			group := 0
			if founded[e.data.str("order_id")] {
				group = 1
			}
			n[group]++
			// "coming back = another order on a later day than the first"
			if slices.ContainsFunc(later[c], func(l *event) bool {
				return !l.time.After(end) && l.time.In(zone).Format(time.DateOnly) > e.time.In(zone).Format(time.DateOnly)
			}) {
				k[group]++
			}
		}
		for group, name := range []string{"without", "with"} {
			s[fmt.Sprintf("returning %d %s", days, name)] = fmt.Sprintf("%g of %g %s", k[group], n[group],
				interval(n[group], k[group]))
		}
	}
}

// interval solves (p̂ − p)² = z²·p(1 − p)/n for p, which is what Wilson's formula is the answer to.
func interval(n, k float64) string {
	if n == 0 {
		return "-"
	}
	const z = 1.959963984540054
	seen := k / n
	a, b, c := 1+z*z/n, -(2*seen + z*z/n), seen*seen
	root := math.Sqrt(max(b*b-4*a*c, 0))
	text := func(x float64) string { return strconv.FormatFloat(min(max(x, 0), 1), 'f', 6, 64) }
	return text((-b-root)/(2*a)) + " " + text((-b+root)/(2*a))
}

// set writes a number with its halves. Its value has 6 decimals, half to even.
func (s Service) set(name string, numerator, denominator *big.Rat, above, below int) {
	value := "-"
	if denominator.Sign() != 0 {
		exact := new(big.Rat).Quo(numerator, denominator)
		exact.Mul(exact, big.NewRat(100, 1)) // RoundHalfEven knows 4 decimals
		value = new(big.Rat).Quo(RoundHalfEven(exact), big.NewRat(100, 1)).FloatString(6)
	}
	s[name] = numerator.FloatString(above) + " / " + denominator.FloatString(below) + " = " + value
}
