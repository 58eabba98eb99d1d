package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/makegood/makegood/projections/report"
)

// promiseCase is an order, and what the summary of its store says of it: each number as numerator/denominator. What is
// not named is as of an order on which nothing went wrong.
type promiseCase struct {
	name   string
	events []told
	want   map[string]string
}

var (
	firstComes  = arrival("2026-01-11T12:00:00Z", `"lines":[{"sku":"M","quantity":1}]`)
	bothCome    = arrival("2026-01-11T12:00:00Z", `"lines":[{"sku":"M","quantity":1},{"sku":"N","quantity":"1"}]`)
	atLast      = arrival("2026-01-11T12:00:00Z", `"documents_ok":true`)
	perfectCase = map[string]string{"right_first_time": "1/1", "perfect_order": "1/1", "on_time": "1/1", "in_full": "1/1",
		"silent_failures": "0/1", "with_a_time_promised": "1/1", "fix_promise_kept": "0/0", "cost_per_case": "0.0000/0",
		"customer_changes": "0.0000", "unfounded": "0.0000", "changed_mind": "0.0000"}
	brokenByCase = map[string]string{"right_first_time": "0/1", "perfect_order": "0/1"}
	kit          = told{kind: "order.placed", at: "2026-01-10T09:00:00Z", data: onOrder +
		`,"promise":{"until":"2026-01-12T00:00:00Z"},
		"lines":[{"line_id":"1","sku":"K","quantity":2,"unit_price":"100","unit_cost":"60",
			"components":[{"sku":"A","quantity":1},{"sku":"B","quantity":"2"}]},
		{"line_id":"2","sku":"A","quantity":1,"unit_price":"10","unit_cost":"6"},
		{"line_id":"3","sku":"TIP","kind":"tip","quantity":1,"unit_price":"5"},
		{"line_id":"4","sku":"WRAP","kind":"service","quantity":1,"unit_price":"3"}]`}
)

func arrival(at, data string) told {
	return told{kind: "order.delivered", at: at, data: `"order_id":"$o","store_id":"s1",` + data}
}

func sent(at, until string) told {
	return told{kind: "redelivery.dispatched", at: at, data: onCase + fmt.Sprintf(
		`,"redelivery_id":"$e-d","mode":"pickup","promise":{"until":%q},"lines":[{"sku":"M","quantity":1,"unit_cost":"60"}]`,
		until)}
}

func with(of map[string]string, more map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range []map[string]string{perfectCase, of, more} {
		for name, value := range m {
			all[name] = value
		}
	}
	return all
}

func void(id int, of told) told {
	return told{kind: "event.voided", at: "2026-01-20T09:00:00Z",
		data: fmt.Sprintf(`"order_id":"$o","store_id":"s1","voids":{"source":"urn:till:1","id":"$o-%d"},`+
			`"reason":"mistake","original":$%d`, id, id)}
}

