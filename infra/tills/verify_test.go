package tills_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/tills"
)

func signedBy(t testing.TB, sign string) *tills.Mapping {
	t.Helper()
	page := "name: x\nsign: " + sign + "\nkinds: [{kind: all, when: 'true', nothing: a test}]\n"
	m, err := tills.Parse("x.yaml", []byte(page))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sum(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

var moment = time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)

// adyenItem is the notification of Adyen's own libraries' tests, with the signature that they want of it.
const adyenItem = `{"notificationItems": [{"NotificationRequestItem": {"pspReference": "7914073381342284",
	"merchantAccountCode": "TestMerchant", "merchantReference": "TestPayment-1407325143704", "paymentMethod": "visa",
	"amount": {"value": 1130, "currency": "EUR"}, "eventCode": "AUTHORISATION", "success": "true",
	"additionalData": {"hmacSignature": "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="}}}]}`

const adyenKey = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"

// TestSignatures: what is signed as it should be is believed; with another body, another secret, another time, without
// the header, with a part of it, it isn't.
func TestSignatures(t *testing.T) {
	const body, url = `{"a":1}`, "https://shop.example/v1/tills/x"
	stamp := fmt.Sprint(moment.Unix())
	for _, c := range []struct {
		name, sign, secret, url string
		headers                 map[string]string
		body                    string
	}{
		{"token", "{scheme: token, header: X-Token}", "s3cret", "", map[string]string{"X-Token": "s3cret"}, body},
		{"bearer", "{scheme: token, header: Authorization, prefix: 'Bearer '}", "s3cret", "",
			map[string]string{"authorization": "Bearer s3cret"}, body},
		{"query", "{scheme: token, query: key}", "s3cret", url + "?key=s3cret", nil, body},
		{"basic", "{scheme: basic}", "me:s3cret", "",
			map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("me:s3cret"))}, body},
		{"hex", "{scheme: hmac, header: X-Sign, prefix: 'sha256='}", "s3cret", "",
			map[string]string{"x-sign": "sha256=" + hex.EncodeToString(sum("s3cret", body))}, body},
		{"shopify", "{scheme: hmac, header: X-Shopify-Hmac-Sha256, encoding: base64}", "s3cret", "",
			map[string]string{"X-Shopify-Hmac-Sha256": base64.StdEncoding.EncodeToString(sum("s3cret", body))}, body},
		{"url", "{scheme: hmac, header: X-Sign, over: url+body}", "s3cret", url,
			map[string]string{"X-Sign": hex.EncodeToString(sum("s3cret", url+body))}, body},
		{"zendesk", "{scheme: hmac, header: X-Sign, encoding: base64, over: timestamp+body, timestamp: X-At}", "s3cret", "",
			map[string]string{"X-At": "2026-01-10T08:58:00Z",
				"X-Sign": base64.StdEncoding.EncodeToString(sum("s3cret", "2026-01-10T08:58:00Z"+body))}, body},
		{"joined", "{scheme: hmac, header: X-Sign, over: timestamp+body, timestamp: X-At, join: '.'}", "s3cret", "",
			map[string]string{"X-At": stamp, "X-Sign": hex.EncodeToString(sum("s3cret", stamp+"."+body))}, body},
		{"stripe", "{scheme: stripe}", "whsec_1", "", map[string]string{"Stripe-Signature": "t=" + stamp +
			",v1=" + strings.Repeat("0", 64) + ",v0=x,v1=" + hex.EncodeToString(sum("whsec_1", stamp+"."+body))}, body},
		{"adyen", "{scheme: adyen}", adyenKey, "", nil, adyenItem},
		{"square", "{scheme: square}", "Ibxx_5AKakO-3qeNVR61Dw",
			"https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9",
			map[string]string{"x-square-hmacsha256-signature": "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4="},
			`{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":` +
				`"ac3ac95b-f97d-458c-a6e6-18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z","data":` +
				`{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}`},
	} {
		m := signedBy(t, c.sign)
		good := tills.Request{URL: c.url, Headers: c.headers, Body: []byte(c.body)}
		refused := func(what string, r tills.Request, secrets []string, at time.Time) {
			t.Helper()
			var wrong *tills.SignatureError
			if err := m.Verify(r, secrets, at); !errors.As(err, &wrong) {
				t.Errorf("%s, %s: %v", c.name, what, err)
			} else if strings.Contains(err.Error(), c.secret) {
				t.Errorf("%s, %s: the secret is in %v", c.name, what, err)
			}
		}
		for _, secrets := range [][]string{{c.secret}, {"00", c.secret}, {c.secret, "", "00"}} {
			if err := m.Verify(good, secrets, moment); err != nil {
				t.Errorf("%s with %d secrets: %v", c.name, len(secrets), err)
			}
		}
		for _, secrets := range [][]string{nil, {""}, {"00"}, {c.secret + "01"}} {
			refused("another secret", good, secrets, moment)
		}
		refused("nothing", tills.Request{Body: []byte(`{"notificationItems":[]}`)}, []string{c.secret}, moment)
		if !strings.Contains(c.sign, "token") && !strings.Contains(c.sign, "basic") {
			other := strings.NewReplacer(`"a":1`, `"a":2`, "1130", "1131", "webhooks.", "webhook.").Replace(c.body)
			refused("another body", tills.Request{URL: c.url, Headers: c.headers, Body: []byte(other)},
				[]string{c.secret}, moment)
		}
		if strings.Contains(c.sign, "timestamp") || c.name == "stripe" {
			refused("an hour later", good, []string{c.secret}, moment.Add(time.Hour))
			refused("an hour before", good, []string{c.secret}, moment.Add(-time.Hour))
		}
		for name, v := range c.headers {
			for _, said := range []string{"", v[:len(v)-1], v[:len(v)/2], v + "=", "Basic !", "t=" + stamp + ",v1=", "=,=,="} {
				refused("header "+said, tills.Request{URL: c.url, Headers: map[string]string{name: said}, Body: good.Body},
					[]string{c.secret}, moment)
			}
		}
	}
}

