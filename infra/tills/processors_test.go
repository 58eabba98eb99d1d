package tills_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

// Payment processors, carriers, help desks and outboxes: what becomes of what they say. Bodies are in the shapes of
// their APIs, with what a mapping looks at.

// said tells events in one line each: type, subject, what the data says beside order and store, time, and the id.
func said(t *testing.T, events []tills.Event) []string {
	t.Helper()
	var lines []string
	for _, e := range events {
		lines = append(lines, saidOf(t, e.JSON))
	}
	return lines
}

func saidOf(t *testing.T, event []byte) string {
	t.Helper()
	var e struct {
		ID, Type, Subject, Source, Time string
		Data                            map[string]json.RawMessage
	}
	if err := json.Unmarshal(event, &e); err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSuffix(strings.TrimPrefix(e.Type, "makegood."), ".v1") + " " + e.Subject
	for _, name := range slices.Sorted(maps.Keys(e.Data)) {
		switch name {
		case "order_id", "store_id":
		case "original":
			line += " [" + saidOf(t, e.Data[name]) + "]"
		default:
			line += fmt.Sprintf(" %s=%s", name, strings.Trim(string(e.Data[name]), `"`))
		}
	}
	return line + " at " + e.Time + " id " + e.ID
}

// loaded are the built-in mappings, each read once.
var loaded sync.Map

func builtIn(t *testing.T, name string) *tills.Mapping {
	t.Helper()
	if m, is := loaded.Load(name); is {
		return m.(*tills.Mapping)
	}
	m, err := tills.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	loaded.Store(name, m)
	return m
}

// tell maps bodies with a built-in mapping. Settings are name=value.
func tell(t *testing.T, mapping string, in tills.Input, settings ...string) tills.Result {
	t.Helper()
	m := builtIn(t, mapping)
	set := map[string]string{"store_id": "s1"}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		set[name] = value
	}
	return m.Map(context.Background(), tills.Till{Name: mapping, Settings: set}, in)
}

// given is a body and what must become of it: lines of said, or a line "refused: …" that a refusal begins with.
type given struct {
	name, body, settings, kind, headers string
	want                                []string
}

func (g given) try(t *testing.T, mapping string) {
	t.Helper()
	t.Run(g.name, func(t *testing.T) {
		in := tills.Input{Body: []byte(g.body), Kind: g.kind, Headers: map[string]string{}}
		for h := range strings.FieldsSeq(g.headers) {
			name, value, _ := strings.Cut(h, "=")
			in.Headers[name] = value
		}
		got := tell(t, mapping, in, strings.Fields(g.settings)...)
		lines := said(t, got.Events)
		for _, r := range got.Refusals {
			lines = append(lines, "refused: "+r.Reason)
		}
		if len(lines) != len(g.want) {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(g.want, "\n"))
		}
		for i := range lines {
			if lines[i] != g.want[i] && (!strings.HasPrefix(g.want[i], "refused: ") || !strings.HasPrefix(lines[i], g.want[i])) {
				t.Errorf("got\n%s\nwant\n%s", lines[i], g.want[i])
			}
		}
	})
}

// fold maps the bodies in an order of its own, some of them twice, and gives each event once, as the books take them:
// by identity. Two events of one identity that differ are a fault.
func fold(t *testing.T, mapping string, bodies []string, random *rand.Rand) map[string]string {
	t.Helper()
	bodies = slices.Concat(bodies, bodies[:1+random.IntN(len(bodies))])
	random.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	known := map[string]string{}
	for _, body := range bodies {
		got := tell(t, mapping, tills.Input{Body: []byte(body)})
		for _, r := range got.Refusals {
			t.Error(r)
		}
		for _, line := range said(t, got.Events) {
			_, id, _ := strings.Cut(line, " id ")
			if before, is := known[id]; is && before != line {
				t.Errorf("two events of one identity differ:\n%s\n%s", before, line)
			}
			known[id] = line
		}
	}
	return known
}

