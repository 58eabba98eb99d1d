package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
)

func TestStructured(t *testing.T) {
	s := serve(t, nil)
	s.post(single, strings.NewReader(refund(1))).want(t, 202, "").wantAccepted(t, 1)
	s.post("Application/CloudEvents+JSON; charset=UTF-8", strings.NewReader(refund(2))).want(t, 202, "")
	got := s.publisher.messages("makegood.redeliveries")
	if len(got) != 2 || string(got[0].Payload) != refund(1) {
		t.Fatalf("published %v", got)
	}
	if m := got[0].Metadata; len(m) != 2 || m[key] != "o-1" || m["content-type"] != single {
		t.Errorf("metadata is %v", m)
	}
	if got[0].UUID != "" {
		t.Errorf("a message has the UUID %s, which nobody needs", got[0].UUID)
	}
}

func TestBinary(t *testing.T) {
	s := serve(t, nil)
	data := `{"order_id":"o-ü","store_id":"s-1","error_id":"x-1","reason":"mistaken"}`
	s.post("application/json; charset=utf-8", strings.NewReader(data), "ce-specversion", "1.0", "ce-id", "e-1",
		"ce-source", "/till", "ce-type", "makegood.error.rejected.v1",
		"ce-time", "2026-03-02T11:00:00Z", "ce-subject", "o-%C3%BC", "ce-traceparent", "00-ab",
		"X-Other", "no").want(t, 202, "").wantAccepted(t, 1)
	got := s.publisher.messages("makegood.errors")
	if len(got) != 1 || string(got[0].Payload) != data {
		t.Fatalf("published %v", got)
	}
	want := map[string]string{key: "o-ü", "content-type": "application/json; charset=utf-8", "ce_specversion": "1.0",
		"ce_id": "e-1", "ce_source": "/till",
		"ce_type": "makegood.error.rejected.v1", "ce_time": "2026-03-02T11:00:00Z", "ce_subject": "o-ü",
		"ce_traceparent": "00-ab"}
	for k, v := range want {
		if got[0].Metadata[k] != v {
			t.Errorf("header %s is %q, wanted %q", k, got[0].Metadata[k], v)
		}
	}
	if len(got[0].Metadata) != len(want) {
		t.Errorf("metadata is %v", got[0].Metadata)
	}
	s.post("application/json", strings.NewReader(data), "ce-specversion", "1.0", "ce-id", "e-1", "ce-source", "/till",
		"ce-type", "makegood.error.rejected.v1",
		"ce-time", "2026-03-02T11:00:00Z", "ce-subject", "o-1").want(t, 422, gateway.ProblemInvalidEvents).wantAccepted(t, 0)
}

func TestBatch(t *testing.T) {
	s := serve(t, nil)
	s.post(batch, list(refund(1), closed("2026-01"), rejected(1), refund(2),
		closed("2026-02"))).want(t, 202, "").wantAccepted(t, 5)
	topics := s.publisher.topics()
	if len(topics) != 3 || topics[0] != "makegood.books" {
		t.Fatalf("published to %v: books go first, one call per topic", topics)
	}
	books := s.publisher.messages("makegood.books")
	for _, m := range books {
		if _, ok := m.Metadata[key]; ok || m.Metadata[gateway.EndsHeader] != "ends!" {
			t.Errorf("books message has %v", m.Metadata)
		}
	}
	got := s.publisher.messages("makegood.redeliveries")
	if len(books) != 2 || len(got) != 2 || string(got[0].Payload) != refund(1) || string(got[1].Payload) != refund(2) {
		t.Errorf("published %v", got)
	}
	if m := got[0].Metadata; m[gateway.EndsHeader] != "" {
		t.Errorf("metadata is %v", m)
	}
	s.post(batch, strings.NewReader(" [ ] ")).want(t, 202, "").wantAccepted(t, 0)
	if n := s.events.Counts().Accepted; n != 5 {
		t.Errorf("counted %d accepted", n)
	}
}

