package reference

import (
	"cmp"
	"math/big"
	"slices"
)

// file is an order with its cases, or a case without an order, while its position is worked out.
type file struct {
	view   *view
	order  string
	home   string   // the order, also of a case whose order nobody has named yet
	events []*event // what counts of it, in the sequence
	sale   *sale
	cases  []*facts // in the order of their reports, else of their first events
	merged []*facts // that are part of others
	wholes map[Identity]bool

	refunded  map[*facts]totals // net refunds that post, and lost disputes less tax, by currency
	wentBack  map[*facts]bool   // money went the other way in the case
	refundPut totals            // by currency: refunds that post, with tax
	lost      totals            // by currency: lost disputes
	used      totals            // by currency: refunds that are what was taken off going back
	moved     totals            // by currency: what of that went back otherwise than in cash
	backWhole map[Identity]bool // refunds that are nothing but that
}

func newFile(v *view, name string) *file {
	f := &file{view: v, sale: newSale(), refunded: map[*facts]totals{}, wentBack: map[*facts]bool{}, refundPut: totals{},
		lost: totals{}, used: totals{}, moved: totals{},
		backWhole: map[Identity]bool{}}
	for _, e := range v.counted {
		if v.groupOf(e) == name {
			f.events = append(f.events, e)
			f.order = v.orderFor(e)
			f.home = cmp.Or(f.order, v.homes[v.caseOf(e.named())], v.homes[""])
		}
	}
	return f
}

// book works the position out.
func (f *file) book() {
	f.bookSale()
	if f.order != "" {
		f.view.sales[f.order] = f.sale
	}
	f.gatherCases()
	f.bookRefunds()
	f.bookDisputes()
	f.bookVouchers()
	f.bookClaims()
	for _, e := range f.events {
		f.bookAlone(e)
	}
	f.bookGoods()
	f.judgeRefunds()
	f.nameVendors()
}

// caseOf is the case of an event: as it says, or, for a refund or dispute that doesn't say, "the order's case if it
// has exactly one, else a case of its own (its error_id is the refund_id)".
func (f *file) caseOf(e *event) *facts {
	if e.named() != "" {
		return f.caseNamed(f.view.caseOf(e.named()))
	}
	own := map[string]string{"refund.issued": "refund_id", "dispute.opened": "dispute_id", "dispute.won": "dispute_id",
		"dispute.lost": "dispute_id"}[e.kind]
	if own == "" || e.data.str(own) == "" {
		return nil
	}
	named := f.namedCases()
	if len(named) != 1 {
		named = []string{e.data.str(own)}
	}
	c := f.caseNamed(named[0])
	if c.report == nil && !slices.Contains(c.events, e) {
		c.events = append(c.events, e)
	}
	return c
}

// namedCases are the cases that events make. A report or a fix of a case that is part of another makes that.
func (f *file) namedCases() []string {
	names := map[string]bool{}
	for _, e := range f.events {
		if makesACase(e) {
			names[f.view.caseOf(e.named())] = true
		}
	}
	return slices.Sorted(mapKeys(names))
}

// isFix tells what is done about a case from what is said of it.
func isFix(e *event) bool {
	return e.kind != "error.reported" && e.kind != "error.classified" && e.kind != "error.rejected"
}

func (f *file) caseNamed(id string) *facts {
	for _, c := range f.cases {
		if c.id == id {
			return c
		}
	}
	c := &facts{id: id, order: f.home, founded: true}
	f.cases = append(f.cases, c)
	f.view.cases[caseKey{f.home, id}] = c
	return c
}

func (f *file) at(e *event, step string) place {
	at := place{currency: e.currency(), step: step, store: e.store()}
	if c := f.caseOf(e); c != nil {
		at.caseID = c.id
	}
	return at
}

// rounded is an amount of an event as it enters the books.
func rounded(x *big.Rat) *big.Rat { return RoundHalfEven(x) }

