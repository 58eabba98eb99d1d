package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
	"github.com/makegood/makegood/projections/insight"
)

// questions are asked of books that hold nothing and of those of the truck: lists that hold nothing are lists.
func (o *openAPI) questions(c *client) {
	o.Helper()
	january := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "currency": {"USD"}}
	with := func(more ...string) url.Values {
		all := maps.Clone(january)
		for i := 0; i < len(more); i += 2 {
			all.Set(more[i], more[i+1])
		}
		return all
	}
	get := func(path string, values url.Values) { o.Helper(); o.ask(c, "GET", path, values, "", "") }
	for _, path := range []string{"/healthz", "/readyz", "/readyz/events", "/v1/status", "/v1/periods", "/v1/unpriced",
		"/v1/deadletters", "/v1/rates", "/v1/audit", "/v1/seals", "/v1/verify", "/v1/rebuild", "/v1/tills",
		"/openapi.yaml", "/asyncapi.yaml",
		"/metrics", "/", "/cases", "/words"} {
		get(path, nil)
	}
	get("/v1/rates", url.Values{"all": {"true"}, "at": {"2026-01-05"}})
	get("/v1/summary", with())
	get("/v1/summary", with("store", "s1"))
	for _, format := range []string{"json", "csv", "xlsx"} {
		get("/v1/reports/leakage", with("format", format, "group_by", "store,kind,element"))
	}
	for _, q := range insight.Questions() {
		for _, format := range []string{"json", "csv", "xlsx", "html", "pdf"} {
			query := with("format", format)
			for _, p := range q.Params {
				if p.Must {
					query.Set(p.Name, "v1")
				}
			}
			if format != "html" && format != "pdf" || q.Page {
				get("/v1/"+q.Name, query)
			}
		}
	}
	for _, format := range []string{"json", "csv", "xlsx", "quickbooks"} {
		get("/v1/journal", with("format", format))
	}
	for _, format := range []string{"csv", "xlsx"} {
		get("/v1/audit", url.Values{"from": {"2026-01-01"}, "format": {format}})
	}
	get("/v1/events", url.Values{"source": {"urn:till:1"}, "id": {"u"}})
	get("/v1/events", url.Values{"source": {"urn:till:1"}, "id": {"o2-y"}})
	get("/v1/journal", with("detail", "events", "every", "day", "as_of", "close:2026-01"))
	for _, format := range []string{"json", "html", "csv", "xlsx"} {
		get("/v1/statement", url.Values{"vendor": {"v1"}, "period": {"2026-01"}, "format": {format}})
	}
	get("/v1/statement", url.Values{"store": {"s1"}, "period": {"2026-01"}})
	get("/v1/statement", url.Values{"store": {"s1"}, "period": {"2026-01"}, "period_by": {"occurred"}})
	get("/v1/periods/{period}", url.Values{"period": {"2026-01"}})
	o.ask(c, "POST", "/v1/reconcile", nil, "", "")
	get("/v1/orders/{id}", url.Values{"id": {"o1"}})
	get("/v1/cases/{id}", url.Values{"id": {"e1"}})
	get("/v1/cases/{id}", url.Values{"id": {"e5"}})
	get("/v1/orders/{id}", url.Values{"id": {"o2"}})
	get("/v1/flags", nil)
	get("/v1/doubles", nil)
	get("/v1/orders/{id}", url.Values{"id": {"o1"}, "as_of": {"close:2026-01"}})
	get("/schemas/{name}", url.Values{"name": {"makegood.order.placed.v1.json"}})
}