func TestPartlyGoodBatch(t *testing.T) {
	s := serve(t, nil)
	huge := strings.Replace(refund(4), `"data":{`, `"data":{"note":"`+strings.Repeat("x", 300_000)+`",`, 1)
	a := s.post(batch, list(
		refund(0), strings.Replace(refund(1), `"10"`, `"-10"`, 1), `17`, refund(3), huge, `{"id":"x"}`,
		strings.Replace(refund(6), "f-1", "\xff", 1),
		strings.Replace(refund(7), `"net":"10"`, `"lines":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"net":"10"`, 1),
		strings.Replace(refund(8), "refund.issued.v1", "refund.issued.v9", 1),
	)).want(t, 422, gateway.ProblemInvalidEvents).wantAccepted(t, 2)
	want := []gateway.EventError{
		{Index: 1, Pointer: "/data/net", Code: "negative"},
		{Index: 2, Pointer: "", Code: "bad_json"},
		{Index: 4, Pointer: "", Code: "event_too_large"},
		{Index: 5, Pointer: "/specversion", Code: "required"},
		{Index: 6, Pointer: "", Code: "bad_utf8"},
		{Index: 7, Pointer: "/data/lines" + strings.Repeat("/0", 30), Code: "too_deep"},
		{Index: 8, Pointer: "/type", Code: "unknown_type"},
	}
	if len(a.Errors) != len(want) {
		t.Fatalf("errors are %+v", a.Errors)
	}
	for i, e := range a.Errors {
		if e.Detail == "" {
			t.Errorf("no detail: %+v", e)
		}
		e.Detail = ""
		if e != want[i] {
			t.Errorf("got %+v, wanted %+v", e, want[i])
		}
	}
	if got := s.publisher.messages("makegood.redeliveries"); len(got) != 2 || got[1].Metadata[key] != "o-3" {
		t.Errorf("published %v", got)
	}
	s.post(batch, list(`{}`, `[]`)).want(t, 422, gateway.ProblemInvalidEvents).wantAccepted(t, 0)
}