// TestEveryItemIsSigned: of a notification of two items, one signature isn't enough.
func TestEveryItemIsSigned(t *testing.T) {
	item := strings.TrimSuffix(strings.TrimPrefix(adyenItem, `{"notificationItems": [`), `]}`)
	more := strings.Replace(item, "1130", "9999", 1)
	for _, second := range []string{more, `{"NotificationRequestItem": {}}`, `{}`, `null`} {
		body := `{"notificationItems": [` + item + "," + second + `]}`
		r := tills.Request{Body: []byte(body)}
		if err := signedBy(t, "{scheme: adyen}").Verify(r, []string{adyenKey}, moment); err == nil {
			t.Errorf("%s was believed", second)
		}
	}
}

// TestSignaturesOfAdyen: references with a colon or a backslash are signed as they are, or escaped, as the documents
// had it; an item with another reference isn't.
func TestSignaturesOfAdyen(t *testing.T) {
	key, err := hex.DecodeString(adyenKey)
	if err != nil {
		t.Fatal(err)
	}
	m := signedBy(t, "{scheme: adyen}")
	for signed, want := range map[string]bool{
		`p:o:M:a:b\c:1130:EUR:REFUND:true`: true, `p:o:M:a\:b\\c:1130:EUR:REFUND:true`: true,
		`p:o:M:a\:b\c:1130:EUR:REFUND:true`: false, `p:o:M:a:b:1130:EUR:REFUND:true`: false,
		`p:o:M:a:b\c:1130:EUR:REFUND:false`: false, `p:o:M:a:b\c:1131:EUR:REFUND:true`: false,
	} {
		signature := base64.StdEncoding.EncodeToString(sum(string(key), signed))
		body := `{"notificationItems": [{"NotificationRequestItem": {"pspReference": "p", "originalReference": "o",
			"merchantAccountCode": "M", "merchantReference": "a:b\\c", "amount": {"value": 1130, "currency": "EUR"},
			"eventCode": "REFUND", "success": true, "additionalData": {"hmacSignature": "` + signature + `"}}}]}`
		if err := m.Verify(tills.Request{Body: []byte(body)}, []string{adyenKey}, moment); (err == nil) != want {
			t.Errorf("%s: %v", signed, err)
		}
	}
}

