package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.yaml.in/yaml/v3"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
	"github.com/makegood/makegood/infra/wire/schemas"
)

// openAPI is the description of the HTTP side, strict: what it says nothing about may not be in an answer.
type openAPI struct {
	*testing.T
	document map[string]any
	compiler *jsonschema.Compiler
	asked    map[string]bool // operations that gave an answer with a body
	seen     map[string]bool // members that were in an answer, by place in the document
}

func readOpenAPI(t *testing.T) *openAPI {
	t.Helper()
	var read any
	if err := yaml.Unmarshal(schemas.OpenAPI(), &read); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(document)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("urn:openapi", document); err != nil {
		t.Fatal(err)
	}
	return &openAPI{T: t, document: document.(map[string]any), compiler: c, asked: map[string]bool{},
		seen: map[string]bool{}}
}

// closeObjects forbids members that aren't described.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, open := v["additionalProperties"]; !open && v["properties"] != nil {
			v["additionalProperties"] = false
		}
		for _, member := range v {
			closeObjects(member)
		}
	case []any:
		for _, element := range v {
			closeObjects(element)
		}
	}
}

// at finds a part of the document by its place, and follows where that points to.
func (o *openAPI) at(place ...string) (any, []string) {
	var part any = o.document
	for i, name := range place {
		object, ok := part.(map[string]any)
		if !ok {
			return nil, place
		}
		part = object[name]
		if object, ok = part.(map[string]any); ok {
			if ref, ok := object["$ref"].(string); ok {
				return o.at(append(strings.Split(strings.TrimPrefix(ref, "#/"), "/"), place[i+1:]...)...)
			}
		}
	}
	return part, place
}

// see notes which described members v has.
func (o *openAPI) see(v any, place []string) {
	schema, place := o.at(place...)
	described, _ := schema.(map[string]any)
	switch v := v.(type) {
	case map[string]any:
		properties, _ := described["properties"].(map[string]any)
		for name, member := range v {
			if properties[name] != nil {
				o.seen[strings.Join(append(slices.Clone(place), name), "/")] = true
				o.see(member, append(slices.Clone(place), "properties", name))
			}
		}
	case []any:
		for _, element := range v {
			o.see(element, append(slices.Clone(place), "items"))
		}
	}
}

// disturbed asks for the status while something of the log is lost in the store, and another topic isn't what it was.
func (o *openAPI) disturbed(app *server.App, c *client) {
	o.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(app.Brokers...))
	if err != nil {
		o.Fatal(err)
	}
	defer client.Close()
	grow := kmsg.NewPtrCreatePartitionsRequest()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = "makegood.books", 3
	grow.Topics, grow.TimeoutMillis = append(grow.Topics, topic), 5000
	if _, err := grow.RequestWith(o.Context(), client); err != nil {
		o.Fatal(err)
	}
	if err := app.Store.DB.Exec(o.Context(), "INSERT INTO gaps (stream, partition, first, upto, records, found, closed) "+
		"VALUES ('orders', 0, 100, 200, 0, now64(3), 0)"); err != nil {
		o.Fatal(err)
	}
	for until := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		answer := o.ask(c, "GET", "/v1/status", nil, "", "")
		if problems, _ := answer["problems"].([]any); len(problems) > 0 {
			return
		}
		if time.Now().After(until) {
			o.Fatalf("the status never says what is wrong: %v", answer)
		}
	}
}

// unseen are the described members of what place leads to that were in no answer.
func (o *openAPI) unseen(place []string, visited map[string]bool) []string {
	schema, place := o.at(place...)
	here := strings.Join(place, "/")
	described, ok := schema.(map[string]any)
	if !ok || visited[here] {
		return nil
	}
	visited[here] = true
	var all []string
	properties, _ := described["properties"].(map[string]any)
	for name := range properties {
		if !o.seen[here+"/"+name] {
			all = append(all, here+"/"+name)
		}
		all = append(all, o.unseen(append(slices.Clone(place), "properties", name), visited)...)
	}
	return append(all, o.unseen(append(slices.Clone(place), "items"), visited)...)
}

