package tills_test

import (
	"slices"
	"strings"
	"testing"
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
	disputed := func(code, what string) given {
		return given{name: code, body: notification(with(t, item, `"REFUND"`, `"`+code+`"`)), want: []string{what +
			" o1 amount=10.00 currency=EUR dispute_id=QFQTPCQ8HXSKGK82 at 2021-01-01T01:00:00+01:00 id " + code +
			"/QFQTPCQ8HXSKGK82"}}
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
		{name: "failed", body: notification(with(t, item, `"REFUND"`, `"REFUND_FAILED"`, `"reason":""`,
			`"reason":"Refund Failed"`)),
			want: []string{void}},
		{name: "cancelled", body: notification(with(t, item, `"REFUND"`, `"CANCEL_OR_REFUND"`, `"additionalData":{}`,
			`"additionalData":{"modification.action":"cancel"}`))},
		{name: "cancelled or refunded", body: notification(with(t, item, `"REFUND"`, `"CANCEL_OR_REFUND"`,
			`"additionalData":{}`,
			`"additionalData":{"modification.action":"refund"}`)), want: []string{with(t, adyenRefund, "REFUND/",
			"CANCEL_OR_REFUND/")}},
		{name: "nobody says which", body: notification(with(t, item, `"REFUND"`, `"CANCEL_OR_REFUND"`)),
			want: []string{`refused: additionalData["modification.action"] is null`}},
		disputed("CHARGEBACK", "dispute.opened"), disputed("CHARGEBACK_REVERSED", "dispute.won"),
		disputed("SECOND_CHARGEBACK", "dispute.lost"), disputed("PREARBITRATION_WON", "dispute.won"),
		disputed("PREARBITRATION_LOST", "dispute.lost"),
		{name: "lost by not defending", body: notification(with(t, item, `"REFUND"`, `"DISPUTE_DEFENSE_PERIOD_ENDED"`,
			`"additionalData":{}`, `"additionalData":{"disputeStatus":"Lost"}`)), want: []string{
			"dispute.lost o1 amount=10.00 currency=EUR dispute_id=QFQTPCQ8HXSKGK82 at 2021-01-01T01:00:00+01:00" +
				" id DISPUTE_DEFENSE_PERIOD_ENDED/QFQTPCQ8HXSKGK82"}},
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
		"ISSUER_RESPONSE_TIMEFRAME_EXPIRED", "POSTPONED_REFUND", "VOID_PENDING_REFUND", "REPORT_AVAILABLE"} {
		all = append(all, given{name: code, body: notification(with(t, item, `"REFUND"`, `"`+code+`"`))})
	}
	for currency, amount := range map[string]string{"JPY": "1500", "KWD": "1.500", "CLP": "15.00", "CVE": "1500",
		"IDR": "1500",
		"ISK": "15.00", "EUR": "15.00"} {
		all = append(all, given{name: "1500 units of " + currency, body: notification(with(t, item, `"EUR"`, `"`+currency+`"`,
			"1000", "1500")), want: []string{with(t, adyenRefund, "EUR", currency, "10.00", amount)}})
	}
	for _, g := range all {
		g.try(t, "adyen")
	}
}

func TestAdyenChargebacksInAnyOrder(t *testing.T) {
	var bodies, want []string
	for i, code := range []string{"NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK", "CHARGEBACK_REVERSED", "SECOND_CHARGEBACK"} {
		date := []string{"2021-01-01", "2021-01-05", "2021-02-01", "2021-03-01"}[i]
		bodies = append(bodies, notification(with(t, item, `"REFUND"`, `"`+code+`"`, "2021-01-01", date)))
		if what := []string{"", "opened", "won", "lost"}[i]; what != "" {
			want = append(want, "dispute."+what+" o1 amount=10.00 currency=EUR dispute_id=QFQTPCQ8HXSKGK82 at "+date+
				"T01:00:00+01:00 id "+code+"/QFQTPCQ8HXSKGK82")
		}
	}
	folds(t, "adyen", bodies, slices.Clone(want)...)
}
