package reference

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// said is one event of a case of section 5: its kind, when it happened and its data.
type said struct{ kind, at, data string }

// caseOfContract is a row of section 5 with the values that are right.
type caseOfContract struct {
	name   string
	events []said
	want   string // figures by name, see figuresText
}

const (
	about = `"order_id":"o1","store_id":"s1","currency":"USD"`
	ofFix = about + `,"error_id":"c1"`

	boughtM = `{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","tax":"8","unit_cost":"60"}`
	placedM = `{` + about +
		`,"payment_fee":"3.43","lines":[` + boughtM + `]}`
	twoOf = `{` + about +
		`,"payment_fee":"3.43","promise":{"until":"2026-01-20T00:00:00Z"},"lines":[` + boughtM +
		`,{"line_id":"2","sku":"B","quantity":1,"unit_price":"20","unit_cost":"9"}]}`
	sentM = `{` + ofFix + `,"redelivery_id":"d1","mode":"carrier","lines":[{"sku":"M","quantity":1,"unit_cost":"60"}]}`
	backN = `{` + ofFix +
		`,"return_id":"b1","lines":[{"sku":"N","quantity":1,"unit_cost":"60","was":"wrong_item","grade":"saleable"}]}`
	soldM  = `{` + ofFix + `,"return_id":"b1","lines":[{"sku":"M","quantity":1,"was":"sold","grade":"saleable"}]}`
	refund = `{` + ofFix + `,"refund_id":"r1","net":"100","tax":"8"}`
)

func reported(kind, found, lines string) string {
	return `{` + ofFix + `,"kind":"` + kind + `","found":"` + found + `","detected_by":"customer","lines":[` + lines + `]}`
}

const (
	lineM   = `{"sku":"M","quantity":1,"unit_cost":"60"}`
	mixedUp = `{"sku":"M","quantity":1,"unit_cost":"60","received_sku":"N","received_unit_cost":"60"}`
	mixed55 = `{"sku":"M","quantity":1,"unit_cost":"60","received_sku":"N","received_unit_cost":"55"}`
)

func classified(kind string) string { return `{` + ofFix + `,"kind":"` + kind + `"}` }

func cancelled(by string, more string) string {
	return `{` + about + `,"by":"` + by + `","net":"100","tax":"8"` + more + `}`
}

