package main

import (
	"fmt"
	"strings"
	"testing"
)

// in says an event in another currency.
func (e told) in(currency string) told {
	e.data = strings.Replace(e.data, `"currency":"USD"`, fmt.Sprintf(`"currency":%q`, currency), 1)
	return e
}

// by has another source say an event.
func (e told) by(source string) told {
	e.source = source
	return e
}

// ofB says an event of the second order, and of a case of its own.
func (e told) ofB() told {
	e.order = "-b"
	e.data = strings.NewReplacer(`"$o"`, `"$o-b"`, `"$e`, `"$e-b`).Replace(e.data)
	return e
}

var (
	closedShort = told{kind: "claim.closed", at: "2026-01-25T09:00:00Z",
		data: `"order_id":"$o","store_id":"s1","error_id":"$e","claim_id":"$e-k","reason":"short_paid"`}
	missing      = reported("missing_item", "after_delivery", expected(""))
	giftCardSold = told{kind: "order.placed", at: sold.at, data: onOrder + `,"payment_fee":"3.43",
		"lines":[{"line_id":"1","sku":"G","kind":"gift_card","quantity":1,"unit_price":"100"}]`}
	partlyDisputed = func(what, at, more string) told {
		return told{kind: "dispute." + what, at: at, data: onCase + `,"dispute_id":"$e-q","amount":"50"` + more}
	}
)

// paidBy is an order that was paid with something.
func (e told) paidBy(tenders string) told {
	e.data += `,"tenders":[` + tenders + `]`
	return e
}

// currencyCases are orders of which money moves in several currencies. No sum is of two.
var currencyCases = []contractCase{
	{name: "sold in dollars, refunded in yen, claimed in euros", events: []told{sold, damaged,
		refunded("9000", "0").in("JPY"), claim("accepted", `,"party":"supplier","amount":"60"`).in("EUR"),
		claim("settled", `,"party":"supplier","amount":"45"`).in("EUR"), closedShort},
		want: map[string]string{"net": "0", "contribution": "36.57", "1010": "104.57", "JPY net": "9000", "JPY gross": "9000",
			"JPY contribution": "-9000", "JPY 1010": "-9000", "JPY over_refunded": "9000", "EUR net": "-45", "EUR gross": "0",
			"EUR contribution": "45", "EUR 1010": "45", "EUR 1300": "0", "EUR 5900": "-45"}},
	{name: "what is owed goes at what it is owed at, whatever the carrier is paid in", events: []told{sold, missing,
		{kind: replacement.kind, at: replacement.at, data: strings.Replace(replacement.data, `"unit_cost":"60"`,
			`"unit_cost":"50"`, 1) + `,"carrier_charge":"7"`}},
		want: map[string]string{"net": "7", "2410": "0", "1200": "-60"}},
	{name: "what is owed is sent at a cost in euros", events: []told{sold, missing, told{kind: replacement.kind,
		at: replacement.at, data: replacement.data + `,"carrier_charge":"7"`}.in("EUR")},
		want: map[string]string{"net": "0", "2410": "0", "1200": "-60", "EUR net": "7", "EUR 1200": "0"}},
	{name: "owed in dollars, refunded in yen", events: []told{sold, missing, refunded("9000", "0").in("JPY")},
		want: map[string]string{"net": "0", "2410": "-60", "1200": "0", "JPY net": "9000", "JPY 2410": "0"}},
	{name: "owed in dollars, yen in its place", events: []told{sold, missing, told{kind: "refund.issued",
		at: "2026-01-15T09:00:00Z", data: onCase + `,"refund_id":"$e-r","net":"9000","replaces_goods":true`}.in("JPY")},
		want: map[string]string{"net": "-60", "2410": "0", "1200": "0", "JPY net": "9000"}},
	{name: "goods back, refunded in yen", events: []told{sold, damaged, cameBack("M", "60", "sold", "saleable", ""),
		refunded("9000", "0").in("JPY")},
		want: map[string]string{"net": "-60", "2410": "0", "1200": "0", "JPY net": "9000"}},
	{name: "a voucher in euros, redeemed in dollars", events: []told{sold, granted("voucher", "10").in("EUR"),
		voucher("redeemed", "10", "x1", "2026-01-20T09:00:00Z")},
		want: map[string]string{"net": "10", "2300": "0", "EUR net": "8", "EUR 2300": "-8"}},
	{name: "sold in dollars, disputed in euros", events: []told{sold, damaged,
		disputedAt("opened", "2026-01-15T09:00:00Z", `,"fee":"15"`).in("EUR"),
		disputedAt("lost", "2026-01-20T09:00:00Z", `,"tax":"8"`).in("EUR")},
		want: map[string]string{"net": "0", "1310": "0", "EUR net": "115", "EUR 1310": "0", "EUR 1010": "-123"}},
}

// TestCurrencyCases tells orders whose money moves in several currencies, in many orders of arrival, each split by a
// close at every place.
func TestCurrencyCases(t *testing.T) {
	t.Parallel()
	tellCases(t, currencyCases)
}