// TestRefused is what isn't taken at all, and why.
func TestRefused(t *testing.T) {
	s := serve(t, func(c *gateway.EventsConfig, _ *gateway.Config) { c.MaxBatch = 3 })
	deep := strings.Repeat("[", 20_000)
	for _, c := range []struct {
		name, contentType, body string
		status                  int
		problem                 string
	}{
		{"nothing", single, "", 400, gateway.ProblemNoCloudEvent},
		{"no JSON", single, "<xml/>", 400, gateway.ProblemNoCloudEvent},
		{"no object", single, "[]", 400, gateway.ProblemNoCloudEvent},
		{"cut off", single, refund(1)[:100], 400, gateway.ProblemNoCloudEvent},
		{"no id", single, strings.Replace(refund(1), `"id"`, `"no"`, 1), 400, gateway.ProblemNoCloudEvent},
		{"bad UTF-8", single, strings.Replace(refund(1), "f-1", "\xff", 1), 400, gateway.ProblemNoCloudEvent},
		{"two events", single, refund(1) + refund(2), 400, gateway.ProblemNoCloudEvent},
		{"deep", single, strings.Replace(refund(1), `"net"`, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"net"`,
			1), 422, gateway.ProblemInvalidEvents},
		{"very deep", single, strings.Replace(refund(1), `"net"`, `"x":`+deep+strings.Repeat("]", 20_000)+`,"net"`, 1), 400,
			gateway.ProblemNoCloudEvent},
		{"unknown type", single, strings.Replace(refund(1), "refund.issued", "refund.guessed", 1), 422,
			gateway.ProblemInvalidEvents},
		{"subject", single, strings.Replace(refund(1), `"subject":"o-1"`, `"subject":"o-2"`, 1), 422,
			gateway.ProblemInvalidEvents},
		{"large event", single, strings.Replace(refund(1), "f-1", strings.Repeat("f", 300_000), 1), 413,
			gateway.ProblemTooLarge},
		{"no batch", batch, refund(1), 400, gateway.ProblemNoCloudEvent},
		{"broken batch", batch, "[" + refund(1) + refund(2) + "]", 400, gateway.ProblemNoCloudEvent},
		{"open batch", batch, "[" + refund(1) + ",", 400, gateway.ProblemNoCloudEvent},
		{"batch with a comma", batch, "[" + refund(1) + ",]", 400, gateway.ProblemNoCloudEvent},
		{"batch with a tail", batch, "[" + refund(1) + "]]", 400, gateway.ProblemNoCloudEvent},
		{"deep batch", batch, deep, 400, gateway.ProblemNoCloudEvent},
		{"long batch", batch, "[{},{},{},{}]", 413, gateway.ProblemTooLarge},
		{"plain JSON", "application/json", refund(1), 400, gateway.ProblemNoCloudEvent},
		{"text", "text/plain", refund(1), 415, gateway.ProblemUnsupported},
		{"a form", "application/x-www-form-urlencoded", "a=b", 415, gateway.ProblemUnsupported},
		{"no type", "", refund(1), 415, gateway.ProblemUnsupported},
		{"Avro", "application/cloudevents+avro", "x", 415, gateway.ProblemUnsupported},
		{"Latin", single + "; charset=iso-8859-1", refund(1), 415, gateway.ProblemUnsupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := *s
			s.t = t
			s.post(c.contentType, strings.NewReader(c.body)).want(t, c.status, c.problem)
		})
	}
	if topics := s.publisher.topics(); topics != nil {
		t.Errorf("published to %v", topics)
	}
}

func TestBinaryRefused(t *testing.T) {
	s := serve(t, nil)
	headers := func(without ...string) (h []string) {
		for _, x := range [][2]string{{"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-source", "/s"},
			{"ce-type", "makegood.period.closed.v1"}, {"ce-time", "2026-03-02T11:00:00Z"}} {
			if !slices.Contains(without, x[0]) {
				h = append(h, x[0], x[1])
			}
		}
		return h
	}
	body := func() *strings.Reader { return strings.NewReader(`{"period":"2026-01"}`) }
	s.post("application/json", body(), headers()...).want(t, 202, "")
	s.post("", body(), headers()...).want(t, 202, "")
	s.post("text/xml", body(), headers()...).want(t, 415, gateway.ProblemUnsupported)
	s.post("application/json", body(), headers("ce-id")...).want(t, 400, gateway.ProblemNoCloudEvent)
	s.post("application/json", body(), headers("ce-specversion")...).want(t, 400, gateway.ProblemNoCloudEvent)
	s.post("application/json", body(), headers("ce-time")...).want(t, 422, gateway.ProblemInvalidEvents)
	s.post("application/json", body(), append(headers(), "ce-id", "2")...).want(t, 422, gateway.ProblemInvalidEvents)
	s.post("application/json", strings.NewReader("{"), headers()...).want(t, 422, gateway.ProblemInvalidEvents)
	s.post("application/json", strings.NewReader(""), headers()...).want(t, 422, gateway.ProblemInvalidEvents)
}

func TestNotAcknowledged(t *testing.T) {
	s := serve(t, func(c *gateway.EventsConfig, _ *gateway.Config) {
		c.RetryAfter = 1500 * time.Millisecond
		c.PublishTimeout = 200 * time.Millisecond
	})
	s.publisher.fail["makegood.redeliveries"] = errBroker
	a := s.post(batch, list(refund(1), rejected(1), `{}`)).want(t, 503, gateway.ProblemNotAcknowledged)
	if a.header.Get("Retry-After") != "2" || a.Accepted != nil || strings.Contains(a.body, errBroker.Error()) {
		t.Errorf("%v %s", a.header, a.body)
	}
	// Nothing goes out after books that didn't get through.
	s.publisher.fail["makegood.books"] = errBroker
	s.post(batch, list(rejected(2), closed("2026-01"))).want(t, 503, gateway.ProblemNotAcknowledged)
	if got := s.publisher.messages("makegood.errors"); len(got) != 1 {
		t.Errorf("published %v", got)
	}
	// A broker that doesn't answer.
	s.publisher.mu.Lock()
	s.publisher.wait = make(chan struct{})
	s.publisher.mu.Unlock()
	s.post(single, strings.NewReader(rejected(3))).want(t, 503, gateway.ProblemNotAcknowledged)
	if n := s.events.Counts().Failed; n != 3 {
		t.Errorf("counted %d failures", n)
	}
}

func TestEndsOfTheLog(t *testing.T) {
	s := serve(t, func(c *gateway.EventsConfig, _ *gateway.Config) {
		c.Ends = func(context.Context) (string, error) { return "", errors.New("no broker") }
		c.TopicPrefix = "other."
	})
	s.post(single, strings.NewReader(closed("2026-01"))).want(t, 503, gateway.ProblemNotAcknowledged)
	s.post(single, strings.NewReader(refund(1))).want(t, 202, "")
	if topics := s.publisher.topics(); !slices.Equal(topics, []string{"other.redeliveries"}) {
		t.Errorf("published to %v", topics)
	}
}

func TestForeignSources(t *testing.T) {
	s := serve(t, func(_ *gateway.EventsConfig, c *gateway.Config) {
		c.Guard = func(r *http.Request, _ ...gateway.Scope) (*gateway.Grant, error) {
			switch r.Header.Get("Authorization") {
			case "Bearer till":
				return &gateway.Grant{Name: "till", Scopes: []gateway.Scope{gateway.Write}, Sources: []string{"/till"}}, nil
			case "Bearer reader":
				return nil, gateway.ErrForbidden
			}
			return nil, gateway.ErrUnauthenticated
		}
	})
	if a := s.post(single, strings.NewReader(refund(1))).want(t, 401,
		gateway.ProblemUnauthorized); a.header.Get("WWW-Authenticate") == "" {
		t.Error("no challenge")
	}
	s.post(single, strings.NewReader(refund(1)), "Authorization", "Bearer reader").want(t, 403, gateway.ProblemForbidden)
	s.post(single, strings.NewReader(closed("2026-01")), "Authorization", "Bearer till").want(t, 403,
		gateway.ProblemForbidden)
	s.post(single, strings.NewReader(refund(1)), "Authorization", "Bearer till").want(t, 202, "")
	a := s.post(batch, list(refund(1), closed("2026-01")), "Authorization", "Bearer till").want(t, 422,
		gateway.ProblemInvalidEvents).wantAccepted(t, 1)
	if a.Errors[0].Code != gateway.CodeForbiddenSource {
		t.Errorf("%+v", a.Errors)
	}
}