// rebuild asks for a rebuild that has everything to say: an event whose rate came late, one of a closed month, one that
// can't be read any more.
func (o *openAPI) rebuild(app *server.App, c *client) {
	o.Helper()
	mustPost(o.T, c, strings.NewReplacer(`"5"`, `"february"`, `2026-01-10`, `2026-02-10`, `"agent"`,
		`"nobody"`, `"l1"`, `"l4"`).Replace(goldenEvents[4]))
	mustPost(o.T, c, event("r9", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"labour_hour","key":"nobody","value":"20","currency":"USD","effective_from":"2026-01-01"}`))
	mustCatchUp(o.T, c)
	if err := app.Store.DB.Exec(o.Context(),
		`ALTER TABLE ledger UPDATE payload = '{}' WHERE event_id = 'q' SETTINGS mutations_sync = 1`); err != nil {
		o.Fatal(err)
	}
	for _, then := range []string{"discard", "swap"} {
		begun, _ := o.ask(c, "POST", "/v1/rebuild", nil, "application/json",
			`{"actor":"ann","reason":"rates came late","whole":true}`)["rebuild"].(map[string]any)
		id := fmt.Sprint(begun["id"])
		if _, err := c.computed(o.Context(), id, terminal.Streams{Out: io.Discard, Err: io.Discard}); err != nil {
			o.Fatal(err)
		}
		o.ask(c, "GET", "/v1/rebuild", url.Values{"id": {id}}, "", "")
		if then == "discard" {
			o.ask(c, "DELETE", "/v1/rebuild/{id}", url.Values{"id": {id}}, "", "")
			continue
		}
		o.ask(c, "POST", "/v1/rebuild/{id}/swap", url.Values{"id": {id}}, "", "")
		if err := c.swapped(o.Context(), id); err != nil {
			o.Fatal(err)
		}
	}
}

// people asks for somebody who has an order with a case, and a dead letter, and erases them.
func (o *openAPI) people(c *client, w *kafkago.Writer) {
	o.Helper()
	fix := `"order_id":"o9","store_id":"s1","error_id":"e9","currency":"USD",`
	for _, e := range []string{
		event("o9", "order.placed", "2026-02-05T09:00:00Z", "o9", `{"order_id":"o9","store_id":"s1","currency":"USD",`+
			`"customer_id":"mary","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"9","unit_cost":"1"}]}`),
		event("o9-r", "refund.issued", "2026-02-06T09:00:00Z", "o9", `{`+fix+`"refund_id":"r9","net":"2"}`),
	} {
		mustPost(o.T, c, e)
	}
	if err := w.WriteMessages(o.Context(), kafkago.Message{Topic: "makegood.orders", Key: []byte("k"),
		Value: []byte(event("o9-s", "order.sung", "2026-02-06T09:00:00Z", "o9", `{"customer_id":"mary"}`))}); err != nil {
		o.Fatal(err)
	}
	mustCatchUp(o.T, c)
	o.ask(c, "POST", "/v1/person", nil, "application/json", `{"id":"mary"}`)
	o.ask(c, "POST", "/v1/person/erase", nil, "application/json", `{"id":"mary","actor":"ann","reason":"asked for it"}`)
}

// TestOpenAPIOfAnswers: every answer is as openapi.yaml describes it, with nothing beside, and everything it describes
// is in some answer.
func TestOpenAPIOfAnswers(t *testing.T) {
	t.Parallel()
	o := readOpenAPI(t)
	var codes strings.Builder
	for _, a := range domain.Chart() {
		fmt.Fprintf(&codes, "%s: 9-%[1]s\n", a.Name)
	}
	chart := writeFile(t, "accounts.yaml", codes.String())
	fake := kafkatest.StartFake(t)
	app, c := startTestAppWith(t, t.TempDir(), func(config *server.Config) {
		config.Accounts, config.Brokers, config.ClickHouse = chart, fake.Brokers(), ""
		config.Tills = writeTills(t, t.TempDir(), shopTills+"table: {mapping: csv}\n"+
			"woo: {mapping: woocommerce, secret_file: secret}\n", shopMapping)
	})
	o.questions(c)

	o.fill(c)
	w := &kafkago.Writer{Addr: kafkago.TCP(app.Brokers...), BatchTimeout: time.Millisecond,
		RequiredAcks: kafkago.RequireAll}
	defer w.Close()
	broken := kafkago.Message{Topic: "makegood.orders", Key: []byte("k"), Value: []byte("no event"),
		Headers: []kafkago.Header{{Key: "till", Value: []byte("7")}}}
	if err := w.WriteMessages(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	mustCatchUp(t, c)
	o.rebuild(app, c)
	o.questions(c)

	o.closedMonth(app, c, w)

	o.problems(c)
	o.currencies(c, chart)

	o.disturbed(app, c)

	o.whole()
}

// whole: everything that is described was asked for, and in some answer.
func (o *openAPI) whole() {
	o.Helper()
	visited := map[string]bool{}
	for path, methods := range o.document["paths"].(map[string]any) {
		for method := range methods.(map[string]any) {
			responses, place := o.at("paths", path, method, "responses")
			for status, response := range responses.(map[string]any) {
				content, _ := o.at(append(slices.Clone(place), status, "content")...)
				media, _ := content.(map[string]any)
				if media["application/json"] == nil {
					continue
				}
				if !o.asked[strings.Join([]string{"paths", path, method}, " ")] {
					o.Errorf("%s %s was not asked", method, path)
				}
				if body, _ := json.Marshal(response); !bytes.Contains(body, []byte("$ref")) &&
					!bytes.Contains(body, []byte(`"properties"`)) {
					o.Errorf("%s %s: its answer is not described", method, path)
				}
				for _, member := range o.unseen(append(slices.Clone(place), status, "content", "application/json", "schema"),
					visited) {
					o.Errorf("%s is described, and in no answer", member)
				}
			}
		}
	}
}

// currencies are asked for where there are two, with and without a rate between them, and with an account that has no
// name in the general ledger.
func (o *openAPI) currencies(c *client, chart string) {
	o.Helper()
	mustPost(o.T, c, strings.NewReplacer(`"USD"`, `"EUR"`, `"1"`, `"euros"`).Replace(goldenEvents[0]))
	mustPost(o.T, c, event("eu", "refund.issued", "2026-01-12T10:00:00Z", "o1",
		`{`+goldenCase+`,"refund_id":"r","currency":"EUR","net":"1"}`))
	mustCatchUp(o.T, c)
	answer := o.ask(c, "GET", "/v1/summary", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}}, "", "")
	// Which has more lines depends on whether the row that was deleted has been booked again.
	if got := fmt.Sprint(answer["currencies"]); got != "[EUR USD]" && got != "[USD EUR]" {
		o.Errorf("%v", answer)
	}
	o.ask(c, "GET", "/v1/journal", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}}, "", "")
	inDollars := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "group_by": {"store"}, "translate_to": {"USD"}}
	if answer := o.ask(c, "GET", "/v1/reports/leakage", inDollars, "",
		""); fmt.Sprint(answer["missing"]) != "[map[currency:EUR day:2026-01-12]]" {
		o.Errorf("%v", answer)
	}
	mustPost(o.T, c, exchangeRate("x", "EUR", "1.085", "2026-01-01"))
	for _, format := range []string{"json", "csv", "xlsx"} {
		inDollars.Set("format", format)
		o.ask(c, "GET", "/v1/reports/leakage", inDollars, "", "")
	}
	o.ask(c, "GET", "/v1/rates", nil, "", "")
	if err := os.WriteFile(chart, []byte("1010: 9\n"), 0o600); err != nil {
		o.Fatal(err)
	}
	if answer := o.ask(c, "GET", "/v1/journal", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}}, "",
		""); answer["type"] != "urn:makegood:problem:accounts_unmapped" || answer["accounts"] == nil {
		o.Errorf("%v", answer)
	}
}

