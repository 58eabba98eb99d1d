package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// told is one event of a case: its kind, its time, its data with $o for the order and $e for the case, who says it
// where that is not the till, and what comes after the order's name where it is of another order.
type told struct{ kind, at, data, source, order string }

// contractCase is a row of the contract's table of cases with their right values: figures of the order, balances of
// accounts and flags, each a number. What is not in dollars has its currency in front; before that, what is of another
// order has what comes after the order's name: "-b JPY net".
type contractCase struct {
	name   string
	events []told
	want   map[string]string
}

const (
	onOrder = `"order_id":"$o","store_id":"s1","currency":"USD"`
	onCase  = `"order_id":"$o","store_id":"s1","error_id":"$e","currency":"USD"`
)

var (
	sold = told{kind: "order.placed", at: "2026-01-10T09:00:00Z", data: onOrder + `,"payment_fee":"3.43",
		"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","tax":"8","unit_cost":"60"}]`}
	soldTwo = told{kind: "order.placed", at: "2026-01-10T09:00:00Z", data: onOrder +
		`,"payment_fee":"3.43","promise":{"until":"2026-01-12T00:00:00Z"},
		"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","tax":"8","unit_cost":"60"},
		         {"line_id":"2","sku":"N","quantity":1,"unit_price":"20","unit_cost":"9"}]`}
	soldTwice = told{kind: "order.placed", at: "2026-01-10T09:00:00Z", data: onOrder +
		`,"lines":[{"line_id":"1","sku":"M","quantity":2,"unit_price":"100","unit_cost":"60"}]`}
	wholeByBusiness = told{kind: "order.cancelled", at: "2026-01-11T09:00:00Z", data: onOrder +
		`,"by":"business","net":"100","tax":"8","cost":"60"`}
	wholeByCustomer = told{kind: "order.cancelled", at: "2026-01-11T09:00:00Z", data: onOrder +
		`,"by":"customer","net":"100","tax":"8"`}
	replacement = told{kind: "redelivery.dispatched", at: "2026-01-12T09:00:00Z", data: onCase +
		`,"redelivery_id":"$e-d","mode":"pickup","lines":[{"sku":"M","quantity":1,"unit_cost":"60"}]`}
	missed = reported("missing_item", "after_delivery", expected(""))
)

func reported(kind, found, lines string) told {
	if lines != "" {
		lines = `,"lines":[` + lines + `]`
	}
	return told{kind: "error.reported", at: "2026-01-11T08:00:00Z",
		data: onCase + fmt.Sprintf(`,"kind":%q,"found":%q,"detected_by":"customer"`, kind, found) + lines}
}

func expected(received string) string {
	if received == "" {
		return `{"sku":"M","quantity":1,"unit_cost":"60"}`
	}
	return `{"sku":"M","quantity":1,"unit_cost":"60","received_sku":"S","received_quantity":1,"received_unit_cost":"` +
		received + `"}`
}

// again is the same of a second case of the order, later.
func (e told) again(at string) told {
	e.at, e.data = at, strings.ReplaceAll(e.data, "$e", "$e2")
	return e
}

func classified(kind string) told {
	return told{kind: "error.classified", at: "2026-01-20T09:00:00Z", data: onCase + fmt.Sprintf(`,"kind":%q`, kind)}
}

func cameBack(sku, cost, was, grade, more string) told {
	return told{kind: "return.received", at: "2026-01-14T09:00:00Z", data: onCase + fmt.Sprintf(
		`,"return_id":"$e-t-%s","lines":[{"sku":%q,"quantity":1,"unit_cost":%q,"was":%q,"grade":%q%s}]`, grade, sku, cost,
		was, grade, more)}
}

func refunded(net, tax string) told {
	return told{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onCase +
		fmt.Sprintf(`,"refund_id":"$e-r","net":%q,"tax":%q`, net, tax)}
}

func granted(kind string, amount string) told {
	return told{kind: "concession.granted", at: "2026-01-15T09:00:00Z",
		data: onCase + fmt.Sprintf(`,"concession_id":"$e-c","kind":%q,"amount":%q`, kind, amount)}
}

func voucher(what, amount, redemption, at string) told {
	return told{kind: "voucher." + what, at: at,
		data: onCase + fmt.Sprintf(`,"concession_id":"$e-c","amount":%q,"redemption_id":%q`, amount, redemption)}
}

