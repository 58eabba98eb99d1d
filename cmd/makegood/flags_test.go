package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// fixOf is one event of a fix, at a minute of its own.
func fixOf(minute int, kind, data string) told {
	return told{kind: kind, at: fmt.Sprintf("2026-01-15T09:%02d:00Z", minute), data: onCase + data}
}

// flaggedCases are what can't be right, by the code and amount that say so; "" is what is next to it.
var flaggedCases = []struct {
	want   string
	events []told
}{
	{"", []told{sold, fixOf(1, "refund.issued", `,"refund_id":"r","net":"100","tax":"8"`)}},
	{"over_refunded 22.0000 USD", []told{sold, fixOf(1, "refund.issued", `,"refund_id":"r","net":"60"`),
		fixOf(2, "refund.issued", `,"refund_id":"s","net":"70"`)}},
	{"over_refunded 9000.0000 JPY", []told{sold, {kind: "refund.issued", at: "2026-01-15T09:00:00Z",
		data: `"order_id":"$o","store_id":"s1","error_id":"$e","currency":"JPY","refund_id":"r","net":"9000"`}}},
	{"part_unknown", []told{sold, {kind: "order.cancelled", at: "2026-01-11T09:00:00Z",
		data: onOrder + `,"by":"business","net":"40"`}}},
	{"returned_too_much", []told{sold, cameBack("M", "60", "sold", "saleable", ""),
		cameBack("M", "60", "sold", "scrap", "")}},
	{"removed_too_much", []told{sold, {kind: "order.changed", at: "2026-01-11T09:00:00Z",
		data: onOrder + `,"by":"business","lines_removed":[{"sku":"M","quantity":2}]`}}},
	{"redeemed_too_much 2.0000 USD", []told{granted("store_credit", "10"),
		fixOf(1, "voucher.redeemed", `,"concession_id":"$e-c","redemption_id":"1","amount":"6"`),
		fixOf(2, "voucher.redeemed", `,"concession_id":"$e-c","redemption_id":"2","amount":"6"`)}},
	{"settled_above_filed 15.0000 USD", []told{fixOf(1, "claim.filed", `,"claim_id":"k","party":"supplier","amount":"30"`),
		fixOf(2, "claim.settled", `,"claim_id":"k","party":"supplier","amount":"45"`)}},
	{"settled_above_accepted 5.0000 USD", []told{fixOf(1, "claim.accepted",
		`,"claim_id":"k","party":"supplier","amount":"40"`),
		fixOf(2, "claim.settled", `,"claim_id":"k","party":"supplier","amount":"45"`)}},
	{"", []told{fixOf(1, "claim.filed", `,"claim_id":"k","party":"supplier","amount":"45"`),
		fixOf(2, "claim.settled", `,"claim_id":"k","party":"supplier","amount":"45"`)}},
	{"case_under_two_orders", []told{fixOf(1, "refund.issued", `,"refund_id":"r","net":"6"`),
		{kind: "refund.issued", at: "2026-01-15T09:05:00Z", data: strings.Replace(onCase, "$o", "$ob", 1) +
			`,"refund_id":"s","net":"7"`}}},
	{"paid_by_hand 21.0000 USD", []told{sold,
		fixOf(1, "refund.issued", `,"refund_id":"r","net":"20","tax":"1","method":"manual"`)}},
	{"other_currency", []told{sold, {kind: "order.changed", at: "2026-01-11T09:00:00Z",
		data: strings.Replace(onOrder, "USD", "EUR", 1) + `,"by":"business","lines_removed":[{"sku":"M","quantity":1}]`}}},
}