// problems are asked for: each has what it has beside the members of the RFC.
func (o *openAPI) problems(c *client) {
	o.Helper()
	for _, p := range []struct {
		method, path      string
		values            url.Values
		contentType, body string
		code              string
		member            string
	}{
		{"GET", "/v1/orders/{id}", url.Values{"id": {"nobody"}}, "", "", "not_found", ""},
		{"GET", "/v1/summary", url.Values{"from": {"then"}, "to": {"2026-02-01"}}, "", "", "bad_query", ""},
		{"GET", "/v1/journal", url.Values{"from": {"2026-02-01"}, "to": {"2026-03-01"}, "final": {"true"}}, "", "",
			"period_open", "periods"},
		{"POST", "/v1/events", nil, "application/cloudevents+json", `{"specversion":"1.0"}`, "no_cloud_event", "errors"},
		{"POST", "/v1/events", nil, "application/cloudevents+json", strings.Replace(goldenEvents[4], `"minutes":18`,
			`"minutes":-1`, 1), "invalid_events", "errors"},
		{"POST", "/v1/events", nil, "text/html", "", "unsupported_media_type", ""},
		{"POST", "/v1/tills/{name}", url.Values{"name": {"shop"}}, "application/json", "{}", "bad_signature", ""},
		{"POST", "/v1/tills/{name}", url.Values{"name": {"nobody"}}, "application/json", "{}", "not_found", ""},
	} {
		answer := o.ask(c, p.method, p.path, p.values, p.contentType, p.body)
		if answer["type"] != "urn:makegood:problem:"+p.code || p.member != "" && answer[p.member] == nil {
			o.Errorf("%s %s: %v", p.method, p.path, answer)
		}
	}
}