// ask sends a request and holds the answer against its description. path is as described, with {…} for what values
// have.
func (o *openAPI) ask(c *client, method, path string, values url.Values, contentType, body string) map[string]any {
	o.Helper()
	target, query := path, url.Values{}
	for name, of := range values {
		if strings.Contains(path, "{"+name+"}") {
			target = strings.Replace(target, "{"+name+"}", url.PathEscape(of[0]), 1)
			continue
		}
		query[name] = of
	}
	request, err := http.NewRequestWithContext(o.Context(), method, c.base+target+"?"+query.Encode(),
		strings.NewReader(body))
	if err != nil {
		o.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		o.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		o.Fatal(err)
	}
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil {
		o.Fatalf("%s %s: %v", method, target, err)
	}
	what := fmt.Sprintf("%s %s?%s: %d %s", method, target, query.Encode(), response.StatusCode, kind)
	operation := []string{"paths", path, strings.ToLower(method)}
	status := fmt.Sprint(response.StatusCode)
	if responses, _ := o.at(append(operation, "responses")...); responses.(map[string]any)[status] == nil {
		status = "default"
	}
	if status == "default" && response.StatusCode < 400 {
		o.Fatalf("%s: that status is not described", what)
	}
	content, place := o.at(append(operation, "responses", status, "content")...)
	if media, _ := content.(map[string]any); media[kind] == nil {
		o.Errorf("%s: that type is not described", what)
		return nil
	}
	if response.StatusCode < 400 {
		o.asked[strings.Join(operation, " ")] = true
	}
	if !strings.HasSuffix(kind, "json") {
		return nil
	}
	place = append(slices.Clone(place), kind, "schema")
	if described, _ := o.at(place...); described == nil {
		return nil // a schema of its own
	}
	escaped := make([]string, len(place))
	for i, name := range place {
		escaped[i] = url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	schema, err := o.compiler.Compile("urn:openapi#/" + strings.Join(escaped, "/"))
	if err != nil {
		o.Fatalf("%s: %v", what, err)
	}
	answer, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		o.Fatalf("%s: %v: %s", what, err, text)
	}
	if err := schema.Validate(answer); err != nil {
		o.Errorf("%s: %v\n%s", what, err, text)
	}
	o.see(answer, place)
	object, _ := answer.(map[string]any)
	return object
}

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
	for _, path := range []string{"/healthz", "/readyz", "/v1/status", "/v1/periods", "/v1/unpriced", "/v1/deadletters",
		"/v1/rates", "/v1/audit", "/v1/seals", "/v1/verify", "/v1/rebuild", "/openapi.yaml", "/asyncapi.yaml", "/metrics",
		"/", "/cases"} {
		get(path, nil)
	}
	get("/v1/rates", url.Values{"all": {"true"}, "at": {"2026-01-05"}})
	get("/v1/summary", with())
	get("/v1/summary", with("store", "s1"))
	for _, format := range []string{"json", "csv", "xlsx"} {
		get("/v1/reports/leakage", with("format", format, "group_by", "store,kind,element"))
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
		config.Accounts, config.Brokers = chart, fake.Brokers()
	})
	o.questions(c)

	unpriced := event("u", "labour.spent", "2026-01-10T14:00:00Z", "o1",
		`{`+goldenCase+`,"labour_id":"l2","role":"nobody","minutes":18,"currency":"USD"}`)
	goneFix := event("o2-g", "refund.issued", "2026-01-11T09:00:00Z", "o2",
		`{"order_id":"o2","store_id":"s1","error_id":"e5","refund_id":"r5","currency":"USD","net":"1"}`)
	for _, e := range slices.Concat(goldenRates, goldenEvents, []string{
		event("d", "order.delivered", "2026-01-10T11:00:00Z", "o1", `{"order_id":"o1","store_id":"s1"}`),
		event("q", "quality.spent", "2026-01-05T11:00:00Z", "",
			`{"spend_id":"q","category":"prevention","store_id":"s1","currency":"USD","amount":"40"}`),
		unpriced,
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
		// A case that is gone.
		goneFix, voidOf("o2", "urn:till:1", "o2-g", goneFix),
	}) {
		if answer := o.ask(c, "POST", "/v1/events", nil, "application/cloudevents+json", e); answer["accepted"] == nil {
			t.Fatal(answer)
		}
	}
	mustCatchUp(t, c)
	for _, e := range []string{
		event("c", "period.closed", "2026-02-02T00:00:00Z", "", `{"period":"2026-01"}`),
		event("late", "labour.spent", "2026-01-10T14:00:00Z", "o1",
			`{`+goldenCase+`,"labour_id":"l3","role":"agent","minutes":6,"currency":"USD"}`),
	} {
		mustPost(t, c, e)
		mustCatchUp(t, c)
	}
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

	sealedBy(t, c, "2026-01")
	o.ask(c, "GET", "/v1/periods/{period}", url.Values{"period": {"2026-01"}}, "", "")
	o.ask(c, "GET", "/v1/seals", nil, "", "")
	mustPost(t, c, event("v", "event.voided", "2026-02-03T00:00:00Z", "o1",
		`{`+goldenCase+`,"voids":{"source":"urn:till:1","id":"u"},"reason":"mistake","original":`+unpriced+`}`))
	mustCatchUp(t, c)
	if whole := o.ask(c, "GET", "/v1/events", url.Values{"source": {"urn:till:1"}, "id": {"u"}}, "",
		""); whole["voided_by"] == nil {
		t.Errorf("what was voided is not said to be: %v", whole)
	}
	o.ask(c, "GET", "/v1/reports/changes", url.Values{"since_close": {"2026-01"}}, "", "")
	for _, format := range []string{"csv", "xlsx"} {
		o.ask(c, "GET", "/v1/reports/changes", url.Values{"since_close": {"2026-01"}, "format": {format}}, "", "")
	}
	letters := openLetters(t, c)
	id := url.Values{"id": {letters["bad_json"].ID}}
	whole := o.ask(c, "GET", "/v1/deadletters/{id}", id, "", "")
	if payload, err := base64.StdEncoding.DecodeString(fmt.Sprint(whole["payload"])); err != nil ||
		string(payload) != "no event" {
		t.Errorf("the payload is %s: %v", payload, err)
	}
	o.ask(c, "POST", "/v1/deadletters/{id}/replay", id, "", "")
	mustCatchUp(t, c)
	o.ask(c, "POST", "/v1/deadletters/{id}/discard", id, "", "")
	o.people(c, w)
	o.ask(c, "POST", "/v1/reconcile", url.Values{"currency": {"USD"}}, "text/csv",
		"date,id,amount\n2026-01-11,stranger,5\n")
	if err := app.Store.DB.Exec(t.Context(),
		`ALTER TABLE ledger DELETE WHERE event_id = '8' SETTINGS mutations_sync = 1`); err != nil {
		t.Fatal(err)
	}
	o.ask(c, "POST", "/v1/reconcile", nil, "", "")
	sealedBy(t, c, "2026-01")
	o.ask(c, "GET", "/v1/verify", url.Values{"period": {"2026-01"}, "root": {strings.Repeat("0", 64)}}, "", "")

	// Problems: each with what it has beside the members of the RFC.
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
	} {
		answer := o.ask(c, p.method, p.path, p.values, p.contentType, p.body)
		if answer["type"] != "urn:makegood:problem:"+p.code || p.member != "" && answer[p.member] == nil {
			t.Errorf("%s %s: %v", p.method, p.path, answer)
		}
	}
	mustPost(t, c, strings.NewReplacer(`"USD"`, `"EUR"`, `"1"`, `"euros"`).Replace(goldenEvents[0]))
	mustPost(t, c, event("eu", "refund.issued", "2026-01-12T10:00:00Z", "o1",
		`{`+goldenCase+`,"refund_id":"r","currency":"EUR","net":"1"}`))
	mustCatchUp(t, c)
	if answer := o.ask(c, "GET", "/v1/summary", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}}, "",
		""); fmt.Sprint(answer["currencies"]) != "[EUR USD]" {
		t.Errorf("%v", answer)
	}
	o.ask(c, "GET", "/v1/journal", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}}, "", "")
	inDollars := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "group_by": {"store"}, "translate_to": {"USD"}}
	if answer := o.ask(c, "GET", "/v1/reports/leakage", inDollars, "",
		""); fmt.Sprint(answer["missing"]) != "[map[currency:EUR day:2026-01-12]]" {
		t.Errorf("%v", answer)
	}
	mustPost(t, c, exchangeRate("x", "EUR", "1.085", "2026-01-01"))
	for _, format := range []string{"json", "csv", "xlsx"} {
		inDollars.Set("format", format)
		o.ask(c, "GET", "/v1/reports/leakage", inDollars, "", "")
	}
	o.ask(c, "GET", "/v1/rates", nil, "", "")
	if err := os.WriteFile(chart, []byte("1010: 9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if answer := o.ask(c, "GET", "/v1/journal", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}}, "",
		""); answer["type"] != "urn:makegood:problem:accounts_unmapped" || answer["accounts"] == nil {
		t.Errorf("%v", answer)
	}

	o.disturbed(app, c)

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
					t.Errorf("%s %s was not asked", method, path)
				}
				if body, _ := json.Marshal(response); !bytes.Contains(body, []byte("$ref")) &&
					!bytes.Contains(body, []byte(`"properties"`)) {
					t.Errorf("%s %s: its answer is not described", method, path)
				}
				for _, member := range o.unseen(append(slices.Clone(place), status, "content", "application/json", "schema"),
					visited) {
					t.Errorf("%s is described, and in no answer", member)
				}
			}
		}
	}
}