// TestFlagsEverywhere: each thing that can't be right is listed by its code, amount and event, in flags and by
// reconcile, counted in status and metrics, and told by the commands: sent in several orders of arrival, and with a
// close in its midst.
func TestFlagsEverywhere(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 6))
	_, c := startTestApp(t, t.TempDir())
	const arrivals = 3
	var halves [2][]string // before the close, and after it
	var want []string
	for i, of := range flaggedCases {
		for n := range arrivals {
			order := fmt.Sprintf("f%d-%d", i, n)
			var events []string
			for k, e := range of.events {
				text := e.on(order, k)
				if strings.Contains(text, order+"b") { // of the other order
					text = strings.Replace(text, `"subject":"`+order+`"`, `"subject":"`+order+`b"`, 1)
				}
				events = append(events, text)
			}
			random.Shuffle(len(events), func(a, b int) { events[a], events[b] = events[b], events[a] })
			split := []int{0, len(events), random.IntN(len(events))}[n]
			halves[0], halves[1] = append(halves[0], events[:split]...), append(halves[1], events[split:]...)
			if of.want != "" {
				want = append(want, order+" "+of.want)
			}
		}
	}
	for n, half := range halves {
		if status, text := postBody(t, c, "application/cloudevents-batch+json", "["+strings.Join(half, ",")+"]"); status !=
			http.StatusAccepted {
			t.Fatalf("%d %s", status, text)
		}
		if n == 0 {
			say(t, c, "", "close", "2026-01", "--yes", "--actor", "ann", "--reason", "month end")
		}
	}
	s, err := c.caughtUp(t.Context())
	if err != nil || s.DeadLetters != 0 || s.Flagged != uint64(len(want)) {
		t.Errorf("status says %d flags and %d dead letters, not %d and 0 (%v)", s.Flagged, s.DeadLetters, len(want), err)
	}
	var listed struct{ Flags []report.Flagged }
	if err := c.get(t.Context(), "/v1/flags", nil, &listed); err != nil {
		t.Fatal(err)
	}
	var found audit.Reconciliation
	if err := c.post(t.Context(), "/v1/reconcile", "", nil, &found); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	for where, flags := range map[string][]report.Flagged{"/v1/flags": listed.Flags, "reconcile": found.Flags} {
		if got := inLines(flags); !slices.Equal(got, want) {
			t.Errorf("%s lists\n%s\nnot\n%s", where, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	sample := regexp.MustCompile(`(?m)^makegood_flagged (\d+)$`).FindStringSubmatch(answered(t, c, "/metrics", nil))
	if len(sample) != 2 || sample[1] != fmt.Sprint(len(want)) {
		t.Errorf("metrics say %q, not %d", sample, len(want))
	}
	flags, reconciled := say(t, c, "", "flags"), say(t, c, "", "reconcile")
	for _, code := range domain.FlagCodes() {
		if !strings.Contains(flags, code.Means) || !strings.Contains(reconciled, code.Means) {
			t.Errorf("the commands don't tell of %s", code.Code)
		}
	}
	flagsInStory(t, c)
}

// inLines says of flags what the cases want, sorted; each has the event that can't be right.
func inLines(flags []report.Flagged) []string {
	var all []string
	for _, f := range flags {
		text := strings.TrimSuffix(f.OrderID, "b") + " " + f.Code
		if f.Amount != "0.0000" {
			text += " " + f.Amount + " " + f.Currency
		}
		if f.Source != "urn:till:1" || !strings.HasPrefix(f.ID, strings.TrimSuffix(f.OrderID, "b")+"-") {
			text += ", of the event " + f.Source + " " + f.ID
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

// flagsInStory: the story of an order that can't be right says so of the event.
func flagsInStory(t *testing.T, c *client) {
	t.Helper()
	var story report.Story
	if err := c.get(t.Context(), "/v1/orders/"+url.PathEscape("f2-1"), nil, &story); err != nil {
		t.Fatal(err)
	}
	for _, e := range story.Events {
		for _, f := range e.Flags {
			if f.Code == "over_refunded" && f.Amount == "9000.0000" && f.Currency == "JPY" {
				return
			}
		}
	}
	t.Errorf("the story doesn't tell of what can't be right: %+v", story.Events)
}
