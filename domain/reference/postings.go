package reference

import (
	"fmt"
	"math/big"
	"slices"
)

const (
	debit, credit = "debit", "credit"

	cash    = "CASH"    // money moved
	accrued = "ACCRUED" // booked, not yet moved
	imputed = "IMPUTED" // already in the wages and fleet of the general ledger
)

// row is one row of the contract's section 4: on this event, when this holds, an amount goes from credit to debit.
// Rows with several accounts on a side are written as several pairs; pairs on one account, side, element and basis are one
// journal line. The element marks the half that is profit and loss (4xxx, 5xxx); no row has two such halves.
type row struct {
	event         string
	of            scope
	when          condition
	debit, credit string
	element       string
	basis         string
	amount        formula
}

// scope says what a row is computed over: the event, or each of its item lines.
type scope int

const (
	whole scope = iota // once per event
	lines              // once per item line
)

var table = []row{
	// event, of, when, debit, credit, element, basis, amount

	{"order.placed", lines, always, "1010", "4000", "", cash, salesNet},
	{"order.placed", whole, always, "1010", "4000", "", cash, given("delivery_fee")},
	{"order.placed", lines, always, "1010", "2200", "", cash, given("tax")},
	{"order.placed", whole, always, "1010", "2200", "", cash, given("delivery_tax")},
	{"order.placed", lines, always, "5000", "1200", "", accrued, cost},
	{"order.placed", whole, always, "5050", "1010", "", cash, given("payment_fee")},

	{"order.cancelled", whole, when("by", "customer"), "4000", "1010", "", cash, given("net")},
	{"order.cancelled", whole, when("by", "business"), "4000", "1010", "REFUND", cash, given("net")},
	{"order.cancelled", whole, always, "2200", "1010", "", cash, given("tax")},
	{"order.cancelled", whole, when("by", "customer"), "1200", "5000", "", accrued, given("cost")},
	{"order.cancelled", whole, when("by", "business"), "1200", "5000", "GOODS", accrued, given("cost")},

	{"error.reported", lines, when("kind", "wrong_item", "missing_item"), "1200", "5100", "GOODS", accrued, cost},
	{"error.reported", lines, all(when("kind", "wrong_item", "missing_item"), receivedWrongly), "1210", "1200", "", accrued, receivedCost},

	{"goods.scrapped", lines, always, "5110", "1200", "WRITE_DOWN", accrued, cost},

	{"redelivery.dispatched", lines, always, "5100", "1200", "GOODS", accrued, cost},
	{"redelivery.dispatched", whole, always, "5200", "2400", "FREIGHT_OUT", accrued, given("carrier_charge")},

	{"redelivery.completed", whole, ownTruck, "5220", "6910", "FLEET", imputed, truckRoll},
	{"redelivery.completed", whole, always, "5200", "2400", "FREIGHT_OUT", accrued, given("carrier_charge")},

	{"labour.spent", whole, always, "5300", "6900", "LABOUR", imputed, labour("minutes", "role")},

	{"refund.issued", whole, always, "4100", "1010", "REFUND", cash, given("net")},
	{"refund.issued", whole, always, "2200", "1010", "", cash, given("tax")},

	{"concession.granted", whole, when("kind", "discount", "price_reduction", "cash", "fee_waiver"), "4110", "1010", "CONCESSION", cash, given("amount")},
	{"concession.granted", whole, when("kind", "discount", "price_reduction", "cash", "fee_waiver"), "2200", "1010", "", cash, given("tax")},
	{"concession.granted", whole, when("kind", "voucher", "store_credit"), "4120", "2300", "CONCESSION", accrued, voucherValue},

	{"voucher.redeemed", whole, always, "2300", "1010", "", cash, given("amount")},
	{"voucher.expired", whole, always, "2300", "4120", "CONCESSION", accrued, given("amount")},

	{"return.received", lines, all(item("was", "wrong_item"), item("grade", "saleable")), "1200", "1210", "", accrued, cost},
	{"return.received", lines, all(item("was", "wrong_item"), item("grade", "b_grade")), "1200", "1210", "", accrued, nrvOfPriced},
	{"return.received", lines, all(item("was", "wrong_item"), item("grade", "b_grade")), "5110", "1210", "WRITE_DOWN", accrued, costLessNRV},
	{"return.received", lines, all(item("was", "wrong_item"), item("grade", "scrap", "abandoned")), "5110", "1210", "WRITE_DOWN", accrued, cost},
	{"return.received", lines, all(item("was", "sold"), item("grade", "saleable")), "1200", "5100", "GOODS", accrued, cost},
	{"return.received", lines, all(item("was", "sold"), item("grade", "b_grade")), "1200", "5100", "GOODS", accrued, given("nrv")},
	{"return.received", whole, always, "5210", "2400", "FREIGHT_RETURN", accrued, given("freight_charge")},
	{"return.received", whole, always, "5300", "6900", "LABOUR", imputed, labour("inspect_minutes", "inspect_role")},

	{"salvage.sold", whole, always, "1010", "5120", "SALVAGE", cash, given("amount")},

	{"dispute.opened", whole, always, "1310", "1010", "", cash, given("amount")},
	{"dispute.opened", whole, always, "5400", "1010", "DISPUTE", cash, given("fee")},
	{"dispute.won", whole, always, "1010", "1310", "", cash, given("amount")},
	{"dispute.lost", whole, always, "5410", "1310", "DISPUTE", accrued, given("amount")},

	{"marketplace.charged", whole, always, "5420", "1010", "MARKETPLACE", cash, given("amount")},

	{"claim.accepted", whole, always, "1300", "5900", "RECOVERY", accrued, given("amount")},
	{"claim.settled", whole, always, "1010", "1300", "", cash, given("amount")},

	{"quality.spent", whole, when("category", "prevention"), "6100", "2400", "", accrued, given("amount")},
	{"quality.spent", whole, when("category", "appraisal"), "6110", "2400", "", accrued, given("amount")},
}