var promiseCases = []promiseCase{
	{"all came in time", []told{soldTwo, bothCome}, nil},
	{"the customer takes a line off, the first comes in time", []told{soldTwo,
		changed("customer", `"lines_removed":[{"line_id":"2","quantity":1}]`), firstComes},
		map[string]string{"customer_changes": "-11.0000"}},
	{"the business takes it off", []told{soldTwo, changed("business", `"lines_removed":[{"line_id":"2","quantity":1}]`),
		firstComes},
		map[string]string{"in_full": "0/1", "perfect_order": "0/1", "right_first_time": "0/1"}},
	{"the business takes it off, and the rest comes late", []told{soldTwo,
		changed("business", `"lines_removed":[{"sku":"N","quantity":1}]`),
		arrival("2026-01-13T12:00:00Z", `"lines":[{"sku":"M","quantity":1}]`)},
		map[string]string{"on_time": "0/1", "in_full": "0/1", "perfect_order": "0/1", "right_first_time": "0/1",
			"silent_failures": "1/1"}},
	{"the customer cancels a line", []told{soldTwo, {kind: "order.cancelled", at: "2026-01-11T09:00:00Z",
		data: onOrder + `,"by":"customer","lines":[{"sku":"N","quantity":1}]`}, firstComes},
		map[string]string{"customer_changes": "-11.0000"}},
	{"a line is missing and nobody knows", []told{soldTwo, firstComes},
		map[string]string{"in_full": "0/1", "perfect_order": "0/1", "right_first_time": "0/1", "silent_failures": "1/1"}},
	{"the customer adds a line that doesn't come", []told{soldTwo, bothCome,
		changed("customer", `"lines_added":[{"line_id":"3","sku":"P","quantity":1,"unit_price":"10","unit_cost":"4"}]`)},
		map[string]string{"in_full": "0/1", "perfect_order": "0/1", "right_first_time": "0/1", "silent_failures": "1/1",
			"customer_changes": "6.0000"}},
	{"the customer wants it later", []told{soldTwo, changed("customer", `"promise":{"until":"2026-01-20T00:00:00Z"}`),
		arrival("2026-01-19T12:00:00Z", `"documents_ok":true`)}, nil},
	{"the business says later without asking", []told{soldTwo, changed("business",
		`"promise":{"until":"2026-01-20T00:00:00Z"}`),
		arrival("2026-01-19T12:00:00Z", `"documents_ok":true`)},
		map[string]string{"on_time": "0/1", "perfect_order": "0/1", "right_first_time": "0/1", "silent_failures": "1/1"}},
	{"nobody promised a time", []told{sold, firstComes}, map[string]string{"on_time": "0/0",
		"with_a_time_promised": "0/1"}},
	{"a kit comes in its pieces", []told{kit, arrival("2026-01-11T12:00:00Z",
		`"lines":[{"sku":"K","quantity":1},{"sku":"A","quantity":"2"},{"sku":"B","quantity":2}]`)}, nil},
	{"a piece of a kit is missing", []told{kit, arrival("2026-01-11T12:00:00Z",
		`"lines":[{"sku":"K","quantity":1},{"sku":"A","quantity":1},{"sku":"B","quantity":2}]`)},
		map[string]string{"in_full": "0/1", "perfect_order": "0/1", "right_first_time": "0/1", "silent_failures": "1/1"}},
	{"a founded case says it wasn't all", []told{soldTwo, atLast, reported("missing_item", "after_delivery", "")},
		with(brokenByCase, map[string]string{"in_full": "0/1"})},
	{"a founded case says it was damaged", []told{soldTwo, atLast, reported("defective", "after_delivery", "")},
		brokenByCase},
	{"a founded case says it was the wrong one", []told{soldTwo, atLast,
		reported("not_as_described", "after_delivery", "")}, brokenByCase},
	{"found and mended before delivery", []told{soldTwo, atLast, reported("damaged", "before_delivery", "")},
		map[string]string{"right_first_time": "0/1"}},
	{"the bill was wrong", []told{soldTwo, atLast, reported("billing_error", "after_delivery", "")},
		map[string]string{"right_first_time": "0/1"}},
	{"the customer was mistaken", []told{soldTwo, atLast, reported("damaged", "after_delivery", ""),
		{kind: "error.rejected", at: "2026-01-16T09:00:00Z", data: onCase + `,"reason":"none"`}, granted("cash", "7")},
		map[string]string{"unfounded": "7.0000"}},
	{"the customer changed their mind", []told{soldTwo, atLast, reported("changed_mind", "after_delivery", ""),
		granted("cash", "4")},
		map[string]string{"changed_mind": "4.0000"}},
	{"a fix that nobody reported", []told{soldTwo, atLast, granted("cash", "5")},
		map[string]string{"right_first_time": "0/1", "cost_per_case": "5.0000/1"}},
	{"a fix in time", []told{soldTwo, atLast, reported("billing_error", "after_delivery", ""),
		sent("2026-01-14T09:00:00Z", "2026-01-14T10:00:00Z"),
		trip("t1", true, "2026-01-14T10:00:00Z")}, map[string]string{"right_first_time": "0/1", "fix_promise_kept": "1/1",
		"cost_per_case": "70.0000/1"}},
	{"a fix too late", []told{soldTwo, atLast, reported("billing_error", "after_delivery", ""),
		sent("2026-01-14T09:00:00Z", "2026-01-14T10:00:00Z"),
		trip("t1", true, "2026-01-14T10:00:01Z")}, map[string]string{"right_first_time": "0/1", "fix_promise_kept": "0/1",
		"cost_per_case": "70.0000/1"}},
	{"a fix promised again after a trip that failed", []told{soldTwo, atLast,
		reported("billing_error", "after_delivery", ""),
		sent("2026-01-14T09:00:00Z", "2026-01-14T10:00:00Z"), trip("t1", false, "2026-01-14T09:30:00Z"),
		sent("2026-01-15T09:00:00Z", "2026-01-15T10:00:00Z"), trip("t2", true, "2026-01-15T09:30:00Z")},
		map[string]string{"right_first_time": "0/1", "fix_promise_kept": "1/1", "cost_per_case": "80.0000/1"}},
	{"placed twice, by till and shop", []told{soldTwo, {kind: soldTwo.kind, at: soldTwo.at, data: soldTwo.data,
		source: "urn:shop"}, bothCome}, nil},
	{"placed otherwise by the shop, which waits", []told{soldTwo, {kind: soldTwo.kind, at: "2026-01-10T10:00:00Z",
		data: strings.Replace(soldTwo.data, `"quantity":1`, `"quantity":5`, 1), source: "urn:shop"}, bothCome}, nil},
	{"a delivery that was keyed by mistake", []told{soldTwo, firstComes, bothCome, void(1, firstComes)}, nil},
	{"a void that was a mistake itself", []told{soldTwo, bothCome, void(1, bothCome),
		{kind: "event.voided", at: "2026-01-21T09:00:00Z",
			data: `"order_id":"$o","store_id":"s1","voids":{"source":"urn:till:1","id":"$o-2"},` +
				`"reason":"it did come","original":$2`}}, nil},
}