func changed(by, what string) told {
	return told{kind: "order.changed", at: "2026-01-13T09:00:00Z", data: onOrder + fmt.Sprintf(`,"by":%q,%s`, by, what)}
}

// contractCases are the rows of the contract's §7, one after the other.
var contractCases = []contractCase{
	{"a mix-up reported unspecified and classified afterwards", []told{sold,
		reported("unspecified", "after_delivery", expected("60")),
		replacement, cameBack("S", "60", "wrong_item", "saleable", ""), classified("wrong_item")},
		map[string]string{"net": "0", "1210": "0", "2410": "0"}},
	{"a mix-up known at once", []told{sold, reported("wrong_item", "after_delivery", expected("60")),
		replacement, cameBack("S", "60", "wrong_item", "saleable", "")},
		map[string]string{"net": "0", "1210": "0", "2410": "0"}},
	{"reported wrong_item, classified damaged; damaged part back as scrap",
		[]told{sold, reported("wrong_item", "after_delivery", expected("")), replacement,
			cameBack("M", "60", "sold", "scrap", ""), classified("damaged")},
		map[string]string{"net": "60", "1210": "0", "2410": "0"}},
	{"reported wrong_item, rejected", []told{sold, reported("wrong_item", "after_delivery", expected("60")),
		{kind: "error.rejected", at: "2026-01-16T09:00:00Z", data: onCase + `,"reason":"it was the right one"`}},
		map[string]string{"net": "0", "contribution": "36.57", "1210": "0", "2410": "0"}},
	{"a report alone", []told{sold, reported("wrong_item", "after_delivery", expected("55"))},
		map[string]string{"net": "0", "1210": "55", "2410": "-60"}},
	{"goods back", []told{sold, reported("damaged", "after_delivery", ""), cameBack("M", "60", "sold", "saleable", "")},
		map[string]string{"net": "0", "2410": "-60"}},
	{"goods back, then refunded", []told{sold, reported("damaged", "after_delivery", ""),
		cameBack("M", "60", "sold", "saleable", ""), refunded("100", "8")},
		map[string]string{"net": "40", "2410": "0"}},
	{"missing_item, refunded", []told{sold, reported("missing_item", "after_delivery", expected("")),
		refunded("100", "8")},
		map[string]string{"net": "40", "2410": "0"}},
	{"missing_item, goodwill on the way, then sent", []told{sold, reported("missing_item", "after_delivery", expected("")),
		refunded("10", "0"), replacement},
		map[string]string{"net": "10", "2410": "0"}},
	{"wrong_item without lines, refunded, nothing back", []told{sold, reported("wrong_item", "after_delivery", ""),
		refunded("100", "8")},
		map[string]string{"net": "40", "1210": "0", "2410": "0"}},
	{"missing_item reported under two error_ids, sent in the first", []told{sold, missed,
		missed.again("2026-01-11T09:00:00Z"), replacement}, map[string]string{"net": "0", "2410": "0", "1200": "-60"}},
	{"missing_item reported under two error_ids, refunded in the first", []told{sold, missed,
		missed.again("2026-01-11T09:00:00Z"), refunded("100", "8")},
		map[string]string{"net": "40", "2410": "0", "1200": "0"}},
	{"missing_item reported under two error_ids, sent in both", []told{sold, missed, missed.again("2026-01-11T09:00:00Z"),
		replacement, replacement.again("2026-01-12T10:00:00Z")},
		map[string]string{"net": "60", "2410": "0", "1200": "-120"}},
	{"a wrong replacement reported under a second error_id, sent again", []told{sold,
		reported("wrong_item", "after_delivery", expected("60")), replacement,
		reported("wrong_item", "after_delivery", expected("60")).again("2026-01-13T09:00:00Z"),
		replacement.again("2026-01-13T10:00:00Z")},
		map[string]string{"net": "0", "2410": "0", "1210": "120", "1200": "-180"}},
	{"a wrong replacement reported under a second error_id, refunded", []told{sold,
		reported("wrong_item", "after_delivery", expected("60")), replacement,
		reported("wrong_item", "after_delivery", expected("60")).again("2026-01-13T09:00:00Z"),
		refunded("100", "8").again("2026-01-15T09:00:00Z")},
		map[string]string{"net": "40", "2410": "0", "1210": "120", "1200": "-120"}},
	{"a replacement that was lost, reported under a second error_id without lines, refunded", []told{sold, missed,
		replacement, reported("missing_item", "after_delivery", "").again("2026-01-13T09:00:00Z"),
		refunded("100", "8").again("2026-01-15T09:00:00Z")},
		map[string]string{"net": "40", "2410": "0", "1200": "0"}},
	{"wrong_item, whole order cancelled by the business", []told{sold,
		reported("wrong_item", "after_delivery", expected("")), wholeByBusiness},
		map[string]string{"net": "40", "2410": "0"}},
	{"found before delivery, picked again", []told{sold, reported("wrong_item", "before_delivery", expected("55"))},
		map[string]string{"net": "0", "1210": "0", "2410": "0"}},
	{"found before delivery, sent by redelivery", []told{sold, reported("wrong_item", "before_delivery", expected("55")),
		replacement},
		map[string]string{"net": "0", "1210": "0", "2410": "0"}},
	{"cancelled whole by the business, then goods back", []told{sold, wholeByBusiness,
		cameBack("M", "60", "sold", "saleable", "")},
		map[string]string{"net": "40", "1200": "0", "2410": "0"}},
	{"cancelled whole by the business and refunded with error_id", []told{sold, wholeByBusiness, refunded("100", "8")},
		map[string]string{"net": "40", "1010": "-3.43"}},
	{"cancelled whole by the customer, refunded without error_id", []told{sold, wholeByCustomer,
		{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onOrder + `,"refund_id":"$e-r","net":"100","tax":"8"`}},
		map[string]string{"net": "0", "contribution": "-3.43", "customer_changes": "-40", "1010": "-3.43"}},
	{"over_shipped: ten came for one", []told{sold, reported("over_shipped", "after_delivery",
		`{"sku":"M","quantity":1,"unit_cost":"60","received_sku":"M","received_quantity":10,"received_unit_cost":"60"}`),
		{kind: "return.received", at: "2026-01-14T09:00:00Z", data: onCase + `,"return_id":"$e-t1","lines":[
			{"sku":"M","quantity":4,"unit_cost":"60","was":"wrong_item","grade":"saleable"},
			{"sku":"M","quantity":5,"unit_cost":"60","was":"wrong_item","grade":"abandoned"}]`}},
		map[string]string{"net": "300", "1210": "0", "1200": "-360"}},
	{"the customer keeps the wrong part and pays it", []told{sold,
		reported("wrong_item", "after_delivery", expected("55")), replacement,
		changed("customer", `"lines_added":[{"line_id":"2","sku":"S","quantity":1,"unit_price":"90",`+
			`"tax":"7","unit_cost":"55"}]`)},
		map[string]string{"net": "0", "1210": "0", "2410": "0"}},
	{"exchange 100 for 250, old part back", []told{sold, changed("customer",
		`"lines_removed":[{"line_id":"1","quantity":1}],`+
			`"lines_added":[{"line_id":"2","sku":"L","quantity":1,"unit_price":"250","tax":"20","unit_cost":"150"}]`),
		cameBack("M", "60", "sold", "saleable", "")},
		map[string]string{"net": "0", "customer_changes": "60", "2410": "0"}},
	{"the customer takes a line off", []told{soldTwo, changed("customer",
		`"lines_removed":[{"line_id":"2","quantity":1}]`)},
		map[string]string{"net": "0", "customer_changes": "-11"}},
	{"the business takes a line off", []told{soldTwo, changed("business",
		`"lines_removed":[{"line_id":"2","quantity":1}]`)},
		map[string]string{"net": "11", "customer_changes": "0"}},
	{"the business takes a line off and the till refunds it in a case", []told{soldTwo,
		changed("business", `"lines_removed":[{"line_id":"2","quantity":1}]`), reported("missing_item", "after_delivery", ""),
		refunded("20", "0")},
		map[string]string{"net": "11", "1010": "104.57", "4100": "0"}},
	{"as much was taken off, but the refund pays for what came back in its case", []told{{kind: "order.placed",
		at: "2026-01-10T09:00:00Z", data: onOrder + `,"lines":[
			{"line_id":"1","sku":"M","quantity":1,"unit_price":"20","unit_cost":"9"},
			{"line_id":"2","sku":"N","quantity":1,"unit_price":"20","unit_cost":"9"}]`},
		changed("customer", `"lines_removed":[{"line_id":"2","quantity":1}]`), reported("defective", "after_delivery", ""),
		{kind: "return.received", at: "2026-01-12T09:00:00Z", data: onCase + `,"return_id":"$e-t1","lines":[
			{"sku":"M","quantity":1,"was":"sold","grade":"saleable"}]`}, refunded("20", "0")},
		map[string]string{"net": "11", "2410": "0", "4100": "20"}},
	{"one piece back in two cases, refunded in the first", []told{soldTwice,
		changed("customer", `"lines_removed":[{"line_id":"1","quantity":1}]`), cameBack("M", "60", "sold", "saleable", ""),
		cameBack("M", "60", "sold", "saleable", "").again("2026-01-14T10:00:00Z"), refunded("100", "0")},
		map[string]string{"net": "40", "2410": "0", "1200": "0"}},
	{"one piece back in two cases, refunded in the second", []told{soldTwice,
		changed("customer", `"lines_removed":[{"line_id":"1","quantity":1}]`), cameBack("M", "60", "sold", "saleable", ""),
		cameBack("M", "60", "sold", "saleable", "").again("2026-01-14T10:00:00Z"),
		refunded("100", "0").again("2026-01-15T09:00:00Z")},
		map[string]string{"net": "100", "2410": "-60", "1200": "0"}},
	{"over_shipped, back without a cost", []told{sold, reported("over_shipped", "after_delivery",
		`{"sku":"M","quantity":1,"received_sku":"M","received_quantity":3}`),
		{kind: "return.received", at: "2026-01-12T09:00:00Z", data: onCase + `,"return_id":"$e-t1","lines":[
			{"sku":"M","quantity":2,"was":"wrong_item","grade":"saleable"}]`}},
		map[string]string{"net": "0", "1210": "0", "1200": "-60"}},
	{"cancelled in another currency", []told{sold, {kind: "order.cancelled", at: "2026-01-11T09:00:00Z",
		data: `"order_id":"$o","store_id":"s1","by":"customer","currency":"EUR","net":"100","tax":"8"`}},
		map[string]string{"net": "0", "contribution": "36.57", "4000": "-100"}},
	{"cancelled by the customer, who says no amount", []told{sold, {kind: "order.cancelled", at: "2026-01-11T09:00:00Z",
		data: onOrder + `,"by":"customer"`}}, map[string]string{"net": "0", "contribution": "-3.43", "4000": "0"}},
	{"a voucher lapsed", []told{sold, granted("voucher", "10"), voucher("expired", "10", "l1", "2026-01-20T09:00:00Z")},
		map[string]string{"net": "0", "2300": "0"}},
	{"a voucher used", []told{sold, granted("voucher", "10"), voucher("redeemed", "10", "x1", "2026-01-20T09:00:00Z")},
		map[string]string{"net": "10", "2300": "0"}},
	{"a voucher redeemed twice with one redemption_id", []told{sold, granted("voucher", "10"),
		voucher("redeemed", "10", "x1", "2026-01-20T09:00:00Z"), voucher("redeemed", "10", "x1", "2026-01-20T09:05:00Z")},
		map[string]string{"net": "10", "2300": "0"}},
	{"store credit in parts", []told{sold, reported("damaged", "after_delivery", ""),
		{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onCase +
			`,"refund_id":"$e-c","net":"100","method":"store_credit"`},
		voucher("redeemed", "70", "x1", "2026-01-20T09:00:00Z"), voucher("expired", "30", "l1", "2026-01-25T09:00:00Z")},
		map[string]string{"net": "70", "2300": "0"}},
	{"one refund from till and webhook", []told{sold, reported("damaged", "after_delivery", ""),
		{kind: "refund.issued", at: "2026-01-15T09:00:00Z", data: onCase + `,"refund_id":"$e-r","net":"30"`},
		{kind: "refund.issued", at: "2026-01-15T09:00:01Z", data: onOrder + `,"refund_id":"$e-r","net":"30"`,
			source: "urn:webhook:1"}},
		map[string]string{"net": "30"}},
	{"one refund, without tax from the webhook", []told{sold, reported("damaged", "after_delivery", ""),
		{kind: "refund.issued", at: "2026-01-15T09:00:02Z", data: onCase + `,"refund_id":"$e-r","net":"30","tax":"2.40"`},
		{kind: "refund.issued", at: "2026-01-15T09:00:01Z", data: onOrder + `,"refund_id":"$e-r","net":"32.40"`,
			source: "urn:webhook:1"}},
		map[string]string{"net": "30", "1010": "72.17"}},
	{"one order.placed from two sources", []told{sold, {kind: sold.kind, at: sold.at, data: sold.data,
		source: "urn:webhook:1"}},
		map[string]string{"net": "0", "perfect_contribution": "36.57", "contribution": "36.57"}},
	{"sold at cost 60, item_cost later 80, returned, refunded", []told{sold, reported("damaged", "after_delivery", ""),
		{kind: "return.received", at: "2026-01-14T09:00:00Z", data: onCase +
			`,"return_id":"$e-t","lines":[{"sku":"M","quantity":1,"was":"sold","grade":"saleable"}]`},
		refunded("100", "8")},
		map[string]string{"net": "40", "1200": "0", "2410": "0"}},
	{"b_grade worth more than the strayed part cost", []told{sold,
		reported("wrong_item", "after_delivery", expected("55")), replacement,
		cameBack("S", "55", "wrong_item", "b_grade", `,"nrv":"80"`)},
		map[string]string{"net": "0", "5110": "0", "1210": "0"}},
	{"dispatched, trip failed, dispatched again, completed", []told{sold,
		reported("wrong_item", "after_delivery", expected("55")),
		replacement, trip("t1", false, "2026-01-12T10:00:00Z"),
		{kind: replacement.kind, at: "2026-01-13T09:00:00Z", data: replacement.data},
		trip("t2", true, "2026-01-13T10:00:00Z")},
		map[string]string{"net": "20", "5100": "0", "5200": "20", "2410": "0", "1210": "55"}},
	{"a dispute lost twice, never opened", []told{sold, disputed("$e-q"),
		{kind: "dispute.lost", at: "2026-01-21T09:00:00Z", data: disputed("$e-q").data, source: "urn:webhook:1"}},
		map[string]string{"net": "100", "1310": "0", "2200": "0"}},
	{"a claim settled short", []told{sold, reported("damaged", "after_delivery", ""),
		claim("accepted", `,"party":"supplier","amount":"60"`),
		claim("settled", `,"party":"supplier","amount":"45"`), {kind: "claim.closed", at: "2026-01-25T09:00:00Z",
			data: `"order_id":"$o","store_id":"s1","error_id":"$e","claim_id":"$e-k","reason":"short_paid"`}},
		map[string]string{"net": "-45", "1300": "0"}},
}

