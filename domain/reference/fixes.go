package reference

import "math/big"

// fixKinds are what is done about a case, in the order in which a story tells it. A kind that posts by itself has its
// rule here, below the table, and what a generated story tells of it: a new one is a row and these two.
var fixKinds = []kind{
	{name: "redelivery.dispatched", id: "redelivery_id", posts: carried, told: tells{(*generator).dispatched,
		(*generator).dispatched}},
	{name: "redelivery.completed", id: "trip_id", posts: tripMade, told: tells{(*generator).completed}},
	{name: "labour.spent", id: "labour_id", posts: labourSpent, told: tells{(*generator).labour}},
	{name: "refund.issued", id: "refund_id", told: tells{(*generator).refund, (*generator).refund}},
	{name: "concession.granted", id: "concession_id", posts: concessionGranted, told: tells{(*generator).concession}},
	{name: "voucher.redeemed", id: "redemption_id", told: tells{(*generator).voucher}},
	{name: "voucher.expired", id: "redemption_id"},
	{name: "return.received", id: "return_id", posts: returnReceived, told: tells{(*generator).returned,
		(*generator).returned}},
	{name: "salvage.sold", id: "salvage_id", posts: salvageSold, told: tells{(*generator).salvage}},
	{name: "dispute.opened", id: "dispute_id", told: tells{(*generator).dispute}},
	{name: "dispute.won", id: "dispute_id"},
	{name: "dispute.lost", id: "dispute_id"},
	{name: "marketplace.charged", id: "charge_id", posts: marketplaceCharged, told: tells{(*generator).marketplace}},
	{name: "claim.filed", id: "claim_id", told: tells{(*generator).claim}},
	{name: "claim.accepted", id: "claim_id"},
	{name: "claim.settled", id: "payment_id"},
	{name: "claim.closed", id: "claim_id"},
	{name: "goods.scrapped", id: "scrap_id", posts: goodsScrapped, told: tells{(*generator).scrapped}},
}

type tells = []func(*generator, failure)

// "redelivery.dispatched, redelivery.completed: carrier_charge | 5200 redelivery_freight | 2400 | FREIGHT_OUT"
func carried(f *file, e *event) { f.freight(e, "5200", "FREIGHT_OUT", e.data.dec("carrier_charge")) }

func tripMade(f *file, e *event) {
	carried(f, e)
	roll := rounded(f.truckRoll(e))
	f.view.position.put(f.at(e, fix), half{"5220", "FLEET", roll}, half{"6910", "", negative(roll)})
}

func labourSpent(f *file, e *event) { f.labour(e, "minutes", "role") }

var roles = []string{"agent", "driver", "inspector", "night-shift"}

func (g *generator) labour(c failure) {
	d := object{"labour_id": g.id("lab"), "role": pick(g, roles), "minutes": g.minutes(), "currency": c.currency}
	g.maybe(d, 40, "activity", "apology call")
	g.about(c, "redeliveries", "labour.spent", d)
}

func returnReceived(f *file, e *event) {
	f.freight(e, "5210", "FREIGHT_RETURN", e.data.dec("freight_charge"))
	f.labour(e, "inspect_minutes", "inspect_role")
}

// "concession.granted discount, price_reduction, cash, fee_waiver | 4110 allowances amount; 2200 tax | 1010"
func concessionGranted(f *file, e *event) {
	if kind := e.data.str("kind"); kind != "voucher" && kind != "store_credit" {
		f.paidWithTax(e, "4110", "CONCESSION")
	}
}

func (g *generator) concession(c failure) {
	d := object{"concession_id": g.id("con"), "kind": pick(g, []string{"discount", "price_reduction", "cash",
		"fee_waiver"}),
		"currency": c.currency, "amount": g.amount(25)}
	g.maybe(d, 50, "tax", g.amount(3))
	g.about(c, "redeliveries", "concession.granted", d)
}

func salvageSold(f *file, e *event) {
	amount := e.data.dec("amount")
	f.view.position.put(f.at(e, fix), half{"1010", "", amount}, half{"5120", "SALVAGE", negative(amount)})
}

func (g *generator) salvage(c failure)     { g.ofAmount(c, "salvage.sold", "salvage_id", 20) }
func (g *generator) marketplace(c failure) { g.ofAmount(c, "marketplace.charged", "charge_id", 40) }

// "marketplace.charged | 5420 marketplace_charges amount; 2200 tax | 1010 | MARKETPLACE"
func marketplaceCharged(f *file, e *event) { f.paidWithTax(e, "5420", "MARKETPLACE") }

func (g *generator) ofAmount(c failure, kind, idField string, upTo int64) {
	d := object{idField: g.id("x"), "currency": c.currency, "amount": g.amount(upTo)}
	if kind == "marketplace.charged" {
		g.maybe(d, 40, "tax", g.amount(4))
	}
	g.about(c, "redeliveries", kind, d)
}

func goodsScrapped(f *file, e *event) {
	sum := zero()
	for _, l := range e.data.list("lines") {
		if unit := f.view.statedCost(e, l, "unit_cost", "sku"); unit != nil {
			sum = plus(sum, times(unit, l.dec("quantity")))
		}
	}
	f.view.position.put(f.at(e, fix), half{"5110", "WRITE_DOWN", rounded(sum)},
		half{"1200", "", negative(rounded(sum))})
}

func (g *generator) scrapped(c failure) {
	d := object{"currency": c.currency, "lines": g.goods(c)}
	g.maybe(d, 50, "reason", "crushed")
	g.maybe(d, 50, "scrap_id", g.id("sc"))
	g.about(c, "errors", "goods.scrapped", d)
}

// qualitySpent: "6100 prevention or 6110 appraisal | 2400 accrued_costs". It is no fix: it has no element and no case.
func qualitySpent(f *file, e *event) {
	account := map[string]string{"prevention": "6100", "appraisal": "6110"}[e.data.str("category")]
	amount := e.data.dec("amount")
	at := place{currency: e.currency(), step: fix, store: e.store()}
	f.view.position.put(at, half{account, "", amount}, half{"2400", "", negative(amount)})
}

// paidWithTax is an amount net of tax that was paid.
func (f *file) paidWithTax(e *event, account, element string) {
	amount, tax := e.data.dec("amount"), e.data.dec("tax")
	f.view.position.put(f.at(e, fix), half{account, element, amount}, half{"2200", "", tax},
		half{"1010", "", negative(plus(amount, tax))})
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