// tell writes the events of a case for one order of one store. $n in data stands for the event that was written as the
// nth.
func (c *promiseCase) tell(order, store string) []string {
	var all []string
	for i, e := range c.events {
		text := strings.ReplaceAll(e.on(order, i), `"s1"`, fmt.Sprintf("%q", store))
		for n, before := range all {
			text = strings.ReplaceAll(text, fmt.Sprintf(`"original":$%d`, n), `"original":`+before)
		}
		all = append(all, text)
	}
	return all
}

// TestPromises tells orders in many orders of arrival, each in a store of its own, and holds the summary of the store
// against what a controller counts.
func TestPromises(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 3))
	_, c := startTestApp(t, t.TempDir())
	const arrivals = 1
	var batch []string
	for i := range promiseCases {
		for n := range arrivals {
			name := fmt.Sprintf("p%d-%d", i, n)
			events := promiseCases[i].tell(name, name)
			if n > 0 {
				random.Shuffle(len(events), func(a, b int) { events[a], events[b] = events[b], events[a] })
			}
			batch = append(batch, events...)
		}
	}
	if status, text := postBody(t, c, "application/cloudevents-batch+json",
		"["+strings.Join(batch, ",")+"]"); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, text)
	}
	if s, err := c.caughtUp(t.Context()); err != nil || s.DeadLetters != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	for i := range promiseCases {
		for n := range arrivals {
			name := fmt.Sprintf("p%d-%d", i, n)
			var got report.Summary
			if err := c.get(t.Context(), "/v1/summary", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {name},
				"currency": {"USD"}}, &got); err != nil {
				t.Fatal(err)
			}
			numbers := map[string]string{}
			for name, r := range map[string]report.Ratio{"right_first_time": got.RightFirstTime,
				"perfect_order": got.PerfectOrder, "on_time": got.OnTime,
				"in_full": got.InFull, "silent_failures": got.SilentFailures, "with_a_time_promised": got.Promised,
				"fix_promise_kept": got.FixPromiseKept,
				"cost_per_case":    got.CostPerCase} {
				numbers[name] = r.Numerator + "/" + r.Denominator
			}
			for name, amount := range got.Apart {
				numbers[name] = amount
			}
			for number, want := range with(promiseCases[i].want, nil) {
				if number == "cost_per_case" && promiseCases[i].want[number] == "" {
					continue
				}
				if numbers[number] != want {
					t.Errorf("%s (%s): %s is %s, want %s", promiseCases[i].name, name, number, numbers[number], want)
				}
			}
		}
	}
}
