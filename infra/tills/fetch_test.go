package tills_test

import (
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

// TestWhatIsAskedOfAPIs follows the built-in mappings from page to page.
func TestWhatIsAskedOfAPIs(t *testing.T) {
	const events = "https://api.stripe.com/v1/events?limit=100&types"
	for _, c := range []struct {
		name, settings, since, first string
		page                         tills.Page
		next, found                  string
	}{
		{name: "stripe", first: events, page: tills.Page{URL: events, Body: []byte(
			`{"object":"list","data":[{"id":"evt_9"},{"id":"evt_8"}],"has_more":true}`)},
			next: events + "&starting_after=evt_8", found: "evt_9"},
		{name: "stripe", first: events, page: tills.Page{URL: events + "&starting_after=evt_8", Found: "evt_9", Number: 2,
			Body: []byte(`{"object":"list","data":[{"id":"evt_7"}],"has_more":false}`)}, found: "evt_9"},
		{name: "stripe", since: "evt_9", first: events, page: tills.Page{URL: events + "&ending_before=evt_9", Since: "evt_9",
			Body: []byte(`{"object":"list","data":[{"id":"evt_11"},{"id":"evt_10"}],"has_more":true}`)},
			next: events + "&ending_before=evt_11", found: "evt_11"},
		{name: "stripe", since: "evt_9", first: events, page: tills.Page{URL: events, Since: "evt_9",
			Body: []byte(`{"object":"list","data":[],"has_more":false}`)}},
		{name: "zendesk", settings: "subdomain=acme",
			first: "https://acme.zendesk.com/api/v2/incremental/tickets/cursor.json?start_time=1",
			page: tills.Page{Body: []byte(`{"tickets":[],"after_url":"https://acme.zendesk.com/x","after_cursor":"MT+=",` +
				`"end_of_stream":false}`)},
			next: "https://acme.zendesk.com/x", found: "MT+="},
		{name: "zendesk", settings: "subdomain=acme", since: "MT+=",
			first: "https://acme.zendesk.com/api/v2/incremental/tickets/cursor.json?cursor=MT%2B%3D",
			page: tills.Page{Body: []byte(`{"tickets":[],"after_url":"https://acme.zendesk.com/x","after_cursor":"MU",` +
				`"end_of_stream":true}`)},
			found: "MU"},
		{name: "easypost", first: "https://api.easypost.com/v2/trackers?page_size=100", page: tills.Page{Body: []byte(
			`{"trackers":[{"id":"trk_2"},{"id":"trk_1"}],"has_more":true}`)},
			next: "https://api.easypost.com/v2/trackers?page_size=100&before_id=trk_1"},
		{name: "square", first: "https://connect.squareup.com/v2/payments?sort_order=ASC",
			page: tills.Page{URL: "https://connect.squareup.com/v2/payments?sort_order=ASC", Body: []byte(
				`{"payments":[{"created_at":"2026-01-01T00:00:00Z"}],"cursor":"a+b"}`)},
			next: "https://connect.squareup.com/v2/payments?sort_order=ASC&cursor=a%2Bb", found: "2026-01-01T00:00:00Z"},
		{name: "woocommerce", settings: "site=shop.example.com", since: "2026-01-01T00:00:00",
			first: "https://shop.example.com/wp-json/wc/v3/refunds?per_page=100&orderby=date&order=asc&dates_are_gmt=true" +
				"&after=2026-01-01T00%3A00%3A00",
			page: tills.Page{Links: map[string]string{"next": "https://shop.example.com/n"}, Body: []byte(
				`[{"date_created_gmt":"2026-01-02T00:00:00"}]`)},
			next: "https://shop.example.com/n", found: "2026-01-02T00:00:00"},
		{name: "shopify", settings: "shop=acme", since: "2026-01-01T00:00:00Z",
			first: "https://acme.myshopify.com/admin/api/2025-10/orders.json?status=any&limit=250&order=updated_at+asc" +
				"&updated_at_min=2026-01-01T00%3A00%3A00Z",
			page: tills.Page{Links: map[string]string{"next": "https://acme.myshopify.com/n"}, Body: []byte(
				`{"orders":[{"updated_at":"2026-01-02T01:00:00+01:00"}]}`)},
			next: "https://acme.myshopify.com/n", found: "2026-01-02T00:00:00Z"},
	} {
		settings := map[string]string{}
		if name, value, is := strings.Cut(c.settings, "="); is {
			settings[name] = value
		}
		f, err := builtIn(t, c.name).Fetching(tills.Till{Name: c.name, Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		first, err := f.First(t.Context(), c.since)
		if err != nil || !strings.HasPrefix(first, c.first) {
			t.Errorf("%s: %v, first %s", c.name, err, first)
		}
		if next, err := f.Next(t.Context(), &c.page); err != nil || next != c.next {
			t.Errorf("%s: %v, next %s", c.name, err, next)
		}
		if found, err := f.Since(t.Context(), &c.page); err != nil || found != c.found {
			t.Errorf("%s: %v, found %s", c.name, err, found)
		}
	}
}

func TestWhatWebhooksOnlyName(t *testing.T) {
	for _, c := range []struct{ name, settings, body, want string }{
		{"square", "", `{"type":"order.updated","data":{"type":"order","id":"o",` +
			`"object":{"order_updated":{"order_id":"o1"}}}}`,
			"https://connect.squareup.com/v2/orders/o1"},
		{"square", "", `{"type":"refund.updated","data":{"object":{"refund":{"id":"r1"}}}}`, ""},
		{"square", "", `{"type":"refund.updated","data":{"object":{"refund":{"id":"r1","order_id":"o2",` +
			`"status":"PENDING"}}}}`, ""},
		{"square", "", `{"type":"refund.updated","data":{"object":{"refund":{"id":"r1","order_id":"o2",` +
			`"status":"COMPLETED"}}}}`, "https://connect.squareup.com/v2/orders/o2"},
		{"woocommerce", "site=shop.example.com", `{"id":727,"status":"processing","refunds":[{"id":726,"total":"-10.00"}]}`,
			"https://shop.example.com/wp-json/wc/v3/orders/727" +
				" https://shop.example.com/wp-json/wc/v3/orders/727/refunds?per_page=100"},
		{"woocommerce", "site=shop.example.com", `{"id":727,"status":"processing","refunds":[]}`, ""},
		{"woocommerce", "site=shop.example.com", "webhook_id=3", ""},
		{"zendesk", "order_path=custom_fields.7", `{"type":"zen:event-type:ticket.created","detail":{"id":"5"}}`,
			"https://acme.zendesk.com/api/v2/tickets/5.json"},
		{"zendesk", "", `{"type":"zen:event-type:ticket.created","detail":{"id":"5"}}`, ""},
		{"easypost", "", `{"object":"Event","result":{"object":"Tracker","id":"trk_1","shipment_id":"shp_1"}}`,
			"https://api.easypost.com/v2/shipments/shp_1"},
		{"easypost", "", `{"object":"Event","result":{"object":"Tracker","id":"trk_1","shipment_id":null}}`, ""},
		{"stripe", "", stripeEvent("charge.refunded", `{"object":"charge","id":"ch_1","amount_refunded":5,`+
			`"status":"succeeded"}`, "{}"),
			"https://api.stripe.com/v1/charges/ch_1?expand%5B%5D=refunds&expand%5B%5D=balance_transaction" +
				"&expand%5B%5D=payment_intent"},
		{"stripe", "", stripeEvent("refund.created", refund, "null"), ""},
		{"stripe", "order_in=payment", stripeEvent("refund.created", refund, "null"), ""},
		{"stripe", "", stripeEvent("charge.refunded", `{"object":"charge","id":"ch_1","amount_refunded":500,`+
			`"status":"succeeded","balance_transaction":null,"refunds":{"has_more":true,"data":[`+refund+`]}}`, "{}"),
			"https://api.stripe.com/v1/charges/ch_1?expand%5B%5D=refunds&expand%5B%5D=balance_transaction" +
				"&expand%5B%5D=payment_intent"},
		{"stripe", "", stripeEvent("charge.dispute.funds_withdrawn", dispute, "null"), ""},
		{"stripe", "", stripeEvent("charge.dispute.funds_withdrawn", with(t, dispute, withdrawn, `"txn_1"`), "null"),
			"https://api.stripe.com/v1/disputes/dp_1?expand%5B%5D=charge&expand%5B%5D=payment_intent"},
		{"stripe", "order_in=payment", stripeEvent("charge.dispute.funds_withdrawn", dispute, "null"),
			"https://api.stripe.com/v1/disputes/dp_1?expand%5B%5D=charge&expand%5B%5D=payment_intent"},
		{"stripe", "", "no JSON", ""},
	} {
		settings := map[string]string{}
		if c.name == "zendesk" {
			settings["subdomain"] = "acme"
		}
		if name, value, is := strings.Cut(c.settings, "="); is {
			settings[name] = value
		}
		f, err := builtIn(t, c.name).Fetching(tills.Till{Name: c.name, Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		urls, err := f.Thin(t.Context(), tills.Input{Body: []byte(c.body)})
		if err != nil || strings.Join(urls, " ") != c.want {
			t.Errorf("%s: %v, %q", c.name, err, urls)
		}
	}
}

func TestWhatADeclarationOfAnAPIMayNotSay(t *testing.T) {
	for fetch, want := range map[string]string{
		`{hosts: [], first: '"x"'}`:                     "hosts: names those that may be asked",
		`{hosts: ["*.example.com"], first: '"x"'}`:      "is no name of a host",
		`{hosts: ["https://a.com"], first: '"x"'}`:      "is no name of a host",
		`{hosts: ["{shop}.example.com"], first: '"x"'}`: "there is no setting shop",
		`{hosts: [a.com]}`:                              "there is neither thin: nor first:",
		`{hosts: [a.com], thin: '"x"', next: '"x"'}`:    "next and since need first",
		`{hosts: [a.com], first: '"x"', auth: digest}`:  "auth is none, bearer, basic or header",
		`{hosts: [a.com], first: '"x"', auth: header}`:  "header: is the one that the key is in",
		`{hosts: [a.com], first: '"x"', every: 1s}`:     "every is a minute or more",
		`{hosts: [a.com], first: '"x"', method: POST}`:  "there is no key method here",
		`{hosts: [a.com], first: 'now'}`:                "now asks a clock",
	} {
		_, err := tills.Parse("m.yaml", []byte("name: m\nkinds: [{kind: a, when: 'true', nothing: x}]\nfetch: "+fetch+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("%s: %v", fetch, err)
		}
	}
	m, err := tills.Parse("m.yaml", []byte("name: m\nkinds: [{kind: a, when: 'true', nothing: x}]\nsettings: "+
		"{shop: {about: x}}\n"+
		"fetch: {hosts: ['{shop}.example.com'], first: '\"x\"'}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for shop, ok := range map[string]bool{"acme": true, "": false, "evil.com/": false, "a@b": false} {
		f, err := m.Fetching(tills.Till{Name: "m", Settings: map[string]string{"shop": shop}})
		if (err == nil) != ok || ok && f.Hosts[0] != "acme.example.com" {
			t.Errorf("%q: %v", shop, err)
		}
	}
}
