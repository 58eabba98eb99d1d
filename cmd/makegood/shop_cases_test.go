package main

import (
	"fmt"
	"strings"
	"testing"
)

// refundOf is a refund of its own in the case.
func refundOf(id, net, tax, more string) told {
	return told{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onCase +
		fmt.Sprintf(`,"refund_id":"$e-%s","net":%q,"tax":%q%s`, id, net, tax, more)}
}

// voided takes back the event of a case that is told at a place.
func voided(place int, of told) told {
	original := strings.Replace(event(fmt.Sprintf("$o-%d", place), of.kind, of.at, "$o"+of.order, "{"+of.data+"}"), "\n",
		" ", -1)
	return told{kind: "event.voided", at: "2026-01-18T09:00:00Z", order: of.order, data: fmt.Sprintf(
		`"voids":{"source":"urn:till:1","id":"$o-%d"},"reason":"a slip","original":%s`, place, original)}
}

// voidedTwice takes a void back that is told at a place.
func voidedTwice(place int, void told) told {
	again := voided(place, void)
	again.at = "2026-01-19T09:00:00Z"
	return again
}

// charged is a cost of the order that is told later.
func charged(id, kind, amount string) told {
	return told{kind: "order.charged", at: "2026-01-16T09:00:00Z", data: onOrder +
		fmt.Sprintf(`,"charge_id":"$o-%s","kind":%q,"amount":%s`, id, kind, amount)}
}

var (
	givenBack  = refundOf("r", "30", "2.40", "")
	accepted   = claim("accepted", `,"party":"supplier","amount":"60"`)
	disputedAt = func(what, at, more string) told {
		return told{kind: "dispute." + what, at: at, data: onCase + `,"dispute_id":"$e-q","amount":"108"` + more}
	}
	opened  = disputedAt("opened", "2026-01-15T09:00:00Z", `,"fee":"15"`)
	damaged = reported("damaged", "after_delivery", "")
)

// soldWithTax is an order of a till whose prices are with tax: 9.99 apiece with 19 %.
var (
	soldWithTax = told{kind: "order.placed", at: "2026-01-10T09:00:00Z", data: onOrder +
		`,"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"8.394958","tax":"1.595","unit_cost":"5"}]`}
	soldThree = told{kind: "order.placed", at: "2026-01-10T09:00:00Z", data: onOrder +
		`,"lines":[{"line_id":"1","sku":"M","quantity":3,"unit_price":"33.333333","tax":"8.02","unit_cost":"20"}]`}
	oneOff = `"lines_removed":[{"line_id":"1","quantity":1}]`
)

// roundedCases are sequences in which a till pays in cents, or yen, what prices net of tax have more decimals of.
var roundedCases = []contractCase{
	{"missing, and its price given back in cents", []told{soldWithTax,
		reported("missing_item", "after_delivery", `{"sku":"M","quantity":1}`), refundOf("r", "8.39", "1.60", "")},
		map[string]string{"net": "3.39", "2410": "0", "1010": "0", "flags over_refunded": "0"}},
	{"missing, and its price in yen given back", []told{told{kind: sold.kind, at: sold.at, data: onOrder +
		`,"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"909.090909","tax":"90.9091","unit_cost":"500"}]`}.
		in("JPY"), reported("missing_item", "after_delivery", `{"sku":"M","quantity":1}`).in("JPY"),
		refundOf("r", "909", "91", "").in("JPY")},
		map[string]string{"JPY net": "409", "JPY 2410": "0", "JPY 1010": "0"}},
	{"one of three missing, in two refunds", []told{soldThree,
		reported("missing_item", "after_delivery", `{"sku":"M","quantity":1}`), refundOf("r1", "16.66", "1.33", ""),
		refundOf("r2", "16.66", "1.33", "")},
		map[string]string{"net": "13.32", "2410": "0"}},
	{"the customer takes one of three off, and gets a part of a cent more", []told{soldThree, changed("customer", oneOff),
		{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onOrder +
			`,"refund_id":"$o-r","net":"33.34","tax":"2.67"`}},
		map[string]string{"net": "0", "gross": "0", "customer_changes": "-13.3333", "4100": "0", "1010": "72.0134"}},
	{"the business takes one of three off, and the till refunds it in a case, in cents", []told{soldThree,
		changed("business", oneOff), damaged, refundOf("r", "33.33", "2.67", "")},
		map[string]string{"net": "13.3333", "4100": "0", "1010": "72.0134"}},
	{"cancelled whole, at what the till paid", []told{soldWithTax, {kind: "order.cancelled", at: "2026-01-11T09:00:00Z",
		data: onOrder + `,"by":"customer","net":"8.39","tax":"1.60"`}},
		map[string]string{"net": "0", "1200": "0", "1010": "0", "customer_changes": "-3.39",
			"flags part_unknown": "0"}},
	{"taken off, and given back as a gift card, a part of a cent more", []told{soldThree, changed("customer", oneOff),
		{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onOrder +
			`,"refund_id":"$o-r","net":"33.34","tax":"2.67","method":"gift_card"`}},
		map[string]string{"net": "0", "2310": "-36.01", "1010": "108.0234"}},
}

