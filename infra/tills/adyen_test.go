package tills_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/tills"
)

const item = `{"NotificationRequestItem":{"additionalData":{},"amount":{"currency":"EUR","value":1000},` +
	`"eventCode":"REFUND",` +
	`"eventDate":"2021-01-01T01:00:00+01:00","merchantAccountCode":"M","merchantReference":"o1",` +
	`"originalReference":"9913140798220028","paymentMethod":"mc","pspReference":"QFQTPCQ8HXSKGK82","reason":"",` +
	`"success":"true"}}`

func notification(items ...string) string {
	return `{"live":"false","notificationItems":[` + strings.Join(items, ",") + `]}`
}

const adyenRefund = "refund.issued o1 currency=EUR net=10.00 refund_id=QFQTPCQ8HXSKGK82 at " +
	"2021-01-01T01:00:00+01:00 id REFUND/QFQTPCQ8HXSKGK82"

func TestAdyen(t *testing.T) {
	const ofDispute = " o1 amount=10.00 currency=EUR dispute_id=QFQTPCQ8HXSKGK82"
	held := func(code, what string) given {
		return given{name: code, body: notification(with(t, item, `"REFUND"`, `"`+code+`"`)), want: []string{what +
			ofDispute + " at 2021-01-01T01:00:00+01:00 id " + code + "/QFQTPCQ8HXSKGK82"}}
	}
	decided := func(code, more, what string) given {
		return given{name: code + more, body: notification(with(t, item, `"REFUND"`, `"`+code+`"`, `"additionalData":{}`,
			`"additionalData":`+more)), want: []string{
			"dispute.won" + ofDispute + " at 2021-01-01T01:00:00+01:00 id " + code + "/QFQTPCQ8HXSKGK82/held",
			what + ofDispute + "/2 at 2021-01-01T01:00:00+01:00 id " + code + "/QFQTPCQ8HXSKGK82"}}
	}
	void := "event.voided o1 [" + adyenRefund + `] reason=Refund Failed voids={"id":"REFUND/QFQTPCQ8HXSKGK82",` +
		`"source":"//tills/adyen"}` +
		" at 2021-01-01T01:00:00+01:00 id REFUND_FAILED/QFQTPCQ8HXSKGK82"
	all := []given{
		{name: "refund", body: notification(item), want: []string{adyenRefund}},
		{name: "an item by itself", body: item, want: []string{adyenRefund}},
		{name: "what is in an item", body: strings.TrimSuffix(strings.TrimPrefix(item, `{"NotificationRequestItem":`), "}"),
			want: []string{adyenRefund}},
		{name: "true is no text", body: notification(with(t, item, `"true"`, `true`)), want: []string{adyenRefund}},
		{name: "nothing came of it", body: notification(with(t, item, `"true"`, `"false"`))},
		{name: "nothing came of it, and false is no text", body: notification(with(t, item, `"true"`, `false`))},
		{name: "nobody says what came of it", body: notification(with(t, item, `"true"`, `null`)),
			want: []string{"refused: success is neither true nor false"}},
		{name: "two", body: notification(item, with(t, item, "QFQTPCQ8HXSKGK82", "Q2")),
			want: []string{adyenRefund, strings.ReplaceAll(adyenRefund, "QFQTPCQ8HXSKGK82", "Q2")}},
		{name: "one of two is refused", body: notification(item, with(t, item, `"amount":{"currency":"EUR",`+
			`"value":1000},`, ``)),
			want: []string{adyenRefund, "refused: amount.currency is missing"}},
		{name: "without a value", body: notification(with(t, item, `,"value":1000`, ``)),
			want: []string{"refused: amount.value is missing"}},
		{name: "without reference", body: notification(with(t, item, `"REFUND"`, `"REFUND_WITH_DATA"`)),
			want: []string{adyenRefund}},
		{name: "failed", body: notification(with(t, item, `"REFUND"`, `"REFUND_FAILED"`, `"reason":""`,
			`"reason":"Refund Failed"`)),
			want: []string{void}},
		{name: "failed, and nobody says why", body: notification(with(t, item, `"REFUND"`, `"REFUND_FAILED"`)),
			want: []string{strings.Replace(void, "Refund Failed", "REFUND_FAILED", 1)}},
		{name: "cancelled", body: notification(with(t, item, `"REFUND"`, `"CANCEL_OR_REFUND"`, `"additionalData":{}`,
			`"additionalData":{"modification.action":"cancel"}`))},
		{name: "cancelled or refunded", body: notification(with(t, item, `"REFUND"`, `"CANCEL_OR_REFUND"`,
			`"additionalData":{}`,
			`"additionalData":{"modification.action":"refund"}`)), want: []string{adyenRefund}},
		{name: "nobody says which", body: notification(with(t, item, `"REFUND"`, `"CANCEL_OR_REFUND"`)),
			want: []string{`refused: additionalData["modification.action"] is null`}},
		held("CHARGEBACK", "dispute.opened"), held("DISPUTE_OPENED_WITH_CHARGEBACK", "dispute.opened"),
		held("CHARGEBACK_REVERSED", "dispute.won"),
		decided("SECOND_CHARGEBACK", "{}", "dispute.lost"), decided("PREARBITRATION_WON", "{}", "dispute.won"),
		decided("PREARBITRATION_LOST", "{}", "dispute.lost"), decided("SCHEME_ARBITRATION_WON", "{}", "dispute.won"),
		decided("SCHEME_ARBITRATION_LOST", "{}", "dispute.lost"),
		decided("ISSUER_RESPONSE_TIMEFRAME_EXPIRED", "{}", "dispute.won"),
		decided("PREARBITRATION_ACCEPTED", `{"disputeStatus":"Lost"}`, "dispute.lost"),
		decided("PREARBITRATION_ISSUER_WITHDRAWN", `{"disputeStatus":"Won"}`, "dispute.won"),
		decided("DISPUTE_DEFENSE_PERIOD_ENDED", "{}", "dispute.lost"), // Brazil
		{name: "of a dispute that isn't named", body: notification(with(t, item, `"REFUND"`, `"CHARGEBACK_REVERSED"`,
			`"originalReference":"9913140798220028",`, ``)), want: []string{"refused: originalReference is missing"}},
		{name: "lost, of a dispute that isn't named", body: notification(with(t, item, `"REFUND"`, `"SECOND_CHARGEBACK"`,
			`"9913140798220028"`, `""`)), want: []string{"refused: originalReference is missing"}},
		{name: "not defended, and won", body: notification(with(t, item, `"REFUND"`, `"DISPUTE_DEFENSE_PERIOD_ENDED"`,
			`"additionalData":{}`, `"additionalData":{"disputeStatus":"Won"}`)),
			want: []string{`refused: additionalData.disputeStatus is "Won", though`}},
		{name: "no order's id", body: notification(with(t, item, `"o1"`, `""`)),
			want: []string{with(t, adyenRefund, "o1", "9913140798220028")}},
		{name: "no order's id, refused", settings: "without_order=refuse", body: notification(with(t, item,
			`"merchantReference":"o1",`, ``)),
			want: []string{"refused: REFUND QFQTPCQ8HXSKGK82 has no order's id at merchantReference"}},
		{name: "a reference with more than the order's id", settings: `order_pattern=^payment-(o\d+)-refund$`,
			body: notification(with(t, item, `"o1"`, `"payment-o1-refund"`)), want: []string{adyenRefund}},
		{name: "another till tells the refunds", settings: "refunds=no", body: notification(item)},
		{name: "test environment", settings: "test_mode=nothing", body: notification(item)},
		{name: "of a terminal", body: `{"SaleToPOIRequest":{"EventNotification":{"EventToNotify":"Shutdown"}}}`},
		{name: "no standard notification", body: `{"type":"ach.notificationOfChange","environment":"test","data":{}}`},
		{name: "nothing of Adyen's", body: `{"id":1}`, want: []string{"refused: no kind of the mapping fits this body"}},
	}
	for _, code := range []string{"AUTHORISATION", "CAPTURE", "CAPTURE_FAILED", "CANCELLATION", "TECHNICAL_CANCEL",
		"NOTIFICATION_OF_CHARGEBACK", "REQUEST_FOR_INFORMATION", "INFORMATION_SUPPLIED", "PREARBITRATION_OPEN",
		"PREARBITRATION_ACCEPTED", "PREARBITRATION_DECLINED", "SCHEME_ARBITRATION", "POSTPONED_REFUND",
		"VOID_PENDING_REFUND", "REPORT_AVAILABLE"} {
		all = append(all, given{name: code, body: notification(with(t, item, `"REFUND"`, `"`+code+`"`))})
	}
	for currency, amount := range map[string]string{"JPY": "1500", "KWD": "1.500", "CLP": "15.00", "CVE": "1500",
		"IDR": "1500",
		"ISK": "15.00", "EUR": "15.00"} {
		all = append(all, given{name: "1500 units of " + currency, body: notification(with(t, item, `"EUR"`, `"`+currency+`"`,
			"1000", "1500")), want: []string{with(t, adyenRefund, "EUR", currency, "10.00", amount)}})
	}
	for _, status := range []string{"Lost", "Expired", "Accepted", "Undefended"} {
		all = append(all, decided("DISPUTE_DEFENSE_PERIOD_ENDED", `{"disputeStatus":"`+status+`"}`, "dispute.lost"))
	}
	for _, g := range all {
		g.try(t, "adyen")
	}
}