// twoOrderCases are what happens between two orders, and what is told of one by several.
var twoOrderCases = []contractCase{
	{name: "one order's return is credited against another", events: []told{sold,
		reported("changed_mind", "after_delivery", ""), cameBack("M", "60", "sold", "saleable", ""),
		{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onCase +
			`,"refund_id":"$e-r","net":"100","tax":"8","method":"exchange"`},
		told{kind: "order.placed", at: "2026-01-15T09:00:00Z", data: onOrder + `,"lines":[
			{"line_id":"1","sku":"L","quantity":1,"unit_price":"250","tax":"20","unit_cost":"150"}]`}.paidBy(
			`{"method":"other","amount":"108"},{"method":"card","amount":"162"}`).ofB()},
		want: map[string]string{"net": "0", "changed_mind": "40", "contribution": "-3.43", "1010": "-3.43", "2410": "0",
			"1200": "0", "-b contribution": "100", "-b net": "0", "-b 1010": "270", "-b 1200": "-150"}},
	{name: "a replacement that the till books as an order at no price", events: []told{sold, missing,
		told{kind: "order.placed", at: "2026-01-12T09:00:00Z", data: onOrder + `,"lines":[
			{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","discount":"100","unit_cost":"60"}]`}.ofB()},
		want: map[string]string{"net": "0", "2410": "-60", "1200": "0", "-b contribution": "-60", "-b net": "0",
			"-b 1200": "-60"}},
	{name: "the same, taken back and told as a redelivery", events: []told{sold, missing, sold.ofB(),
		voided(2, sold.ofB()), replacement},
		want: map[string]string{"net": "0", "2410": "0", "1200": "-60", "contribution": "36.57", "-b contribution": "0",
			"-b 1200": "0", "-b 1010": "0"}},
	{name: "a gift card sold, and used in part", events: []told{giftCardSold, sold.paidBy(
		`{"method":"gift_card","amount":"60"},{"method":"card","amount":"48"}`).ofB()},
		want: map[string]string{"contribution": "-3.43", "2310": "-100", "1010": "96.57", "-b contribution": "36.57",
			"-b 2310": "60", "-b 1010": "44.57"}},
	{name: "refunded to a gift card that pays for another order", events: []told{sold, damaged, {kind: "refund.issued",
		at: "2026-01-15T09:00:00Z", data: onCase + `,"refund_id":"$e-r","net":"100","tax":"8","method":"gift_card"`},
		sold.paidBy(`{"method":"gift_card","amount":"108"}`).ofB()},
		want: map[string]string{"net": "100", "2310": "-108", "1010": "104.57", "-b 2310": "108", "-b 1010": "-3.43",
			"-b net": "0"}},
	{name: "a part disputed after another was refunded", events: []told{sold, damaged, givenBack,
		partlyDisputed("opened", "2026-01-16T09:00:00Z", `,"fee":"15"`),
		partlyDisputed("lost", "2026-01-20T09:00:00Z", `,"tax":"3.70"`)},
		want: map[string]string{"net": "91.30", "1310": "0", "1010": "7.17", "2200": "-1.90", "flags over_refunded": "0"}},
	{name: "all disputed after a part was refunded", events: []told{sold, damaged, givenBack, opened,
		disputedAt("lost", "2026-01-20T09:00:00Z", `,"tax":"8"`)},
		want: map[string]string{"net": "145", "1310": "0", "1010": "-50.83", "over_refunded": "32.40"}},
	{name: "refunded while disputed, and the dispute won", events: []told{sold, damaged, opened, refunded("100", "8"),
		disputedAt("won", "2026-01-20T09:00:00Z", "")},
		want: map[string]string{"net": "115", "1310": "0", "1010": "-18.43", "flags over_refunded": "0"}},
	{name: "two tills refund all of it, each for itself", events: []told{sold, damaged, refundOf("r1", "100", "8", ""),
		refundOf("r2", "100", "8", "").by("urn:till:2")},
		want: map[string]string{"net": "200", "1010": "-111.43", "over_refunded": "108"}},
	{name: "a refund taken back twice, and one of these taken back", events: []told{sold, damaged, givenBack,
		voided(2, givenBack), voided(2, givenBack), voidedTwice(3, voided(2, givenBack))},
		want: map[string]string{"net": "0", "1010": "104.57", "4100": "0"}},
}

// TestTwoOrderCases tells what happens between two orders, and what several tell of one.
func TestTwoOrderCases(t *testing.T) {
	t.Parallel()
	tellCases(t, twoOrderCases)
}

// contradictedCases are those in which it matters which of two events was seen first: no close stands between them.
var contradictedCases = []contractCase{
	{name: "a refund in dollars from the till, in euros from the payment service", events: []told{sold, damaged,
		refunded("30", "0"), told{kind: "refund.issued", at: "2026-01-15T09:00:05Z",
			data: onCase + `,"refund_id":"$e-r","net":"27"`}.in("EUR").by("urn:psp")},
		want: map[string]string{"net": "30", "EUR net": "0", "EUR 1010": "0"}},
	{name: "a case made part of another order's", events: []told{sold, damaged, givenBack, sold.ofB(), damaged.ofB(),
		refundOf("r", "20", "0", "").ofB(), {kind: "error.classified", at: "2026-01-20T09:00:00Z", order: "-b",
			data: strings.Replace(onOrder, "$o", "$o-b", 1) + `,"error_id":"$e-b","same_as":"$e"`}},
		want: map[string]string{"net": "30", "-b net": "20", "flags case_under_two_orders": "0",
			"-b flags case_under_two_orders": "1"}},
	{name: "two tills tell one refund otherwise", events: []told{sold, damaged, givenBack, told{kind: givenBack.kind,
		at: "2026-01-15T09:10:00Z", data: strings.Replace(givenBack.data, `"30"`, `"25"`, 1)}.by("urn:till:2")},
		want: map[string]string{"net": "30", "1010": "72.17"}},
}

// TestContradictedCases tells what contradicts itself between two orders or in two currencies.
func TestContradictedCases(t *testing.T) {
	t.Parallel()
	tellCasesSplit(t, contradictedCases, false)
}