// TestSignaturesOfAdyenArentShifted: who holds one signed item can't make another one of it by moving a colon from one
// field into another.
func TestSignaturesOfAdyenArentShifted(t *testing.T) {
	key, err := hex.DecodeString(adyenKey)
	if err != nil {
		t.Fatal(err)
	}
	m := signedBy(t, "{scheme: adyen}")
	names := []string{"pspReference", "originalReference", "merchantAccountCode", "merchantReference", "", "", "eventCode",
		"success"}
	verify := func(signed string, fields []string) error {
		signature := base64.StdEncoding.EncodeToString(sum(string(key), signed))
		item := map[string]any{"amount": map[string]any{"value": fields[4], "currency": fields[5]},
			"additionalData": map[string]any{"hmacSignature": signature}}
		for i, name := range names {
			if name != "" {
				item[name] = fields[i]
			}
		}
		body, err := json.Marshal(map[string]any{"notificationItems": []any{map[string]any{"NotificationRequestItem": item}}})
		if err != nil {
			t.Fatal(err)
		}
		return m.Verify(tills.Request{Body: body}, []string{adyenKey}, moment)
	}
	for _, reference := range []string{"a:900000:EUR:REFUND", "a:b:c:d:e:f", `a:5\`, "::::", "900000:EUR:REFUND:true:x"} {
		right := []string{"p", "o", "M", reference, "1130", "EUR", "REFUND", "true"}
		signed := strings.Join(right, ":")
		if err := verify(signed, right); err != nil {
			t.Errorf("%s: %v", signed, err)
		}
		pieces := strings.Split(signed, ":")
		for cuts := range 1 << (len(pieces) - 1) { // each way to make 8 fields of it
			if bits.OnesCount(uint(cuts)) != len(right)-1 {
				continue
			}
			fields := []string{pieces[0]}
			for i, piece := range pieces[1:] {
				if cuts>>i&1 == 1 {
					fields = append(fields, piece)
				} else {
					fields[len(fields)-1] += ":" + piece
				}
			}
			if !slices.Equal(fields, right) && verify(signed, fields) == nil {
				t.Errorf("%s is believed as %q", signed, fields)
			}
		}
		if shifted := []string{"p", "o", "M", "a", "5:1130", "EUR", "REFUND", "true"}; verify(signed, shifted) == nil {
			t.Errorf("%s is believed as %q", signed, shifted)
		}
	}
}

// TestSignaturesOfEasyPost: the secret is normalised (NFKD) before it is a key, so that é typed in two ways is one.
func TestSignaturesOfEasyPost(t *testing.T) {
	m, err := tills.Load("easypost")
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"object":"Event"}`
	headers := map[string]string{"X-Hmac-Signature": "hmac-sha256-hex=" +
		hex.EncodeToString(sum("se\u0301\u0063ret fi", body))}
	for secret, want := range map[string]bool{"s\u00e9cret \ufb01": true, "se\u0301cret fi": true,
		"secret fi": false} {
		err := m.Verify(tills.Request{Headers: headers, Body: []byte(body)}, []string{secret}, moment)
		if (err == nil) != want {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

// TestNewerSignaturesOfEasyPost: one with a timestamp is believed within the tolerance only, whatever the older one
// beside it says; where it isn't there the older one decides.
func TestNewerSignaturesOfEasyPost(t *testing.T) {
	m, err := tills.Load("easypost")
	if err != nil {
		t.Fatal(err)
	}
	const body, secret, path = `{"object":"Event"}`, "s\u00e9cret", "/v1/tills/parcels"
	signed := func(text string) string { return "hmac-sha256-hex=" + hex.EncodeToString(sum("se\u0301cret", text)) }
	older := signed(body)
	at := func(d time.Duration) string { return moment.Add(d).Format("Mon, 02 Jan 2006 15:04:05 -0000") }
	newer := func(stamp string) map[string]string {
		return map[string]string{"X-Timestamp": stamp, "X-Path": path, "X-Hmac-Signature": older,
			"X-Hmac-Signature-V2": signed(stamp + "POST" + path + body)}
	}
	without := func(h map[string]string, name, value string) map[string]string {
		h[name] = value
		return h
	}
	for _, c := range []struct {
		what    string
		headers map[string]string
		want    bool
	}{
		{"both", newer(at(0)), true}, {"the older alone", map[string]string{"x-hmac-signature": older}, true},
		{"the newer alone", without(newer(at(0)), "X-Hmac-Signature", ""), true},
		{"another zone", newer(moment.In(time.FixedZone("", 7200)).Format(time.RFC1123Z)), true},
		{"RFC 3339", newer(moment.Format(time.RFC3339)), true}, {"seconds", newer(fmt.Sprint(moment.Unix())), true},
		{"4 minutes old", newer(at(-4 * time.Minute)), true}, {"6 minutes old", newer(at(-6 * time.Minute)), false},
		{"of the next hour", newer(at(time.Hour)), false}, {"no time", newer(""), false}, {"a word", newer("now"), false},
		{"a long time", newer(at(0) + strings.Repeat(" ", 1000)), false},
		{"another time", without(newer(at(-time.Hour)), "X-Timestamp", at(0)), false},
		{"another path", without(newer(at(0)), "X-Path", "/v1/tills/other"), false},
		{"no path", without(newer(at(0)), "X-Path", ""), false},
		{"the older in its place", without(newer(at(0)), "X-Hmac-Signature-V2", older), false},
		{"no hex", without(newer(at(0)), "X-Hmac-Signature-V2", "hmac-sha256-hex=!"), false},
		{"another older one", map[string]string{"X-Hmac-Signature": signed(body + " ")}, false},
		{"none", map[string]string{"X-Timestamp": at(0), "X-Path": path}, false},
	} {
		err := m.Verify(tills.Request{Headers: c.headers, Body: []byte(body)}, []string{secret}, moment)
		if (err == nil) != c.want {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// TestBuiltInSignatures: each system's own way, by the built-in mapping's name; the header's name in whatever case.
func TestBuiltInSignatures(t *testing.T) {
	const body, url = `{"id":7,"note":"café / \u00e9"}`, "https://books.example.com/v1/tills/x"
	stamp, rfc := fmt.Sprint(moment.Unix()), moment.Format(time.RFC3339)
	in64 := func(text string) string { return base64.StdEncoding.EncodeToString(sum("s3cret", text)) }
	for name, headers := range map[string]map[string]string{
		"shopify":     {"x-shopify-hmac-sha256": in64(body)},
		"woocommerce": {"X-WC-Webhook-Signature": in64(body)},
		"square":      {"x-square-hmacsha256-signature": in64(url + body)},
		"stripe":      {"stripe-signature": "t=" + stamp + ",v1=" + hex.EncodeToString(sum("s3cret", stamp+"."+body))},
		"easypost":    {"x-hmac-signature": "hmac-sha256-hex=" + hex.EncodeToString(sum("s3cret", body))},
		"zendesk": {"x-zendesk-webhook-signature": in64(rfc + body),
			"x-zendesk-webhook-signature-timestamp": rfc},
	} {
		m, err := tills.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		r := tills.Request{URL: url, Headers: headers, Body: []byte(body)}
		if err := m.Verify(r, []string{"s3cret"}, moment); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r.Body = []byte(strings.Replace(body, "7", "8", 1))
		if err := m.Verify(r, []string{"s3cret"}, moment); err == nil {
			t.Errorf("%s: another body is believed", name)
		}
	}
}

// TestSignaturesOfSquare are the vectors of Square's own library.
func TestSignaturesOfSquare(t *testing.T) {
	m := signedBy(t, "{scheme: square}")
	for _, c := range [][2]string{
		{`{"data":{"type":"webhooks","id":"fake_id"}}`, "W3FlCNk5IA3ZQ2LHTWoajvzfaDu/OwY2tNHIHC3IUOA="},
		{`{"data":{"type":"webhooks","id":">id<"}}`, "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U="},
	} {
		r := tills.Request{URL: "https://webhook.site/webhooks", Body: []byte(c[0]),
			Headers: map[string]string{"X-Square-HmacSha256-Signature": c[1]}}
		if err := m.Verify(r, []string{"signature-key"}, moment); err != nil {
			t.Errorf("%s: %v", c[0], err)
		}
	}
}

// TestSchemesAreWhole: a scheme that lacks what it needs, or has a word that there isn't, is refused with its line.
func TestSchemesAreWhole(t *testing.T) {
	for _, sign := range []string{"{scheme: hmac}", "{scheme: token}", "{scheme: magic}",
		"{scheme: token, header: a, query: b}",
		"{scheme: hmac, header: X, over: body+url}", "{scheme: hmac, header: X, algorithm: md5}", "{}",
		"{scheme: hmac, header: X, over: timestamp+body}", "{scheme: hmac, header: X, timestamp: X-At}",
		"{scheme: hmac, header: X, encoding: base32}", "{scheme: hmac, header: X, key: raw}",
		"{scheme: stripe, tolerance: 900h}",
		"{scheme: stripe, tolerance: -1s}", "{scheme: none, secret: x}"} {
		page := "name: x\nsign: " + sign + "\nkinds: [{kind: all, when: 'true', nothing: a test}]\n"
		if _, err := tills.Parse("x.yaml", []byte(page)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v", sign, err)
		}
	}
}