// silent are the types that post nothing of their own. A type in neither list is unknown.
var silent = []string{
	"order.promise_changed", "order.delivered", "feedback.received", "error.classified", "error.rejected",
	"rate.set", "period.closed", "period.reopened", "books.rebuilt", "deadletter.replayed", "deadletter.discarded", "event.voided",
}

func known(kind string) bool {
	return slices.Contains(silent, kind) || slices.ContainsFunc(table, func(r row) bool { return r.event == kind })
}

// Conditions.

// condition looks at the event's data and at the item line (the data again in a row of scope whole).
type condition func(data, item fields) bool

func always(_, _ fields) bool { return true }

func when(name string, oneOf ...string) condition {
	return func(data, _ fields) bool { return slices.Contains(oneOf, data.str(name)) }
}

func item(name string, oneOf ...string) condition {
	return func(_, item fields) bool { return slices.Contains(oneOf, item.str(name)) }
}

func all(conditions ...condition) condition {
	return func(data, item fields) bool {
		for _, c := range conditions {
			if !c(data, item) {
				return false
			}
		}
		return true
	}
}

// receivedWrongly: a received_quantity alone says nothing of what came.
func receivedWrongly(_, item fields) bool {
	return item.has("received_sku") || item.has("received_unit_cost")
}

func ownTruck(data, _ fields) bool {
	return data.has("drive_minutes") || data.has("site_minutes") || data.has("wait_minutes") || data.has("distance_km")
}

// Formulas. nil means that a rate is missing.

// formula is exact: rounding comes once, at the end, per journal line.
type formula func(c *pricing) *big.Rat

// pricing is what a formula may look at: the item line (or the data, in a row of scope whole) and the rates of the event's moment.
type pricing struct {
	item    fields
	rate    func(name, key string) *big.Rat
	missing []string
}

// need is the rate of the event's moment; its absence is noted, so that it is never a silent zero.
func (c *pricing) need(name, key string) *big.Rat {
	r := c.rate(name, key)
	if reason := fmt.Sprintf("no %s for %q", name, key); r == nil && !slices.Contains(c.missing, reason) {
		c.missing = append(c.missing, reason)
	}
	return r
}

func given(name string) formula {
	return func(c *pricing) *big.Rat { return c.item.dec(name) }
}

// salesNet = quantity×unit_price − discount
func salesNet(c *pricing) *big.Rat {
	return minus(times(c.item.dec("quantity"), c.item.dec("unit_price")), c.item.dec("discount"))
}