var casesOfContract = []caseOfContract{
	{"mix-up reported unspecified, classified afterwards", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("unspecified", "after_delivery", mixedUp)},
		{"redelivery.dispatched", "2026-01-12T09:00:00Z", sentM},
		{"return.received", "2026-01-13T09:00:00Z", backN},
		{"error.classified", "2026-01-14T09:00:00Z", classified("wrong_item")},
	}, "net=0.0000 1210=0.0000 2410=0.0000"},
	{"mix-up known at once", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("wrong_item", "after_delivery", mixedUp)},
		{"redelivery.dispatched", "2026-01-12T09:00:00Z", sentM},
		{"return.received", "2026-01-13T09:00:00Z", backN},
	}, "net=0.0000 1210=0.0000 2410=0.0000"},
	{"reported wrong_item, classified damaged", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("wrong_item", "after_delivery", mixedUp)},
		{"redelivery.dispatched", "2026-01-12T09:00:00Z", sentM},
		{"return.received", "2026-01-13T09:00:00Z", strings.Replace(soldM, "saleable", "scrap", 1)},
		{"error.classified", "2026-01-14T09:00:00Z", classified("damaged")},
	}, "net=60.0000 1210=0.0000 2410=0.0000"},
	{"reported wrong_item, rejected", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("wrong_item", "after_delivery", mixed55)},
		{"error.rejected", "2026-01-12T09:00:00Z", `{"order_id":"o1","store_id":"s1","error_id":"c1","reason":"mistaken"}`},
	}, "net=0.0000 contribution=36.5700 1210=0.0000 2410=0.0000 1300=0.0000 1310=0.0000"},
	{"missing_item, refunded", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("missing_item", "after_delivery", lineM)},
		{"refund.issued", "2026-01-12T09:00:00Z", refund},
	}, "net=40.0000 2410=0.0000"},
	{"missing_item, goodwill of 10, then sent", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("missing_item", "after_delivery", lineM)},
		{"refund.issued", "2026-01-12T09:00:00Z", `{` + ofFix + `,"refund_id":"r1","net":"10","tax":"0.80"}`},
		{"redelivery.dispatched", "2026-01-13T09:00:00Z", sentM},
	}, "net=10.0000 2410=0.0000"},
	{"wrong_item without lines, refunded, nothing back", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", `{` + ofFix +
			`,"kind":"wrong_item","found":"after_delivery","detected_by":"customer"}`},
		{"refund.issued", "2026-01-12T09:00:00Z", refund},
	}, "net=40.0000 2410=0.0000"},
	{"wrong_item, cancelled whole by the business", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("wrong_item", "after_delivery", lineM)},
		{"order.cancelled", "2026-01-12T09:00:00Z", cancelled("business", "")},
	}, "net=40.0000 2410=0.0000"},
	{"found before delivery, repicked", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("wrong_item", "before_delivery", mixedUp)},
	}, "net=0.0000 1210=0.0000 2410=0.0000"},
	{"found before delivery, sent by redelivery", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("wrong_item", "before_delivery", mixedUp)},
		{"redelivery.dispatched", "2026-01-12T09:00:00Z", sentM},
	}, "net=0.0000 1210=0.0000 2410=0.0000"},
	{"cancelled whole by business with cost, goods back", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"order.cancelled", "2026-01-11T09:00:00Z", cancelled("business", `,"cost":"60"`)},
		{"return.received", "2026-01-12T09:00:00Z", soldM},
	}, "net=40.0000 1200=0.0000 2410=0.0000"},
	{"cancelled whole by business, refunded with error_id", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"order.cancelled", "2026-01-11T09:00:00Z", cancelled("business", "")},
		{"refund.issued", "2026-01-12T09:00:00Z", refund},
	}, "net=40.0000"},
	{"cancelled whole by the customer, refunded without error_id", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"order.cancelled", "2026-01-11T09:00:00Z", cancelled("customer", "")},
		{"refund.issued", "2026-01-12T09:00:00Z", `{` + about + `,"refund_id":"r1","net":"100","tax":"8"}`},
	}, "contribution=-3.4300 changes=-40.0000 net=0.0000"},
	{"over_shipped: 10 came for 1, 4 back, 5 kept", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("over_shipped", "after_delivery",
			`{"sku":"M","quantity":1,"unit_cost":"60","received_quantity":10}`)},
		{"return.received", "2026-01-12T09:00:00Z", `{` + ofFix +
			`,"return_id":"b1","lines":[{"sku":"M","quantity":4,"unit_cost":"60","was":"wrong_item","grade":"saleable"},` +
			`{"sku":"M","quantity":5,"unit_cost":"60","was":"wrong_item","grade":"abandoned"}]}`},
	}, "net=300.0000 1210=0.0000 1200=-360.0000"},
	{"customer keeps the wrong part and pays it", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("wrong_item", "after_delivery", mixed55)},
		{"redelivery.dispatched", "2026-01-12T09:00:00Z", sentM},
		{"order.changed", "2026-01-13T09:00:00Z", `{` + about +
			`,"by":"customer","lines_added":[{"line_id":"2","sku":"N","quantity":1,"unit_price":"90","unit_cost":"55"}]}`},
	}, "1210=0.0000 net=0.0000 2410=0.0000"},
	{"exchange 100 for 250, old part back", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"order.changed", "2026-01-11T09:00:00Z", `{` + about +
			`,"by":"customer","lines_added":[{"line_id":"2","sku":"P","quantity":1,"unit_price":"250","unit_cost":"150"}],` +
			`"lines_removed":[{"line_id":"1","quantity":1}]}`},
		{"return.received", "2026-01-12T09:00:00Z", soldM},
	}, "net=0.0000 2410=0.0000"},
	{"customer takes the second line off", []said{
		{"order.placed", "2026-01-10T09:00:00Z", twoOf},
		{"order.changed", "2026-01-11T09:00:00Z", `{` + about +
			`,"by":"customer","lines_removed":[{"line_id":"2","quantity":1}]}`},
		{"order.delivered", "2026-01-12T09:00:00Z", `{"order_id":"o1","store_id":"s1","lines":[{"sku":"M","quantity":1}]}`},
	}, "changes=-11.0000 net=0.0000"},
	{"business takes the second line off", []said{
		{"order.placed", "2026-01-10T09:00:00Z", twoOf},
		{"order.changed", "2026-01-11T09:00:00Z", `{` + about +
			`,"by":"business","lines_removed":[{"line_id":"2","quantity":1}]}`},
		{"order.delivered", "2026-01-12T09:00:00Z", `{"order_id":"o1","store_id":"s1","lines":[{"sku":"M","quantity":1}]}`},
	}, "changes=0.0000 net=11.0000"},
	{"voucher lapsed", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"concession.granted", "2026-01-11T09:00:00Z", `{` + ofFix + `,"concession_id":"v1","kind":"voucher","amount":"10"}`},
		{"voucher.expired", "2026-01-12T09:00:00Z", `{` + ofFix + `,"concession_id":"v1","amount":"10"}`},
	}, "net=0.0000 2300=0.0000"},
	{"voucher used", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"concession.granted", "2026-01-11T09:00:00Z", `{` + ofFix + `,"concession_id":"v1","kind":"voucher","amount":"10"}`},
		{"voucher.redeemed", "2026-01-12T09:00:00Z", `{` + ofFix + `,"concession_id":"v1","amount":"10"}`},
	}, "net=10.0000 2300=0.0000"},
	{"voucher redeemed twice with one redemption_id", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"concession.granted", "2026-01-11T09:00:00Z", `{` + ofFix + `,"concession_id":"v1","kind":"voucher","amount":"10"}`},
		{"voucher.redeemed", "2026-01-12T09:00:00Z", `{` + ofFix +
			`,"concession_id":"v1","redemption_id":"x1","amount":"10"}`},
		{"voucher.redeemed", "2026-01-12T09:05:00Z", `{` + ofFix +
			`,"concession_id":"v1","redemption_id":"x1","amount":"10"}`},
	}, "net=10.0000 2300=0.0000 doubles=1"},
	{"store credit 100, 70 used, 30 lapsed", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"concession.granted", "2026-01-11T09:00:00Z", `{` + ofFix +
			`,"concession_id":"v1","kind":"store_credit","amount":"100"}`},
		{"voucher.redeemed", "2026-01-12T09:00:00Z", `{` + ofFix + `,"concession_id":"v1","amount":"70"}`},
		{"voucher.expired", "2026-01-13T09:00:00Z", `{` + ofFix + `,"concession_id":"v1","amount":"30"}`},
	}, "net=70.0000 2300=0.0000"},
	{"store credit 100 of a refund, 70 used, 30 lapsed", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"refund.issued", "2026-01-11T09:00:00Z", `{` + ofFix + `,"refund_id":"v1","net":"100","method":"store_credit"}`},
		{"voucher.redeemed", "2026-01-12T09:00:00Z", `{` + ofFix + `,"concession_id":"v1","amount":"70"}`},
		{"voucher.expired", "2026-01-13T09:00:00Z", `{` + ofFix + `,"concession_id":"v1","amount":"30"}`},
	}, "net=70.0000 2300=0.0000"},
	{"refund from till and webhook, the till's first", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"refund.issued", "2026-01-11T09:00:00Z", `{` + ofFix + `,"refund_id":"r1","net":"30"}`},
		{"refund.issued", "2026-01-11T09:05:00Z", `{` + about + `,"refund_id":"r1","net":"30","tax":"2.40"}`},
	}, "net=30.0000 doubles=1"},
	{"refund from till and webhook, the webhook's first", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"refund.issued", "2026-01-11T09:05:00Z", `{` + ofFix + `,"refund_id":"r1","net":"30"}`},
		{"refund.issued", "2026-01-11T09:00:00Z", `{` + about + `,"refund_id":"r1","net":"30","tax":"2.40"}`},
	}, "net=30.0000 doubles=1"},
	{"one order.placed from two sources", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"order.placed", "2026-01-10T09:00:05Z", placedM},
	}, "perfect=36.5700 doubles=1"},
	{"sold at cost 60, item_cost later 80, returned saleable, refunded", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"rate.set", "2026-01-11T00:00:00Z",
			`{"rate":"item_cost","key":"M","value":"80","currency":"USD","effective_from":"2026-01-11T00:00:00Z"}`},
		{"return.received", "2026-01-12T09:00:00Z", soldM},
		{"refund.issued", "2026-01-13T09:00:00Z", refund},
	}, "net=40.0000 1200=0.0000 2410=0.0000"},
	{"b_grade, nrv 80, strayed part of cost 55", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("wrong_item", "after_delivery", mixed55)},
		{"return.received", "2026-01-13T09:00:00Z", strings.Replace(strings.Replace(backN, `"60"`, `"55"`, 1), `"saleable"`,
			`"b_grade","nrv":"80"`, 1)},
	}, "5110=0.0000 1210=0.0000 net=0.0000"},
	{"dispatched, trip failed, dispatched again, completed", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"error.reported", "2026-01-11T09:00:00Z", reported("damaged", "after_delivery", lineM)},
		{"redelivery.dispatched", "2026-01-12T09:00:00Z", sentM},
		{"redelivery.completed", "2026-01-12T10:00:00Z", `{` + ofFix +
			`,"redelivery_id":"d1","succeeded":false,"carrier_charge":"5"}`},
		{"redelivery.dispatched", "2026-01-13T09:00:00Z", sentM},
		{"redelivery.completed", "2026-01-13T10:00:00Z", `{` + ofFix +
			`,"redelivery_id":"d1","succeeded":true,"carrier_charge":"5"}`},
	}, "net=70.0000 5100=60.0000 5200=10.0000"},
	{"dispute lost twice, never opened", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"dispute.lost", "2026-01-11T09:00:00Z", `{` + ofFix + `,"dispute_id":"p1","amount":"108","tax":"8"}`},
		{"dispute.lost", "2026-01-11T09:05:00Z", `{` + ofFix + `,"dispute_id":"p1","amount":"108","tax":"8"}`},
	}, "net=100.0000 1310=0.0000 doubles=1"},
	{"claim accepted 60, settled 45, closed short_paid", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"claim.accepted", "2026-01-11T09:00:00Z", `{` + ofFix + `,"claim_id":"k1","party":"supplier","amount":"60"}`},
		{"claim.settled", "2026-01-12T09:00:00Z", `{` + ofFix + `,"claim_id":"k1","party":"supplier","amount":"45"}`},
		{"claim.closed", "2026-01-13T09:00:00Z",
			`{"order_id":"o1","store_id":"s1","error_id":"c1","claim_id":"k1","reason":"short_paid"}`},
	}, "net=-45.0000 1300=0.0000"},
	{"void of an event that never existed", []said{
		{"order.placed", "2026-01-10T09:00:00Z", placedM},
		{"event.voided", "2026-01-11T09:00:00Z",
			`{"order_id":"o1","store_id":"s1","voids":{"source":"/t","id":"never"},"reason":"x","original":
			{"id":"never","source":"/t","specversion":"1.0","type":"makegood.refund.issued.v1","time":"2026-01-10T00:00:00Z",
			"subject":"o1","data":{` + about + `,"refund_id":"r9","net":"-500000"}}}`},
	}, "contribution=36.5700 net=0.0000 voids_nothing=1"},
}