// closedMonth asks what there is to ask of a closed month, of dead letters and people, and of books that were changed.
func (o *openAPI) closedMonth(app *server.App, c *client, w *kafkago.Writer) {
	o.Helper()
	sealedBy(o.T, c, "2026-01")
	o.ask(c, "GET", "/v1/periods/{period}", url.Values{"period": {"2026-01"}}, "", "")
	o.ask(c, "GET", "/v1/seals", nil, "", "")
	mustPost(o.T, c, event("v", "event.voided", "2026-02-03T00:00:00Z", "o1",
		`{`+goldenCase+`,"voids":{"source":"urn:till:1","id":"u"},"reason":"mistake","original":`+unpricedLabour+`}`))
	mustCatchUp(o.T, c)
	if whole := o.ask(c, "GET", "/v1/events", url.Values{"source": {"urn:till:1"}, "id": {"u"}}, "",
		""); whole["voided_by"] == nil {
		o.Errorf("what was voided is not said to be: %v", whole)
	}
	o.ask(c, "GET", "/v1/reports/changes", url.Values{"since_close": {"2026-01"}}, "", "")
	for _, format := range []string{"csv", "xlsx"} {
		o.ask(c, "GET", "/v1/reports/changes", url.Values{"since_close": {"2026-01"}, "format": {format}}, "", "")
	}
	letters := openLetters(o.T, c)
	id := url.Values{"id": {letters["bad_json"].ID}}
	whole := o.ask(c, "GET", "/v1/deadletters/{id}", id, "", "")
	if payload, err := base64.StdEncoding.DecodeString(fmt.Sprint(whole["payload"])); err != nil ||
		string(payload) != "no event" {
		o.Errorf("the payload is %s: %v", payload, err)
	}
	o.ask(c, "POST", "/v1/deadletters/{id}/replay", id, "", "")
	mustCatchUp(o.T, c)
	o.ask(c, "POST", "/v1/deadletters/{id}/discard", id, "", "")
	o.people(c, w)
	o.ask(c, "POST", "/v1/tills/{name}", url.Values{"name": {"table"}}, "text/csv", "what,order\n")
	o.ask(c, "POST", "/v1/tills/{name}", url.Values{"name": {"woo"}}, "text/plain", "webhook_id=7")
	o.ask(c, "GET", "/v1/tills", nil, "", "")
	o.ask(c, "POST", "/v1/reconcile", url.Values{"currency": {"USD"}}, "text/csv",
		"date,id,amount\n2026-01-11,stranger,5\n")
	sealedBy(o.T, c, "2026-01")
	verify := url.Values{"period": {"2026-01"}, "root": {strings.Repeat("0", 64)}}
	o.lose(app, "differences", func() map[string]any { return o.ask(c, "POST", "/v1/reconcile", nil, "", "") })
	o.lose(app, "deviations", func() map[string]any { return o.ask(c, "GET", "/v1/verify", verify, "", "") })
}

// lose takes an event out of the ledger, and asks until the answer tells of it: what the store loses is found and read
// again every minute, and that may be between the two.
func (o *openAPI) lose(app *server.App, told string, ask func() map[string]any) {
	o.Helper()
	for range 5 {
		if err := app.Store.DB.Exec(o.Context(),
			`ALTER TABLE ledger DELETE WHERE event_id = '8' SETTINGS mutations_sync = 1`); err != nil {
			o.Fatal(err)
		}
		if all, is := ask()[told].([]any); is && len(all) > 0 {
			return
		}
	}
	o.Errorf("no answer has %s", told)
}

// unpricedLabour is an event with a line that no rate could price.
var unpricedLabour = event("u", "labour.spent", "2026-01-10T14:00:00Z", "o1",
	`{`+goldenCase+`,"labour_id":"l2","role":"nobody","minutes":18,"currency":"USD"}`)

