package reference

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"sort"
	"strconv"
	"strings"
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
	scratch := &Books{zone: zone}
	all, err := scratch.firstRecorded(records)
	if err != nil {
		return nil, err
	}
	voidOf := scratch.acceptVoids(all)
	var events []*event
	for _, e := range all {
		if voidOf[e.Identity] == nil && e.kind != "event.voided" {
			events = append(events, e)
		}
	}
	sort.Slice(events, func(i, j int) bool { // by time, then identity: arrival plays no part
		if !events[i].time.Equal(events[j].time) {
			return events[i].time.Before(events[j].time)
		}
		return events[i].less(events[j].Identity)
	})
	s := Service{}
	rejected := map[string]bool{}
	for _, e := range events {
		if e.kind == "error.rejected" {
			rejected[e.data.str("error_id")] = true
		}
	}
	reports, founded := map[string]bool{}, map[string]bool{} // by order
	for _, e := range events {
		if e.kind == "error.reported" {
			order, id := e.data.str("order_id"), e.data.str("error_id")
			reports[order] = true
			if !rejected[id] && books.cases[id].kind != changedMind {
				founded[order] = true
			}
		}
	}
	serveOrders(s, events, zone, q, reports, founded)
	serveMoney(s, books, events, zone, q, rejected)
	serveCustomers(s, events, zone, q, founded)
	return s, nil
}

// promised is what the events say of one order.
type promised struct {
	store, currency string
	placed          bool
	until           string
	wanted, came    map[string]*big.Rat
	delivered       time.Time
	lastDelivery    *event
	whole, broken   bool // a delivery without lines; damage or wrong documents
}

func serveOrders(s Service, events []*event, zone *time.Location, q ServiceQuery, reports, founded map[string]bool) {
	orders := map[string]*promised{}
	of := func(e *event) *promised {
		id := e.data.str("order_id")
		if orders[id] == nil {
			orders[id] = &promised{wanted: map[string]*big.Rat{}, came: map[string]*big.Rat{}}
		}
		return orders[id]
	}
	count := func(to map[string]*big.Rat, line fields) {
		sku := line.str("sku")
		if to[sku] == nil {
			to[sku] = new(big.Rat)
		}
		to[sku].Add(to[sku], line.dec("quantity"))
	}
	for _, e := range events {
		switch e.kind {
		case "order.placed":
			o := of(e)
			if !o.placed {
				o.placed, o.store, o.currency = true, e.data.str("store_id"), e.data.str("currency")
			}
			o.until = e.data.obj("promise").str("until")
			for _, l := range e.data.list("lines") {
				count(o.wanted, l)
			}
		case "order.promise_changed":
			if e.data["agreed_with_customer"] == true {
				of(e).until = e.data.obj("promise").str("until")
			}
		case "order.delivered":
			o := of(e)
			at := e.time
			if text := e.data.str("delivered_at"); text != "" {
				at, _ = time.Parse(time.RFC3339, text) // valid, as all that is generated
			}
			if o.lastDelivery == nil || at.After(o.delivered) {
				o.delivered = at
			}
			o.lastDelivery = e
			lines := e.data.list("lines")
			o.whole = o.whole || len(lines) == 0
			for _, l := range lines {
				count(o.came, l)
				o.broken = o.broken || l.str("condition") == "damaged"
			}
			o.broken = o.broken || e.data["documents_ok"] == false
		}
	}
	firstStore := map[string]string{}
	for _, e := range events {
		if id := e.data.str("order_id"); e.kind == "order.delivered" && firstStore[id] == "" {
			firstStore[id] = e.data.str("store_id")
		}
	}
	var delivered, timed, onTime, inFull, perfect, right, silent int64
	for id, o := range orders {
		store := o.store
		if !o.placed {
			store = firstStore[id]
		}
		if o.lastDelivery == nil || !q.holds(o.lastDelivery.time, zone, store) || q.Currency != "" && o.placed && o.currency != q.Currency {
			continue
		}
		delivered++
		punctual := true
		if o.until != "" {
			timed++
			until, _ := time.Parse(time.RFC3339, o.until)
			punctual = !o.delivered.After(until)
		}
		complete := true
		for sku, quantity := range o.wanted {
			if came := o.came[sku]; !o.whole && (came == nil || came.Cmp(quantity) < 0) {
				complete = false
			}
		}
		kept := punctual && complete && !o.broken
		for _, c := range []struct {
			is bool
			n  *int64
		}{{punctual, &onTime}, {complete, &inFull}, {kept, &perfect}, {kept && !founded[id], &right}, {!kept && !reports[id], &silent}} {
			if c.is {
				*c.n++
			}
		}
	}
	for name, n := range map[string]int64{"with_a_time_promised": timed, "on_time": onTime, "in_full": inFull, "perfect_order": perfect,
		"right_first_time": right, "silent_failures": silent} {
		s.set(name, big.NewRat(n, 1), big.NewRat(delivered, 1), 0, 0)
	}
}