// TestWhatTillsRound tells what tills pay in whole cents.
func TestWhatTillsRound(t *testing.T) {
	t.Parallel()
	tellCases(t, roundedCases)
}

// toldElsewhereCases are what shops told the trackers of their tills: refused parcels, back orders, exchanges.
var toldElsewhereCases = []contractCase{
	{"refused at the door, cancelled, and back with the carrier's bill", []told{sold, {kind: "order.cancelled",
		at: "2026-01-11T09:00:00Z", data: onOrder + `,"by":"customer","reason":"refused"`},
		{kind: "return.received", at: "2026-01-14T09:00:00Z", data: onCase + `,"return_id":"$e-t","freight_charge":"6",
			"lines":[{"sku":"M","quantity":1,"was":"sold","grade":"saleable"}]`}},
		map[string]string{"net": "6", "contribution": "-9.43", "customer_changes": "-40", "1200": "0", "2410": "0",
			"1010": "-3.43", "flags returned_too_much": "0"}},
	{"three of five can't be delivered, and are paid back", []told{{kind: sold.kind, at: sold.at, data: onOrder +
		`,"lines":[{"line_id":"1","sku":"M","quantity":5,"unit_price":"20","unit_cost":"9"}]`},
		{kind: "order.cancelled", at: "2026-01-11T09:00:00Z", data: onOrder +
			`,"by":"business","lines":[{"line_id":"1","quantity":3}]`},
		{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onOrder + `,"refund_id":"$o-r","net":"60"`}},
		map[string]string{"net": "33", "1010": "40", "4100": "0", "1200": "-18"}},
	{"kept at a lower price, then brought back all the same", []told{sold, damaged,
		{kind: "concession.granted", at: "2026-01-12T09:00:00Z", data: onCase +
			`,"concession_id":"$e-c","kind":"price_reduction","amount":"10","tax":"0.80"`},
		cameBack("M", "60", "sold", "saleable", ""), refundOf("r", "90", "7.20", "")},
		map[string]string{"net": "40", "1010": "-3.43", "1200": "0", "2410": "0", "2200": "0"}},
	{"three came for one, and the customer keeps and pays them", []told{sold, reported("over_shipped", "after_delivery",
		`{"sku":"M","quantity":1,"unit_cost":"60","received_quantity":3}`), changed("customer",
		`"lines_added":[{"line_id":"2","sku":"M","quantity":2,"unit_price":"100","tax":"16","unit_cost":"60"}]`)},
		map[string]string{"net": "0", "1210": "0", "customer_changes": "80", "1200": "-180", "4000": "-300"}},
	{"missing, and the business cancels the line and refunds it in the case", []told{soldTwo,
		reported("missing_item", "after_delivery", `{"sku":"N","quantity":1}`), {kind: "order.cancelled",
			at: "2026-01-12T09:00:00Z", data: onOrder + `,"by":"business","lines":[{"line_id":"2","quantity":1}]`},
		refundOf("r", "20", "0", "")},
		map[string]string{"net": "11", "2410": "0", "1010": "104.57", "4100": "0"}},
	{"a changed mind, and a tenth kept for putting it back", []told{sold, reported("changed_mind", "after_delivery", ""),
		cameBack("M", "60", "sold", "saleable", ""), refundOf("r", "90", "7.20", "")},
		map[string]string{"net": "0", "changed_mind": "30", "contribution": "6.57", "2410": "0"}},
	{"missing and refunded by mistake: the refund is taken back, the part sent", []told{sold, missing, givenBackWhole,
		voided(2, givenBackWhole), replacement},
		map[string]string{"net": "0", "2410": "0", "1200": "-60", "1010": "104.57"}},
	{"lost, sent again, and the first parcel comes back to us", []told{sold,
		reported("not_delivered", "after_delivery", ""), replacement, cameBack("M", "60", "sold", "saleable", "")},
		map[string]string{"net": "0", "1200": "-60", "2410": "0"}},
	{"exchanged for something cheaper, the rest paid back", []told{sold, changed("customer",
		`"lines_removed":[{"line_id":"1","quantity":1}],`+
			`"lines_added":[{"line_id":"2","sku":"L","quantity":1,"unit_price":"80","tax":"6.40","unit_cost":"50"}]`),
		{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onOrder + `,"refund_id":"$o-r","net":"20","tax":"1.60"`}},
		map[string]string{"net": "0", "gross": "0", "customer_changes": "-10", "1010": "82.97", "2200": "-6.4",
			"1200": "-50"}},
	{"disputed, refunded meanwhile, and the dispute won", []told{sold, damaged, opened, refunded("100", "8"),
		disputedAt("won", "2026-01-20T09:00:00Z", "")},
		map[string]string{"net": "115", "1310": "0", "1010": "-18.43", "flags over_refunded": "0"}},
	{"refunded twice over, under two ids", []told{sold, damaged, refundOf("r1", "100", "8", ""),
		refundOf("r2", "100", "8", "")},
		map[string]string{"net": "200", "1010": "-111.43", "over_refunded": "108"}},
}