// fill gives the books all that there is to be told of: a closed month, doubles, a decision, a case that is gone, what
// has no price and what came late.
func (o *openAPI) fill(c *client) {
	o.Helper()
	goneFix := event("o2-g", "refund.issued", "2026-01-11T09:00:00Z", "o2",
		`{"order_id":"o2","store_id":"s1","error_id":"e5","refund_id":"r5","currency":"USD","net":"1"}`)
	for _, e := range slices.Concat(goldenRates, goldenEvents, []string{
		event("d", "order.delivered", "2026-01-10T11:00:00Z", "o1", `{"order_id":"o1","store_id":"s1"}`),
		event("q", "quality.spent", "2026-01-05T11:00:00Z", "",
			`{"spend_id":"q","category":"prevention","store_id":"s1","currency":"USD","amount":"40"}`),
		unpricedLabour,
		// An order in two currencies, of which more is given back than was paid, in a case that is part of another.
		event("o2", "order.placed", "2026-01-10T09:00:00Z", "o2", `{"order_id":"o2","store_id":"s1","currency":"USD",`+
			`"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"10","unit_cost":"6"}]}`),
		event("o2-r", "refund.issued", "2026-01-11T09:00:00Z", "o2",
			`{"order_id":"o2","store_id":"s1","error_id":"e3","refund_id":"r1","currency":"USD","net":"12"}`),
		strings.Replace(event("o2-t", "refund.issued", "2026-01-11T09:00:01Z", "o2",
			`{"order_id":"o2","store_id":"s1","error_id":"e3","refund_id":"r1","currency":"USD","net":"12"}`), "till:1", "shop",
			1),
		strings.Replace(event("o2-c", "refund.issued", "2026-01-11T09:00:02Z", "o2",
			`{"order_id":"o2","store_id":"s1","error_id":"e3","refund_id":"r1","currency":"USD","net":"13"}`), "till:1", "shop",
			1),
		event("o2-y", "concession.granted", "2026-01-13T09:00:00Z", "o2", `{"order_id":"o2","store_id":"s1","error_id":"e3",`+
			`"concession_id":"y1","kind":"cash","currency":"EUR","amount":"9"}`),
		event("o2-s", "error.classified", "2026-01-12T09:00:00Z", "o2",
			`{"order_id":"o2","store_id":"s1","error_id":"e3","same_as":"e4","remark":"not kept"}`),
		event("o2-d", "fact.decided", "2026-01-14T09:00:00Z", "", `{"source":"urn:till:1","id":"o2-y","counts":true,`+
			`"order_id":"o2","actor":"ann","reason":"the customer has it"}`),
		event("o7", "order.placed", "2026-01-10T09:00:00Z", "o7", `{"order_id":"o7","store_id":"s1","currency":"USD",`+
			`"promise":{"until":"2026-01-11T00:00:00Z"},`+
			`"customer_id":"c7","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"10","unit_cost":"6"}]}`),
		event("o7-f", "feedback.received", "2026-01-12T08:00:00Z", "o7",
			`{"order_id":"o7","store_id":"s1","rating":2,"public":true}`),
		event("terms", "vendor.terms", "2026-01-01T09:00:00Z", "", `{"vendor_id":"v1","window_days":30000,`+
			`"effective_from":"2026-01-01","covers":[{"element":"GOODS"}]}`),
		event("o7-e", "error.reported", "2026-01-11T08:00:00Z", "o7", `{"order_id":"o7","store_id":"s1","error_id":"e7",`+
			`"kind":"defective","found":"after_delivery","detected_by":"customer","party_at_fault":"supplier",`+
			`"vendor_id":"v1","experiment":{"name":"calls","arm":"holdout"}}`),
		event("o7-d", "redelivery.dispatched", "2026-01-11T09:00:00Z", "o7", `{"order_id":"o7","store_id":"s1",`+
			`"error_id":"e7","redelivery_id":"d7","mode":"pickup","currency":"USD","lines":[{"sku":"M","quantity":1,`+
			`"unit_cost":"6"}],"promise":{"until":"2026-01-11T10:00:00Z"}}`),
		// A case that is gone.
		goneFix, voidOf("o2", "urn:till:1", "o2-g", goneFix),
	}) {
		if answer := o.ask(c, "POST", "/v1/events", nil, "application/cloudevents+json", e); answer["accepted"] == nil {
			o.Fatal(answer)
		}
	}
	mustCatchUp(o.T, c)
	for _, e := range []string{
		event("c", "period.closed", "2026-02-02T00:00:00Z", "", `{"period":"2026-01"}`),
		event("late", "labour.spent", "2026-01-10T14:00:00Z", "o1",
			`{`+goldenCase+`,"labour_id":"l3","role":"agent","minutes":6,"currency":"USD"}`),
	} {
		mustPost(o.T, c, e)
		mustCatchUp(o.T, c)
	}
}