func trip(id string, succeeded bool, at string) told {
	return told{kind: "redelivery.completed", at: at,
		data: onCase + fmt.Sprintf(`,"redelivery_id":"$e-d","trip_id":"$e-%s","succeeded":%t,"carrier_charge":"10"`, id,
			succeeded)}
}

func disputed(id string) told {
	return told{kind: "dispute.lost", at: "2026-01-20T09:00:00Z", data: onOrder +
		fmt.Sprintf(`,"dispute_id":%q,"amount":"108","tax":"8"`, id)}
}

func claim(what, data string) told {
	return told{kind: "claim." + what, at: "2026-01-22T09:00:00Z", data: onCase + `,"claim_id":"$e-k"` + data}
}

// on writes the event for one order.
func (e told) on(order string, n int) string {
	subject := order + e.order
	if e.kind == "fact.decided" { // it is about an event, whose order is known
		subject = ""
	}
	text := event(fmt.Sprintf("%s-%d", order, n), e.kind, e.at, subject,
		"{"+strings.NewReplacer("$o", order, "$e", order+"e").Replace(e.data)+"}")
	if e.source != "" {
		text = strings.Replace(text, "urn:till:1", e.source, 1)
	}
	return text
}

// contractUnit is a case told to one order: in an order of arrival of its own, with a close after so many events.
type contractUnit struct {
	of      *contractCase
	order   string
	arrival []int
	split   int
}