func serveMoney(s Service, books *Books, events []*event, zone *time.Location, q ServiceQuery, rejected map[string]bool) {
	standing := map[Identity]bool{}
	for _, e := range events {
		standing[e.Identity] = true
	}
	sums := map[string]*big.Rat{}
	add := func(name string, amount *big.Rat) {
		if sums[name] == nil {
			sums[name] = new(big.Rat)
		}
		sums[name].Add(sums[name], amount)
	}
	sum := func(name string) *big.Rat {
		add(name, new(big.Rat))
		return sums[name]
	}
	placed, cases, months := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range books.Entries {
		e := &books.Entries[i]
		day := e.OccurredAt.In(zone).Format(time.DateOnly)
		if q.ByPosting && e.PostingPeriod != e.OriginPeriod {
			day = e.PostingPeriod + "-01"
		}
		if e.Currency != q.Currency || !q.holdsDay(day, e.StoreID) {
			continue
		}
		facts := books.cases[e.ErrorID]
		isPlaced := strings.HasSuffix(e.Type, "order.placed.v1") && standing[e.Identity]
		if isPlaced {
			placed[e.OrderID] = true
		}
		month := day[:len("2006-01")]
		isFix := e.ErrorID != "" || slices.ContainsFunc(e.Lines, func(l Line) bool { return l.Element != "" })
		for _, l := range e.Lines {
			minus := new(big.Rat).Neg(l.Amount)
			if l.Account == "4000" {
				add("sales", minus)
			}
			if isPlaced && isProfitAndLoss(l.Account) {
				add("perfect", minus)
			}
			if name := map[string]string{"6100": "prevention", "6110": "appraisal"}[l.Account]; name != "" {
				add(name, l.Amount)
				add(name+" "+month, l.Amount)
				months[month] = true
			}
			if facts.kind == changedMind {
				continue
			}
			if isFix && l.Account == "1010" {
				add("cash", l.Amount)
			}
			if isFix && isProfitAndLoss(l.Account) {
				add("profit", minus)
			}
			if l.Element == "" {
				continue
			}
			add("net", l.Amount)
			if l.Element != "RECOVERY" && l.Element != "SALVAGE" {
				add("gross", l.Amount)
				if l.Basis == imputed {
					add("hidden", l.Amount)
				}
			}
			category := "external"
			if facts.found == "before_delivery" {
				category = "internal"
			}
			add(category, l.Amount)
			add(category+" "+month, l.Amount)
			months[month] = true
			if e.ErrorID != "" {
				cases[e.ErrorID] = true
				add("of cases", l.Amount)
			}
			if facts.avoidable != "" && !rejected[e.ErrorID] {
				add("known", l.Amount)
				if facts.avoidable == "true" {
					add("avoidable", l.Amount)
				}
			}
		}
	}
	s.set("avoidable_share", sum("avoidable"), sum("known"), 4, 4)
	s.set("hidden_share", sum("hidden"), sum("gross"), 4, 4)
	s.set("leakage_share_of_net_sales", sum("net"), sum("sales"), 4, 4)
	nCases, nOrders := big.NewRat(int64(len(cases)), 1), big.NewRat(int64(len(placed)), 1)
	s.set("cost_per_case", sum("of cases"), nCases, 4, 0)
	s.set("perfect_contribution", sum("perfect"), nOrders, 4, 0)
	if len(cases) > 0 && len(placed) > 0 {
		s.set("orders_to_earn_back", new(big.Rat).Quo(sum("of cases"), nCases), new(big.Rat).Quo(sum("perfect"), nOrders), 4, 4)
	}
	total := new(big.Rat)
	for _, name := range []string{"prevention", "appraisal", "internal", "external"} {
		total.Add(total, sum(name))
	}
	for _, name := range []string{"prevention", "appraisal", "internal", "external"} {
		s.set("paf "+name, sum(name), total, 4, 4)
		for month := range months {
			s["paf "+name+" "+month] = money(sum(name + " " + month))
		}
	}
	s["cash"], s["profit"] = money(sum("cash")), money(sum("profit"))
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
			if !q.holds(e.time, zone, e.data.str("store_id")) || end.After(q.Known) {
				continue
			}
			group := 0
			if founded[e.data.str("order_id")] {
				group = 1
			}
			n[group]++
			if slices.ContainsFunc(later[c], func(l *event) bool { return !l.time.After(end) }) {
				k[group]++
			}
		}
		for group, name := range []string{"without", "with"} {
			s[fmt.Sprintf("returning %d %s", days, name)] = fmt.Sprintf("%g of %g %s", k[group], n[group], interval(n[group], k[group]))
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