// bookAlone books what an event posts whatever else happened: "Labour, trips, freight, scrap, salvage, concessions in
// money: per event, as before."
func (f *file) bookAlone(e *event) {
	p, d := f.view.position, e.data
	switch e.kind {
	case "goods.scrapped":
		sum := zero()
		for _, l := range d.list("lines") {
			if unit := f.view.statedCost(e, l, "unit_cost", "sku"); unit != nil {
				sum = plus(sum, times(unit, l.dec("quantity")))
			}
		}
		p.put(f.at(e, fix), half{"5110", "WRITE_DOWN", rounded(sum)}, half{"1200", "", negative(rounded(sum))})
	case "redelivery.dispatched":
		f.freight(e, "5200", "FREIGHT_OUT", d.dec("carrier_charge"))
	case "redelivery.completed":
		f.freight(e, "5200", "FREIGHT_OUT", d.dec("carrier_charge"))
		roll := rounded(f.truckRoll(e))
		p.put(f.at(e, fix), half{"5220", "FLEET", roll}, half{"6910", "", negative(roll)})
	case "labour.spent":
		f.labour(e, "minutes", "role")
	case "return.received":
		f.freight(e, "5210", "FREIGHT_RETURN", d.dec("freight_charge"))
		f.labour(e, "inspect_minutes", "inspect_role")
	case "concession.granted":
		if d.str("kind") == "voucher" || d.str("kind") == "store_credit" {
			return
		}
		amount, tax := d.dec("amount"), d.dec("tax")
		p.put(f.at(e, fix), half{"4110", "CONCESSION", amount}, half{"2200", "", tax},
			half{"1010", "", negative(plus(amount, tax))})
	case "salvage.sold":
		p.put(f.at(e, fix), half{"1010", "", d.dec("amount")}, half{"5120", "SALVAGE", negative(d.dec("amount"))})
	case "marketplace.charged": // "amount is net; tax? goes to 2200"
		amount, tax := d.dec("amount"), d.dec("tax")
		p.put(f.at(e, fix), half{"5420", "MARKETPLACE", amount}, half{"2200", "", tax},
			half{"1010", "", negative(plus(amount, tax))})
	case "quality.spent":
		account := map[string]string{"prevention": "6100", "appraisal": "6110"}[d.str("category")]
		at := place{currency: e.currency(), step: fix, store: e.store()}
		p.put(at, half{account, "", d.dec("amount")}, half{"2400", "", negative(d.dec("amount"))})
	}
}

func (f *file) freight(e *event, account, element string, charge *big.Rat) {
	f.view.position.put(f.at(e, fix), half{account, element, charge}, half{"2400", "", negative(charge)})
}

// labour = minutes/60×labour_hour(role)
func (f *file) labour(e *event, minutesField, roleField string) {
	hours := over(e.data.dec(minutesField), big.NewRat(60, 1))
	cost := rounded(f.timesRate(e, hours, "labour_hour", e.data.str(roleField)))
	f.view.position.put(f.at(e, fix), half{"5300", "LABOUR", cost}, half{"6900", "", negative(cost)})
}

// truckRoll = ((drive+site+wait)/60×fleet_hour + km×fleet_km)/stops; nothing where a rate that it needs is missing.
func (f *file) truckRoll(e *event) *big.Rat {
	d := e.data
	minutes := plus(d.dec("drive_minutes"), d.dec("site_minutes"), d.dec("wait_minutes"))
	lackedBefore := len(f.view.unpriced[e.Identity])
	time := f.timesRate(e, over(minutes, big.NewRat(60, 1)), "fleet_hour", d.str("vehicle"))
	distance := f.timesRate(e, d.dec("distance_km"), "fleet_km", d.str("vehicle"))
	if len(f.view.unpriced[e.Identity]) > lackedBefore {
		return zero()
	}
	stops := one()
	if d.has("stops") {
		stops = d.dec("stops")
	}
	return over(plus(time, distance), stops)
}

// timesRate needs no rate for nothing: no minutes are no cost at any rate.
func (f *file) timesRate(e *event, quantity *big.Rat, rate, key string) *big.Rat {
	if quantity.Sign() == 0 {
		return zero()
	}
	r := f.view.need(e, rate, key, e.currency())
	if r == nil {
		return zero()
	}
	return times(quantity, r)
}