var startingRates = []said{
	{"rate.set", "2025-12-31T00:00:00Z",
		`{"rate":"labour_hour","key":"agent","value":"34","currency":"USD","effective_from":"2026-01-01T00:00:00Z"}`},
	{"rate.set", "2025-12-31T00:00:00Z",
		`{"rate":"voucher_redemption","key":"*","value":"0.8","effective_from":"2026-01-01T00:00:00Z"}`},
}

// TestCasesOfTheContract holds every row of section 5, in all orders of arrival (or 100 random ones), each split by a
// close at every place.
func TestCasesOfTheContract(t *testing.T) {
	for _, c := range casesOfContract {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 11))
			for _, order := range ordersOf(len(c.events), random) {
				for split := -1; split <= len(c.events); split++ {
					records := recordsOf(c.events, order, split)
					books := mustRun(t, records, time.UTC)
					got := figuresText(books)
					for _, want := range strings.Fields(c.want) {
						if !slices.Contains(got, want) {
							t.Fatalf("arrival %v, close at %d: want %s of %v\n%s", order, split, want, got, books.Journal())
						}
					}
				}
			}
		})
	}
}

// ordersOf are all orders of n things, or 100 random ones where there are more than that.
func ordersOf(n int, random *rand.Rand) (all [][]int) {
	if n <= 4 {
		var extend func(some []int)
		extend = func(some []int) {
			if len(some) == n {
				all = append(all, slices.Clone(some))
			}
			for i := range n {
				if !slices.Contains(some, i) {
					extend(append(some, i))
				}
			}
		}
		extend(nil)
		return all
	}
	for range 100 {
		all = append(all, random.Perm(n))
	}
	return all
}