var givenBackWhole = refundOf("r", "100", "8", "")

// TestWhatShopsToldElsewhere tells those.
func TestWhatShopsToldElsewhere(t *testing.T) {
	t.Parallel()
	tellCases(t, toldElsewhereCases)
}

// shopCases are sequences of everyday business that the contract has no row for, with values worked out by hand from
// its rules.
var shopCases = []contractCase{
	{"two partial refunds", []told{sold, damaged, refundOf("r1", "30", "2.40", ""), refundOf("r2", "20", "1.60", "")},
		map[string]string{"net": "50", "1010": "50.57", "2200": "-4", "4100": "50"}},
	{"a refund taken back", []told{sold, damaged, givenBack, voided(2, givenBack)},
		map[string]string{"net": "0", "1010": "104.57", "2200": "-8", "4100": "0"}},
	{"a refund taken back, and that taken back", []told{sold, damaged, givenBack, voided(2, givenBack),
		voidedTwice(3, voided(2, givenBack))},
		map[string]string{"net": "30", "1010": "72.17", "4100": "30"}},
	{"an order that never was", []told{sold, voided(0, sold)},
		map[string]string{"net": "0", "contribution": "0", "1010": "0", "1200": "0", "2200": "0"}},
	{"paid by gift card and card, refunded to both", []told{{kind: sold.kind, at: sold.at, data: sold.data +
		`,"tenders":[{"method":"gift_card","amount":"50"},{"method":"card","amount":"58"}]`}, damaged,
		refundOf("r1", "53.70", "4.30", ""), refundOf("r2", "46.30", "3.70", `,"method":"gift_card"`)},
		map[string]string{"net": "100", "1010": "-3.43", "2310": "0", "2200": "0"}},
	{"a gift card sold, and cancelled", []told{{kind: "order.placed", at: sold.at, data: onOrder + `,"payment_fee":"3.43",
		"lines":[{"line_id":"1","sku":"G","kind":"gift_card","quantity":1,"unit_price":"100"}]`},
		{kind: "order.cancelled", at: "2026-01-11T09:00:00Z", data: onOrder + `,"by":"customer"`}},
		map[string]string{"net": "0", "contribution": "-3.43", "customer_changes": "0", "2310": "0", "1010": "-3.43"}},
	{"a claim accepted by mistake", []told{sold, damaged, accepted, voided(2, accepted)},
		map[string]string{"net": "0", "1300": "0", "5900": "0"}},
	{"a claim accepted, then refused", []told{sold, damaged, accepted, {kind: "claim.closed", at: "2026-01-25T09:00:00Z",
		data: `"order_id":"$o","store_id":"s1","error_id":"$e","claim_id":"$e-k","reason":"refused"`}},
		map[string]string{"net": "0", "1300": "0", "5900": "0"}},
	{"a claim settled in two payments", []told{sold, damaged, accepted,
		claim("settled", `,"party":"supplier","amount":"20","payment_id":"$e-p1"`),
		claim("settled", `,"party":"supplier","amount":"25","payment_id":"$e-p2"`)},
		map[string]string{"net": "-60", "1300": "15", "1010": "149.57"}},
	{"store credit for goods that came back, all of it used", []told{sold, damaged,
		cameBack("M", "60", "sold", "saleable", ""),
		{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onCase +
			`,"refund_id":"$e-c","net":"100","method":"store_credit"`},
		voucher("redeemed", "100", "x1", "2026-01-20T09:00:00Z")},
		map[string]string{"net": "40", "2300": "0", "1200": "0", "1010": "4.57"}},
	{"one of two parts missing, its money back", []told{soldTwo,
		reported("missing_item", "after_delivery", `{"sku":"N","quantity":1,"unit_cost":"9"}`), refundOf("r", "20", "0", "")},
		map[string]string{"net": "11", "2410": "0", "1200": "-60"}},
	{"missing, refunded, and sent after all", []told{sold, reported("missing_item", "after_delivery", expected("")),
		replacement, refunded("100", "8")},
		map[string]string{"net": "100", "2410": "0", "1200": "-60", "1010": "-3.43"}},
	{"refunded, back as scrap", []told{sold, damaged, cameBack("M", "60", "sold", "scrap", ""), refunded("100", "8")},
		map[string]string{"net": "100", "1200": "-60", "2410": "0"}},
	{"refunded, back as b_grade", []told{sold, damaged, cameBack("M", "60", "sold", "b_grade", `,"nrv":"30"`),
		refunded("100", "8")},
		map[string]string{"net": "70", "1200": "-30", "2410": "0"}},
	{"lost on the way, sent again, and the carrier pays a part", []told{sold,
		reported("not_delivered", "after_delivery", ""), replacement, trip("t1", true, "2026-01-13T10:00:00Z"),
		claim("accepted", `,"party":"carrier","amount":"40"`)},
		map[string]string{"gross": "70", "net": "30", "1200": "-120", "1300": "40"}},
	{"the price reduced afterwards", []told{sold, damaged, {kind: "concession.granted", at: "2026-01-15T09:00:00Z",
		data: onCase + `,"concession_id":"$e-c","kind":"price_reduction","amount":"10","tax":"0.80"`}},
		map[string]string{"net": "10", "1010": "93.77", "2200": "-7.2"}},
	{"a dispute won, its fee kept by the bank", []told{sold, damaged, opened,
		disputedAt("won", "2026-01-20T09:00:00Z", "")},
		map[string]string{"net": "15", "1310": "0", "1010": "89.57"}},
	{"a dispute won, then lost in arbitration", []told{sold, damaged, opened,
		disputedAt("won", "2026-01-20T09:00:00Z", ""), disputedAt("lost", "2026-01-25T09:00:00Z", `,"tax":"8"`)},
		map[string]string{"net": "115", "1310": "0", "1010": "-18.43", "2200": "0"}},
	{"refunded and disputed as well", []told{sold, damaged, refunded("100", "8"), opened,
		disputedAt("lost", "2026-01-20T09:00:00Z", `,"tax":"8"`)},
		map[string]string{"net": "215", "1310": "0", "1010": "-126.43"}},
	{"reported twice, by customer and carrier", []told{sold, damaged,
		{kind: damaged.kind, at: "2026-01-11T10:00:00Z", data: strings.Replace(damaged.data, `"$e"`, `"$e2"`, 1)}, givenBack,
		{kind: "error.classified", at: "2026-01-20T09:00:00Z", data: strings.Replace(onCase, `"$e"`, `"$e2"`, 1) +
			`,"same_as":"$e"`}},
		map[string]string{"net": "30"}},
	{"reported defective, was a changed mind", []told{sold, reported("defective", "after_delivery", ""),
		cameBack("M", "60", "sold", "saleable", ""), refunded("100", "8"), classified("changed_mind")},
		map[string]string{"net": "0", "changed_mind": "40", "contribution": "-3.43", "2410": "0"}},
	{"empties brought back", []told{{kind: "order.placed", at: sold.at, data: onOrder + `,"payment_fee":"3.43","lines":[
		{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","tax":"8","unit_cost":"60"},
		{"line_id":"2","sku":"CRATE","kind":"deposit","quantity":1,"unit_price":"5"}]`},
		changed("customer", `"lines_added":[{"line_id":"3","sku":"CRATE","kind":"deposit","quantity":-1,"unit_price":"5"}]`)},
		map[string]string{"net": "0", "contribution": "36.57", "customer_changes": "0", "2330": "0", "1010": "104.57"}},
	{"a tip, packaging, and costs of which a part is given back", []told{{kind: "order.placed", at: sold.at,
		data: onOrder + `,"payment_fee":"3.43","lines":[
			{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","tax":"8","unit_cost":"60"},
			{"line_id":"2","sku":"TIP","kind":"tip","quantity":1,"unit_price":"5"}]`},
		charged("1", "packaging", `"2"`), charged("2", "other", `"4"`), charged("3", "other", `"1","credit":true`)},
		map[string]string{"net": "0", "perfect_contribution": "31.57", "contribution": "31.57", "2320": "-5", "5080": "2",
			"2400": "-2", "5090": "3", "1010": "106.57"}},
	{"refunded, and the payment fee came back", []told{sold, damaged, refundOf("r", "100", "8", `,"fee_returned":"3.43"`)},
		map[string]string{"net": "96.57", "5050": "0", "1010": "0", "2200": "0"}},
	{"the business takes a line off, and the payment service tells the refund", []told{soldTwo,
		changed("business", `"lines_removed":[{"line_id":"2","quantity":1}]`),
		{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onOrder + `,"refund_id":"$o-r","net":"20"`,
			source: "urn:psp"}},
		map[string]string{"net": "11", "1010": "104.57", "4100": "0"}},
}

// TestShopCases tells what shops live through and the contract has no row for, in many orders of arrival, each split by
// a close at every place.
func TestShopCases(t *testing.T) {
	t.Parallel()
	tellCases(t, shopCases)
}
