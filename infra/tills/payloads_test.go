package tills_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

// payloads are bodies that nobody here wrote, kept beside the repository. What a name isn't listed with is nothing.
var payloads = map[string]map[string][]string{
	"stripe": {
		"tills/stripe/rubymock_charge.dispute.closed.json": {
			"dispute.won ch_00000000000000 amount=10.00 currency=USD dispute_id=ch_00000000000000 at 2013-10-06T17:23:49Z" +
				" id dispute/ch_00000000000000/won"},
		"tills/stripe/rubymock_charge.dispute.funds_withdrawn.json": {
			"dispute.opened ch_00000000000000 amount=250.00 currency=USD dispute_id=dp_00000000000000 fee=15.00" +
				" at 2018-01-16T23:23:42Z id dispute/dp_00000000000000/opened"},
		"tills/stripe/rubymock_charge.dispute.funds_reinstated.json": {
			"refused: dispute dp_00000000000000 came back, and balance_transactions doesn't say what moved"},
		"tills/stripe/rubymock_charge.refund.updated.json": {
			"refund.issued 6735 currency=USD net=1.00 refund_id=re_000000000000000000000000 at 2022-03-26T18:39:05Z" +
				" id refund/re_000000000000000000000000"},
		"tills/stripe/rubymock_charge.refunded.json": {
			"refund.issued ch_000000000000000000000000 currency=USD net=1.00 refund_id=re_000000000000000000000000" +
				" at 2022-03-26T18:39:09Z id refund/re_000000000000000000000000"},
		"pos/stripe_object_refund.json": {
			"refund.issued ch_1PgafuB7WZ01zgkWXYmPNZs8 currency=USD net=1.00 refund_id=re_1Pgc72B7WZ01zgkWqPvrRrPE" +
				" at 2009-02-13T23:31:30Z id refund/re_1Pgc72B7WZ01zgkWqPvrRrPE"},
	},
	"adyen": {
		"tills/adyen/java_chargeback.json": {
			"dispute.opened XXXXXXXXXX amount=10.00 currency=EUR dispute_id=9915555555555555 at 2018-03-23T13:55:31+01:00" +
				" id CHARGEBACK/9915555555555555"},
		"tills/adyen/java_refund-true.json": {
			"refund.issued payment-2017-1-17-11-refund currency=EUR net=15.00 refund_id=PSP_REFERENCE" +
				" at 2017-02-17T11:11:44+01:00 id REFUND/PSP_REFERENCE"},
	},
	"easypost": {
		"tills/easypost/examples_create_tracker_response.json": {
			"order.delivered EZ1000000001 at 2014-07-22T10:09:00Z id tracker/EZ1000000001/delivered/2014-07-22T10:09:00Z"},
		"tills/easypost/examples_tracking-webhook.json": {
			"order.delivered EZ4000000004 at 2014-11-19T10:51:54Z id tracker/trk_.../delivered/2014-11-19T10:51:54Z"},
		"tills/easypost/examples_tracking_webhook_response.json": {
			"order.delivered EZ4000000004 at 2014-08-24T15:33:00Z id tracker/trk_Txyy1vaM/delivered/2014-08-24T15:33:00Z"},
		"tills/easypost/examples_shipping-refund-refund.json": {
			"order.charged 9405500208303109884199 amount=11.0100 charge_id=shp_597ccf75eb5f441282d22199e802474b/PostageFee" +
				" currency=USD kind=delivery at 2025-05-09T20:40:15Z id shipment/shp_597ccf75eb5f441282d22199e802474b/PostageFee"},
		"tills/easypost/go_TestShipmentRefund_0.json": {
			"order.charged 9400100110368070372253 amount=5.9300 charge_id=shp_f048e3550ee941279657f42d2ac1d0ee/PostageFee" +
				" currency=USD kind=delivery at 2024-08-02T23:15:41Z id shipment/shp_f048e3550ee941279657f42d2ac1d0ee/PostageFee"},
		"tills/easypost/go_TestShipmentRefund_1.json": {
			"order.charged 9400100110368070372253 amount=5.9300 charge_id=shp_f048e3550ee941279657f42d2ac1d0ee/PostageFee" +
				" currency=USD kind=delivery at 2024-08-02T23:15:41Z id shipment/shp_f048e3550ee941279657f42d2ac1d0ee/PostageFee"},
	},
	"zendesk":  {},
	"debezium": {},
}

func TestPayloadsThatNobodyHereWrote(t *testing.T) {
	const data = "../../../shared/data"
	if _, err := os.Stat(data); os.IsNotExist(err) {
		t.Logf("%s isn't here: not checked", data) // it is no part of the repository
		return
	}
	for mapping, wanted := range payloads {
		var files []string
		for _, pattern := range []string{"tills/" + mapping + "/*", "pos/" + mapping + "_*"} {
			found, err := filepath.Glob(filepath.Join(data, pattern))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, found...)
		}
		if len(files) == 0 {
			t.Errorf("no payloads for %s", mapping)
		}
		checked := 0
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, mapping, tills.Input{Body: body})
			lines := said(t, got.Events)
			for _, r := range got.Refusals {
				lines = append(lines, "refused: "+r.Reason)
			}
			want := wanted[strings.TrimPrefix(file, data+"/")]
			if len(want) > 0 {
				checked++
			}
			if !slices.Equal(lines, want) {
				t.Errorf("%s: got\n%s\nwant\n%s", file, strings.Join(lines, "\n"), strings.Join(want, "\n"))
			}
		}
		if checked != len(wanted) {
			t.Errorf("%s: %d of %d files that are named", mapping, checked, len(wanted))
		}
	}
}