// recordsOf records the rates, then the events in that order, with a close of January before the one at split (-1:
// none).
// Events of one kind and time are from two sources.
func recordsOf(events []said, order []int, split int) []Record {
	var records []Record
	take := func(id, source string, s said) {
		stream := "orders"
		if strings.HasPrefix(s.kind, "rate.") || strings.HasPrefix(s.kind, "period.") {
			stream = "books"
		}
		seq := int64(len(records) + 1)
		raw := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"makegood.%s.v1","time":%q,"subject":"o1",`+
			`"data":%s}`, id, source, s.kind, s.at, s.data)
		records = append(records, Record{Stream: stream, Event: json.RawMessage(raw), Seq: seq,
			RecordedAt: time.Unix(1_769_000_000+seq, 0)})
	}
	for i, r := range startingRates {
		take(fmt.Sprintf("rate%d", i), "/books", r)
	}
	for place, i := range order {
		if place == split {
			take("close", "/books", said{"period.closed", "2026-02-01T00:00:00Z", `{"period":"2026-01"}`})
		}
		take(fmt.Sprintf("e%d", i), fmt.Sprintf("/t%d", i%2), events[i])
	}
	if split == len(order) {
		take("close", "/books", said{"period.closed", "2026-02-01T00:00:00Z", `{"period":"2026-01"}`})
	}
	return records
}

// figuresText writes what the books say of order o1, and of every account, as name=value.
func figuresText(b *Books) []string {
	o := b.Order("o1")
	text := []string{
		"net=" + money(o.Net), "contribution=" + money(o.Contribution), "perfect=" + money(o.Perfect), "changes=" +
			money(o.CustomerChanges),
		fmt.Sprintf("doubles=%d", len(b.Standing(double))), fmt.Sprintf("voids_nothing=%d", len(b.Standing(voidsNothing))),
	}
	sums := totals{}
	for _, account := range []string{"1200", "1210", "1300", "1310", "2300", "2410", "5100", "5110", "5200"} {
		sums[account] = new(big.Rat)
	}
	for _, e := range b.Entries {
		for _, l := range e.Lines {
			sums.add(l.Account, l.Amount)
		}
	}
	for account, sum := range sums {
		text = append(text, account+"="+money(sum))
	}
	return text
}

// TestCasesOverAMonthsEnd holds the two rows of section 5 that tell months apart.
func TestCasesOverAMonthsEnd(t *testing.T) {
	for _, c := range []struct {
		name   string
		before []said
		at     string // at the close
		after  []said
		months string
	}{
		{"reported in January, closed, sent in February", []said{
			{"order.placed", "2026-01-10T09:00:00Z", placedM},
			{"error.reported", "2026-01-31T09:00:00Z", reported("wrong_item", "after_delivery", mixed55)},
		}, "2410=-60.0000 1210=55.0000", []said{{"redelivery.dispatched", "2026-02-01T09:00:00Z", sentM}}, "0.0000 0.0000"},
		{"goods back in January, refunded in February", []said{
			{"order.placed", "2026-01-10T09:00:00Z", placedM},
			{"return.received", "2026-01-31T09:00:00Z", soldM},
		}, "2410=-60.0000", []said{{"refund.issued", "2026-02-02T09:00:00Z", refund}}, "0.0000 40.0000"},
	} {
		n := len(c.before)
		order := make([]int, n+len(c.after))
		for i := range order {
			order[i] = i
		}
		records := recordsOf(append(slices.Clone(c.before), c.after...), order, n)
		closed := mustRun(t, records[:len(startingRates)+n+1], time.UTC)
		for _, want := range strings.Fields(c.at) {
			if got := figuresText(closed); !slices.Contains(got, want) {
				t.Errorf("%s: at the close want %s of %v", c.name, want, got)
			}
		}
		all := mustRun(t, records, time.UTC)
		var nets []string
		for _, month := range [][2]string{{"2026-01-01", "2026-02-01"}, {"2026-02-01", "2026-03-01"}} {
			report, err := all.Leakage(month[0], month[1], nil, "economic", "posting", "USD")
			if err != nil {
				t.Fatal(err)
			}
			nets = append(nets, report.Totals.Net)
		}
		if got := strings.Join(nets, " "); got != c.months {
			t.Errorf("%s: months %s, want %s", c.name, got, c.months)
		}
	}
}