// contractUnits tells each case in many orders of arrival, split by a close at each place, or before and after all.
func contractUnits(random *rand.Rand, cases []contractCase, orders int, split bool) []contractUnit {
	var all []contractUnit
	for i := range cases {
		c := &cases[i]
		for n := range orders {
			arrival := random.Perm(len(c.events))
			if n == 0 {
				for j := range arrival {
					arrival[j] = j
				}
			}
			for at := range len(c.events) + 1 {
				if !split && at > 0 && at < len(c.events) {
					continue
				}
				all = append(all, contractUnit{c, fmt.Sprintf("c%d-%d-%d", i, n, at), arrival, at})
			}
		}
	}
	return all
}

// TestContractCases tells every case of the contract through HTTP, in many orders of arrival, each split by a close at
// every place, and holds its order's figures and its accounts in the views against the right values: of one telling of
// four also the figures that the order's story has.
func TestContractCases(t *testing.T) {
	t.Parallel()
	tellCases(t, slices.Concat(contractCases, decidedCases))
}

func tellCases(t *testing.T, cases []contractCase) { tellCasesSplit(t, cases, true) }

func tellCasesSplit(t *testing.T, cases []contractCase, split bool) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	app, c := startTestApp(t, t.TempDir())
	for _, e := range goldenRates {
		mustPost(t, c, e)
	}
	mustPost(t, c, event("later", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"item_cost","key":"M","value":"80","currency":"USD","effective_from":"2026-01-13T00:00:00Z"}`))
	units := contractUnits(random, cases, 6, split)
	send := func(part func(*contractUnit) []int) {
		var batch []string
		for i := range units {
			u := &units[i]
			for _, n := range part(u) {
				batch = append(batch, u.of.events[n].on(u.order, n))
			}
		}
		for len(batch) > 0 {
			n := min(len(batch), 500)
			if status, text := postBody(t, c, "application/cloudevents-batch+json",
				"["+strings.Join(batch[:n], ",")+"]"); status != http.StatusAccepted {
				t.Fatalf("%d %s", status, text)
			}
			batch = batch[n:]
		}
	}
	send(func(u *contractUnit) []int { return u.arrival[:u.split] })
	mustPost(t, c, event("close", "period.closed", "2026-01-30T00:00:00Z", "",
		`{"period":"2019-12","actor":"controller","reason":"year's end"}`))
	send(func(u *contractUnit) []int { return u.arrival[u.split:] })
	s, err := c.caughtUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.DeadLetters != 0 {
		t.Fatalf("%d dead letters", s.DeadLetters)
	}
	views, flags := figuresByOrder(t, app), flagsByOrder(t, c)
	for i := range units {
		u := &units[i]
		u.check(t, "the views", func(order string) map[string]string { return views[order] }, flags)
		if random.IntN(4) == 0 {
			u.check(t, "its story", func(order string) map[string]string {
				return addTo(orderFigures(t, c, order), views[order], isAccount)
			}, flags)
		}
	}
}

// isAccount reports whether what a figure is called is an account: it has a number, maybe behind a currency.
func isAccount(name string) bool {
	_, err := strconv.Atoi(name[strings.LastIndexByte(name, ' ')+1:])
	return err == nil
}

// addTo adds those of some figures that are wanted.
func addTo(to, figures map[string]string, wanted func(string) bool) map[string]string {
	for name, value := range figures {
		if wanted(name) {
			to[name] = value
		}
	}
	return to
}

// check holds what somewhere is said of the case's orders against the right values.
func (u *contractUnit) check(t *testing.T, where string, figures func(order string) map[string]string,
	flags map[string]map[string]string) {
	t.Helper()
	said := map[string]map[string]string{}
	for name, want := range u.of.want {
		after, figure := "", name
		if strings.HasPrefix(name, "-") {
			after, figure, _ = strings.Cut(name, " ")
		}
		order := u.order + after
		if said[order] == nil {
			said[order] = addTo(map[string]string{}, figures(order), func(string) bool { return true })
			addTo(said[order], flags[order], func(string) bool { return true })
		}
		if have := said[order][figure]; !sameAmount(have, want) {
			t.Errorf("%s, as %v with a close after %d: in %s %s is %q, want %s", u.of.name, u.arrival, u.split, where, name,
				have, want)
		}
	}
}