// folds tries bodies in 50 orders, each of which must give the same events.
func folds(t *testing.T, mapping string, bodies []string, want ...string) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	slices.Sort(want)
	for range 50 {
		got := slices.Sorted(maps.Values(fold(t, mapping, bodies, random)))
		if !slices.Equal(got, want) {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

const refund = `{"object":"refund","id":"re_1","amount":100,"charge":"ch_1","payment_intent":"pi_1",` +
	`"created":1648319949,` +
	`"currency":"usd","balance_transaction":"txn_2","metadata":{"order_id":"6735"},"status":"succeeded"}`

const issued = "refund.issued 6735 currency=USD net=1.00 refund_id=re_1 at 2022-03-26T18:39:09Z id refund/re_1"

// with replaces pieces of a text, each of which must be there.
func with(t *testing.T, text string, pieces ...string) string {
	t.Helper()
	for i := 0; i < len(pieces); i += 2 {
		if !strings.Contains(text, pieces[i]) {
			t.Fatalf("%q is not in %s", pieces[i], text)
		}
		text = strings.Replace(text, pieces[i], pieces[i+1], 1)
	}
	return text
}

func stripeEvent(name, object, before string) string {
	return `{"object":"event","id":"evt_1","type":"` + name + `","created":1648320000,"livemode":false,` +
		`"data":{"object":` + object +
		`,"previous_attributes":` + before + `}}`
}

func TestStripeRefunds(t *testing.T) {
	failed := with(t, refund, `"succeeded"`, `"failed","failure_reason":"lost_or_stolen_card"`)
	charge := `{"object":"charge","id":"ch_1","amount":100,"amount_refunded":100,"refunds":{"object":"list","data":[` +
		refund + `]}}`
	void := "event.voided 6735 [" + issued + `] reason=lost_or_stolen_card voids={"id":"refund/re_1",` +
		`"source":"//tills/stripe"}` +
		" at 2022-03-26T18:39:09Z id refund/re_1/failed"
	for _, g := range []given{
		{name: "bare", body: refund, want: []string{issued}},
		{name: "refund.created", body: stripeEvent("refund.created", refund, `null`), want: []string{issued}},
		{name: "charge.refund.updated", body: stripeEvent("charge.refund.updated", refund, `{}`), want: []string{issued}},
		{name: "charge.refunded", body: stripeEvent("charge.refunded", charge, `{"amount_refunded":0}`),
			want: []string{issued}},
		{name: "a list", body: `{"object":"list","data":[` + refund + `,` + with(t, refund, "re_1", "re_2") + `]}`,
			want: []string{issued, strings.ReplaceAll(issued, "re_1", "re_2")}},
		{name: "a list of events", body: `{"object":"list","data":[` + stripeEvent("refund.created", refund, `null`) + `]}`,
			want: []string{issued}},
		{name: "by the name of the kind", kind: "refund.updated", body: refund, want: []string{issued}},
		{name: "a charge under the name of a refund", kind: "refund.updated", body: charge, want: []string{issued}},
		{name: "pending", body: with(t, refund, `"succeeded"`, `"pending"`)},
		{name: "a status that isn't said", body: with(t, refund, `"succeeded"`, `null`),
			want: []string{"refused: a refund of status null"}},
		{name: "without an amount", body: with(t, refund, `"amount":100,`, ``), want: []string{"refused: amount is missing"}},
		{name: "yen", body: with(t, refund, `100`, `1500`, `usd`, `jpy`), want: []string{with(t, issued, "1.00", "1500",
			"USD", "JPY")}},
		{name: "dinars", body: with(t, refund, `100`, `1500`, `usd`, `kwd`), want: []string{with(t, issued, "1.00",
			"1.500", "USD", "KWD")}},
		{name: "krónur are hundredths at Stripe", body: with(t, refund, `100`, `1500`, `usd`, `isk`),
			want: []string{with(t, issued, "1.00", "15.00", "USD", "ISK")}},
		{name: "failed", body: failed, want: []string{void}},
		{name: "failed before it moved", body: stripeEvent("refund.updated", failed, `{"status":"pending"}`)},
		{name: "a case of the shop's", body: with(t, refund, `"6735"`, `"6735","error_id":"e7"`),
			want: []string{with(t, issued, " net", " error_id=e7 net")}},
		{name: "the order's id in the charge", settings: "order_in=payment", body: with(t, charge,
			`{"order_id":"6735"}`, `{}`, `"id":"ch_1",`,
			`"id":"ch_1","metadata":{"order_id":6735},`), want: []string{issued}},
		{name: "no order's id", body: with(t, refund, `{"order_id":"6735"}`, `{}`), want: []string{with(t, issued, "6735",
			"ch_1")}},
		{name: "no order's id, refused", settings: "without_order=refuse", body: with(t, refund, `{"order_id":"6735"}`, `{}`),
			want: []string{"refused: refund re_1 has no order's id at metadata.order_id"}},
		{name: "an order's id in a text", settings: `order_path=description order_pattern=#(\d+)`,
			body: with(t, refund, `{"order_id":"6735"}`, `{},"description":"Shop, order #6735."`), want: []string{issued}},
		{name: "the order's id in the charge, which isn't looked at", body: with(t, charge, `{"order_id":"6735"}`, `{}`,
			`"id":"ch_1",`, `"id":"ch_1","metadata":{"order_id":"o77"},`), want: []string{with(t, issued, "6735", "ch_1")}},
		{name: "only names the charge, which may have the order's id", settings: "order_in=payment",
			body: with(t, refund, `{"order_id":"6735"}`, `{}`), want: []string{"refused: refund re_1 only names its charge"}},
		{name: "only names the payment intent", settings: "order_in=payment", body: with(t, charge, `{"order_id":"6735"}`,
			`{}`), want: []string{"refused: refund re_1 only names its payment intent"}},
		{name: "the order's id in the payment intent", settings: "order_in=payment", body: with(t, refund,
			`{"order_id":"6735"}`, `{}`, `"charge":"ch_1","payment_intent":"pi_1"`,
			`"charge":{"id":"ch_1","payment_intent":"pi_1"},`+
				`"payment_intent":{"id":"pi_1","metadata":{"order_id":"6735"}}`), want: []string{issued}},
		{name: "a list that is cut off", body: with(t, charge, `"amount_refunded":100`, `"amount_refunded":4500`),
			want: []string{"refused: charge ch_1 says that 4500 is refunded and lists refunds of 100"}},
		{name: "a list that is cut off, which others tell", settings: "charge_without_refunds=skip", body: with(t, charge,
			`"amount_refunded":100`, `"amount_refunded":4500`), want: []string{issued}},
		{name: "a payment intent whose charge hides its refunds", body: `{"object":"payment_intent","id":"pi_1",` +
			`"latest_charge":` + with(t, charge, refund, ``) + `}`, want: []string{"refused: charge ch_1 says that 100 is"}},
		{name: "another till tells the refunds", settings: "refunds=no", body: refund},
		{name: "a charge that hides its refunds", body: with(t, charge, refund, ``),
			want: []string{"refused: charge ch_1 says that 100 is refunded and doesn't list its refunds"}},
		{name: "a charge that hides its refunds, which others tell", settings: "charge_without_refunds=skip",
			body: with(t, charge, refund, ``)},
		{name: "test mode", settings: "test_mode=nothing", body: stripeEvent("refund.created", refund, `null`)},
		{name: "thin", body: `{"object":"v2.core.event","id":"evt_1","type":"v1.refund.created",` +
			`"related_object":{"id":"re_1",` +
			`"type":"refund","url":"/v1/refunds/re_1"}}`, want: []string{"refused: a thin event"}},
		{name: "a customer", body: stripeEvent("customer.created", `{"object":"customer","id":"cus_1"}`, `null`)},
		{name: "an event of refunds that isn't known",
			body: `{"object":"event","type":"refund.reversed","data":{"object":{"object":"refund_reversal"}}}`,
			want: []string{`refused: refund.reversed of "refund_reversal" isn't known here: it may move money`}},
		{name: "an event of a payout", body: `{"object":"event","type":"payout.paid","data":{"object":{"object":"payout"}}}`},
		{name: "nothing of Stripe's", body: `{"id":1}`, want: []string{"refused: no kind of the mapping fits this body"}},
	} {
		g.try(t, "stripe")
	}
	t.Run("all that tell one refund are one", func(t *testing.T) {
		folds(t, "stripe", []string{refund, stripeEvent("refund.created", refund, `null`),
			stripeEvent("refund.updated", refund, `{"metadata":{}}`), stripeEvent("charge.refunded", charge, `{}`),
			stripeEvent("charge.refund.updated", refund, `{}`)}, issued)
	})
	t.Run("the order of the charge doesn't get into it by one route", func(t *testing.T) {
		bare := with(t, refund, `{"order_id":"6735"}`, `{}`)
		folds(t, "stripe", []string{bare, stripeEvent("refund.created", bare, `null`), stripeEvent("charge.refunded", with(t,
			charge, refund, bare, `"id":"ch_1",`, `"id":"ch_1","metadata":{"order_id":"o77"},`), `{}`)},
			with(t, issued, "6735", "ch_1"))
	})
	t.Run("one that fails later is taken back", func(t *testing.T) {
		folds(t, "stripe", []string{stripeEvent("refund.created", refund, `null`), stripeEvent("charge.refunded", charge,
			`{}`),
			stripeEvent("refund.failed", failed, `{"status":"succeeded"}`),
			stripeEvent("charge.refund.updated", failed, `{"status":"succeeded"}`)}, issued, void)
	})
}

const (
	withdrawn = `{"object":"balance_transaction","id":"txn_1","amount":-25000,"created":1516145022,` +
		`"currency":"usd","fee":1500,` +
		`"net":-26500,"type":"adjustment"}`
	reinstated = `{"object":"balance_transaction","id":"txn_2","amount":25000,"created":1516745022,` +
		`"currency":"usd","fee":-1500,` +
		`"net":26500,"type":"adjustment"}`
	dispute = `{"object":"dispute","id":"dp_1","amount":25000,"charge":"ch_1","created":1516145022,"currency":"usd",` +
		`"metadata":{},"reason":"fraudulent","status":"needs_response","balance_transactions":[` + withdrawn + `]}`
	opened = "dispute.opened ch_1 amount=250.00 currency=USD dispute_id=dp_1 fee=15.00 at 2018-01-16T23:23:42Z id " +
		"dispute/dp_1/opened"
	won = "dispute.won ch_1 amount=250.00 currency=USD dispute_id=dp_1 fee_returned=15.00 at " +
		"2018-01-23T22:03:42Z id dispute/dp_1/reinstated"
	lost = "dispute.lost ch_1 amount=250.00 currency=USD dispute_id=dp_1 at 2018-01-16T23:23:42Z id dispute/dp_1/lost"
)

func TestStripeDisputes(t *testing.T) {
	none := with(t, dispute, withdrawn, "")
	inquiry := with(t, none, "needs_response", "warning_needs_response")
	over := with(t, dispute, withdrawn, withdrawn+","+reinstated, "needs_response", "won")
	for _, g := range []given{
		{name: "an inquiry", body: inquiry},
		{name: "an inquiry that is over", body: with(t, inquiry, "warning_needs_response", "warning_closed")},
		{name: "an inquiry, under the name of a reinstatement", kind: "charge.dispute.funds_reinstated", body: inquiry},
		{name: "opened, nothing withdrawn yet", body: stripeEvent("charge.dispute.created", none, `null`)},
		{name: "withdrawn", body: stripeEvent("charge.dispute.funds_withdrawn", dispute, `null`), want: []string{opened}},
		{name: "reinstated", body: stripeEvent("charge.dispute.funds_reinstated", over, `null`), want: []string{opened, won}},
		{name: "reinstated without the fee", body: with(t, over, `"fee":-1500`, `"fee":0`),
			want: []string{opened, with(t, won, " fee_returned=15.00", "")}},
		{name: "reinstated, and what came back is not listed", body: stripeEvent("charge.dispute.funds_reinstated",
			dispute, `null`), want: []string{"refused: dispute dp_1 came back, and balance_transactions"}},
		{name: "reinstated, nothing listed", body: stripeEvent("charge.dispute.funds_reinstated", none, `null`),
			want: []string{"refused: dispute dp_1 came back, and balance_transactions"}},
		{name: "withdrawn, nothing listed", body: stripeEvent("charge.dispute.funds_withdrawn", none, `null`),
			want: []string{"refused: dispute dp_1 was withdrawn, and balance_transactions"}},
		{name: "withdrawn, without a list", body: stripeEvent("charge.dispute.funds_withdrawn", with(t, none,
			`"balance_transactions":[]`, `"balance_transaction":"txn_1"`), `null`),
			want: []string{"refused: dispute dp_1 was withdrawn, and balance_transactions"}},
		{name: "withdrawn, by an id", body: with(t, dispute, withdrawn, `"txn_1"`),
			want: []string{"refused: dispute dp_1 lists its moves by their ids"}},
		{name: "lost, nothing listed", body: with(t, none, "needs_response", "lost"),
			want: []string{"refused: dispute dp_1 is lost, and balance_transactions"}},
		{name: "closed as won, nothing was withdrawn", body: with(t, none, "needs_response", "won")},
		{name: "closed as won, what comes back tells it", body: with(t, dispute, "needs_response", "won"),
			want: []string{opened}},
		{name: "a part came back", body: with(t, over, `"amount":25000,"created":1516745022`,
			`"amount":15000,"created":1516745022`), want: []string{opened, with(t, won, "250.00", "150.00"),
			"dispute.lost ch_1 amount=100.00 currency=USD dispute_id=dp_1/rest at 2018-01-23T22:03:42Z id dispute/dp_1/rest"}},
		{name: "more came back, at another rate", body: with(t, over, `"amount":25000,"created":1516745022`,
			`"amount":25040,"created":1516745022`), want: []string{opened, with(t, won, "250.00", "250.40"),
			"order.charged ch_1 amount=0.40 charge_id=dp_1/rest credit=true currency=USD kind=other at " +
				"2018-01-23T22:03:42Z id dispute/dp_1/rest"}},
		{name: "it came back in two parts", body: with(t, over, reinstated, reinstated+","+with(t, reinstated, "txn_2",
			"txn_3")), want: []string{"refused: dispute dp_1: txn_3 gives back what is no one withdrawal before it"}},
		{name: "lost", body: stripeEvent("charge.dispute.closed", with(t, dispute, "needs_response", "lost"), `null`),
			want: []string{opened, lost}},
		{name: "lost after it was won", body: with(t, over, `"won"`, `"lost"`, reinstated,
			reinstated+","+with(t, withdrawn, "txn_1", "txn_3", "1516145022", "1517000000")),
			want: []string{opened, won, strings.ReplaceAll(with(t, opened, "2018-01-16T23:23:42Z", "2018-01-26T20:53:20Z"),
				"dp_1", "dp_1/2"), strings.ReplaceAll(with(t, lost, "2018-01-16T23:23:42Z", "2018-01-26T20:53:20Z"),
				"dp_1", "dp_1/2")}},
		{name: "settled in another currency than the payment's", body: with(t, dispute, `"currency":"usd"`,
			`"currency":"eur"`),
			want: []string{opened}},
		{name: "of a time when a payment had one dispute and that no id",
			body: `{"object":"dispute","amount":1000,"charge":"ch_1","created":1516145022,"currency":"usd","status":"won"}`,
			want: []string{"dispute.won ch_1 amount=10.00 currency=USD dispute_id=ch_1 at 2018-01-16T23:23:42Z id " +
				"dispute/ch_1/won"}},
		{name: "of an order", settings: "order_in=payment", body: with(t, dispute, `"charge":"ch_1"`,
			`"charge":{"object":"charge","id":"ch_1",`+
				`"metadata":{"order_id":"o1"}}`),
			want: []string{with(t, opened, "ch_1", "o1")}},
	} {
		g.try(t, "stripe")
	}
	t.Run("in any order", func(t *testing.T) {
		folds(t, "stripe", []string{inquiry, stripeEvent("charge.dispute.created", none, `null`), dispute,
			stripeEvent("charge.dispute.funds_withdrawn", dispute, `null`), stripeEvent("charge.dispute.closed", over, `{}`),
			stripeEvent("charge.dispute.funds_reinstated", over, `{}`), over}, opened, won)
	})
}

func TestStripeFees(t *testing.T) {
	transaction := `{"object":"balance_transaction","id":"txn_9","amount":2000,"fee":88,"currency":"usd",` +
		`"created":1648320032,` +
		`"type":"charge","source":"ch_1"}`
	charged := "order.charged ch_1 amount=0.88 charge_id=txn_9 currency=USD kind=payment_fee at " +
		"2022-03-26T18:40:32Z id fee/txn_9"
	for _, g := range []given{
		{name: "of a charge", body: `{"object":"charge","id":"ch_1","status":"succeeded","balance_transaction":` +
			transaction + `}`,
			want: []string{charged}},
		{name: "of a payment intent", settings: "order_in=payment", body: `{"object":"payment_intent","id":"pi_1",` +
			`"metadata":{"order_id":"o1"},` +
			`"latest_charge":` +
			`{"object":"charge","id":"ch_1","balance_transaction":` + transaction + `}}`, want: []string{with(t, charged,
			"ch_1", "o1")}},
		{name: "by itself", body: transaction, want: []string{"refused: the fee of txn_9 belongs to ch_1: expand source"}},
		{name: "by itself, with its charge", body: with(t, transaction, `"ch_1"`, `{"object":"charge","id":"ch_1",`+
			`"metadata":{"order_id":"o77"}}`), want: []string{with(t, charged, "ch_1", "o77")}},
		{name: "not said", body: `{"object":"charge","id":"ch_1","status":"succeeded","balance_transaction":"txn_9"}`},
		{name: "of a refund whose order can't be known", body: with(t, transaction, `"charge"`, `"refund"`, `"ch_1"`,
			`"re_1"`),
			want: []string{"refused: the fee of txn_9 belongs to re_1"}},
		{name: "given back with a refund", body: with(t, transaction, `"charge"`, `"refund"`, `"ch_1"`, refund, `88`, `-88`),
			want: []string{with(t, charged, "ch_1", "6735", "charge_id=txn_9", "charge_id=txn_9 credit=true",
				"credit=true currency=USD",
				"credit=true currency=USD")}},
		{name: "of a payout", body: with(t, transaction, `"charge"`, `"payout"`)},
	} {
		g.try(t, "stripe")
	}
}