// cost = quantity×unit_cost, or ×item_cost(sku)
func cost(c *pricing) *big.Rat {
	return times(c.item.dec("quantity"), unitCost(c, "unit_cost", "sku"))
}

// receivedCost = received_quantity (else quantity) × received_unit_cost, or ×item_cost(received_sku)
func receivedCost(c *pricing) *big.Rat {
	quantity := c.item.dec("quantity")
	if c.item.has("received_quantity") {
		quantity = c.item.dec("received_quantity")
	}
	return times(quantity, unitCost(c, "received_unit_cost", "received_sku"))
}

func unitCost(c *pricing, costField, skuField string) *big.Rat {
	if c.item.has(costField) {
		return c.item.dec(costField)
	}
	return c.need("item_cost", c.item.str(skuField))
}

// costLessNRV = cost − nrv
func costLessNRV(c *pricing) *big.Rat { return minus(cost(c), c.item.dec("nrv")) }

// nrvOfPriced = nrv, but nothing where cost is unknown: the other half of cost could not be posted.
func nrvOfPriced(c *pricing) *big.Rat {
	if cost(c) == nil {
		return nil
	}
	return c.item.dec("nrv")
}

// truckRoll = ((drive+site+wait)/60×fleet_hour + km×fleet_km)/stops
func truckRoll(c *pricing) *big.Rat {
	minutes := plus(plus(c.item.dec("drive_minutes"), c.item.dec("site_minutes")), c.item.dec("wait_minutes"))
	hours := times(minutes, big.NewRat(1, 60))
	time := timesRate(c, hours, "fleet_hour", "vehicle")
	distance := timesRate(c, c.item.dec("distance_km"), "fleet_km", "vehicle")
	stops := big.NewRat(1, 1)
	if c.item.has("stops") {
		stops = c.item.dec("stops")
	}
	return times(plus(time, distance), new(big.Rat).Inv(stops))
}

// labour = minutes/60×labour_hour(role)
func labour(minutesField, roleField string) formula {
	return func(c *pricing) *big.Rat {
		return timesRate(c, times(c.item.dec(minutesField), big.NewRat(1, 60)), "labour_hour", roleField)
	}
}

// voucherValue = amount×voucher_redemption
func voucherValue(c *pricing) *big.Rat {
	return times(c.item.dec("amount"), c.need("voucher_redemption", "*"))
}

// timesRate needs no rate for nothing: no minutes are no cost at any rate.
func timesRate(c *pricing, quantity *big.Rat, rate, keyField string) *big.Rat {
	if quantity.Sign() == 0 {
		return quantity
	}
	return times(quantity, c.need(rate, c.item.str(keyField)))
}

func plus(a, b *big.Rat) *big.Rat {
	if a == nil || b == nil {
		return nil
	}
	return new(big.Rat).Add(a, b)
}

func minus(a, b *big.Rat) *big.Rat {
	if a == nil || b == nil {
		return nil
	}
	return new(big.Rat).Sub(a, b)
}

func times(a, b *big.Rat) *big.Rat {
	if a == nil || b == nil {
		return nil
	}
	return new(big.Rat).Mul(a, b)
}

// post walks the table for one event: the rounded lines, and the reasons why something has no price.
func post(kind string, data fields, rate func(name, key string) *big.Rat) ([]Line, []string) {
	c := &pricing{rate: rate}
	var order []leg
	sums := make(map[leg]*big.Rat)
	add := func(account, side, element, basis string, amount *big.Rat) {
		if !isProfitAndLoss(account) {
			element = "" // only profit-and-loss lines carry one
		}
		l := leg{account, side, element, basis}
		if sums[l] == nil {
			order, sums[l] = append(order, l), new(big.Rat)
		}
		sums[l].Add(sums[l], amount)
	}
	for _, r := range table {
		if r.event != kind {
			continue
		}
		items := []fields{data}
		if r.of == lines {
			items = data.list("lines")
		}
		for _, it := range items {
			if !r.when(data, it) {
				continue
			}
			c.item = it
			if amount := r.amount(c); amount != nil {
				add(r.debit, debit, r.element, r.basis, amount)
				add(r.credit, credit, r.element, r.basis, new(big.Rat).Neg(amount))
			}
		}
	}
	return entryLines(order, sums), c.missing
}