// TestAdyenDisputes settles what a dispute at Adyen goes through, told in 20 orders: what it costs in the end, and that
// nothing is held any more.
func TestAdyenDisputes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	for codes, want := range map[string]string{
		"CHARGEBACK":                                                                    "0.0000 and 10.0000 held",
		"CHARGEBACK CHARGEBACK_REVERSED":                                                "0.0000 and 0.0000 held",
		"CHARGEBACK SECOND_CHARGEBACK":                                                  "10.0000 and 0.0000 held",
		"SECOND_CHARGEBACK":                                                             "10.0000 and 0.0000 held",
		"CHARGEBACK DISPUTE_DEFENSE_PERIOD_ENDED":                                       "10.0000 and 0.0000 held",
		"DISPUTE_DEFENSE_PERIOD_ENDED CHARGEBACK":                                       "10.0000 and 0.0000 held",
		"CHARGEBACK PREARBITRATION_WON CHARGEBACK_REVERSED":                             "0.0000 and 0.0000 held",
		"CHARGEBACK CHARGEBACK_REVERSED PREARBITRATION_LOST":                            "10.0000 and 0.0000 held",
		"CHARGEBACK CHARGEBACK_REVERSED SECOND_CHARGEBACK":                              "10.0000 and 0.0000 held",
		"CHARGEBACK DISPUTE_OPENED_WITH_CHARGEBACK":                                     "0.0000 and 10.0000 held",
		"CHARGEBACK SCHEME_ARBITRATION_WON":                                             "0.0000 and 0.0000 held",
		"CHARGEBACK_REVERSED CHARGEBACK":                                                "0.0000 and 0.0000 held",
		"CHARGEBACK ISSUER_RESPONSE_TIMEFRAME_EXPIRED":                                  "0.0000 and 0.0000 held",
		"CHARGEBACK CHARGEBACK_REVERSED SECOND_CHARGEBACK PREARBITRATION_WON":           "0.0000 and 0.0000 held",
		"CHARGEBACK CHARGEBACK_REVERSED PREARBITRATION_LOST SECOND_CHARGEBACK":          "10.0000 and 0.0000 held",
		"CHARGEBACK CHARGEBACK_REVERSED DISPUTE_DEFENSE_PERIOD_ENDED SECOND_CHARGEBACK": "10.0000 and 0.0000 held",
		"CHARGEBACK CHARGEBACK_REVERSED PREARBITRATION_LOST SCHEME_ARBITRATION_WON":     "0.0000 and 0.0000 held",
	} {
		var bodies []string
		for i, code := range strings.Fields(codes) {
			bodies = append(bodies, notification(with(t, item, `"REFUND"`, `"`+code+`"`, "2021-01-01", fmt.Sprintf("2021-0%d-01",
				i+1))))
		}
		for range 20 {
			random.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
			var said []domain.Recorded
			for _, body := range bodies {
				said = record(t, said, tell(t, "adyen", tills.Input{Body: []byte(body)}).Events)
			}
			cost, _, flags := booked(t, said)
			if got := cost.String() + " and " + held(t, said).String() + " held"; got != want || flags != 0 {
				t.Errorf("%s: %s, %d flags; not %s", codes, got, flags, want)
			}
		}
	}
}

// held is what disputes hold in the books.
func held(t *testing.T, said []domain.Recorded) (sum domain.Amount) {
	t.Helper()
	settled, err := domain.NewTerms(time.UTC).Settle(said)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range settled.Events {
		for _, l := range e.Lines {
			if l.Account == domain.DisputeReceivable {
				sum += l.Amount
			}
		}
	}
	return sum
}
