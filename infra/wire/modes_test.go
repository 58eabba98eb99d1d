package wire_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/wire"
)

// scenario is one case of the CloudEvents conformance suite (cloudevents/conformance, Apache-2.0).
type scenario struct {
	name       string
	http       string            // a whole request
	headers    map[string]string // of a Kafka message
	payload    string
	attributes map[string]string
	data       string
}

const (
	conformanceData       = `{"message": "Hello World!"}`
	conformanceStructured = `{
    "specversion": "1.0",
    "type": "com.example.someevent",
    "time": "2018-04-05T03:56:24Z",
    "id": "1234-1234-1234",
    "source": "/mycontext/subcontext",
    "datacontenttype": "application/json",
    "data": {
        "message": "Hello World!"
    }
}`
)

// conformance carries the suite's cases, so that they are tested where its files are not.
func conformance() []scenario {
	attributes := func(contentType string) map[string]string {
		return map[string]string{
			"id": "1234-1234-1234", "specversion": "1.0", "type": "com.example.someevent", "source": "/mycontext/subcontext",
			"time": "2018-04-05T03:56:24Z", "datacontenttype": contentType,
		}
	}
	all := []scenario{{
		name:    "Kafka, binary content mode",
		payload: conformanceData, data: conformanceData,
		headers: map[string]string{
			"ce_specversion": "1.0", "ce_id": "1234-1234-1234", "ce_type": "com.example.someevent",
			"ce_source": "/mycontext/subcontext",
			"ce_time":   "2018-04-05T03:56:24Z", "content-type": "application/json",
		},
		attributes: attributes("application/json"),
	}}
	for _, contentType := range []string{"application/cloudevents+json", "application/cloudevents+json; charset=utf-8"} {
		all = append(all, scenario{
			name:    "Kafka, structured content mode, " + contentType,
			payload: conformanceStructured, data: conformanceData,
			headers:    map[string]string{"content-type": contentType},
			attributes: attributes("application/json"),
		}, scenario{
			name: "HTTP, structured content mode, " + contentType,
			http: "POST /someresource HTTP/1.1\nHost: example.com\nContent-Type: " + contentType +
				"\nContent-Length: 266\n\n" + conformanceStructured,
			data: conformanceData, attributes: attributes("application/json"),
		})
	}
	for _, contentType := range []string{"application/json", "application/json; charset=utf-8"} {
		all = append(all, scenario{
			name: "HTTP, binary content mode, " + contentType,
			http: "POST /someresource HTTP/1.1\nHost: example.com\nce-specversion: 1.0\nce-type: com.example.someevent\n" +
				"ce-time: 2018-04-05T03:56:24Z\nce-id: 1234-1234-1234\nce-source: /mycontext/subcontext\nContent-Type: " +
				contentType + "\nContent-Length: 33\n\n" + conformanceData,
			data: conformanceData, attributes: attributes(contentType),
		})
	}
	return all
}

func TestConformance(t *testing.T) {
	own := conformance()
	for _, s := range own {
		t.Run(s.name, s.run)
	}
	// The suite's own files, where they lie beside the repository.
	files, err := filepath.Glob("../../../shared/data/cloudevents/*.feature")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, file := range files {
		for _, s := range parseFeature(t, file) {
			read++
			t.Run(filepath.Base(file)+"/"+s.name, s.run)
		}
	}
	if len(files) > 0 && read != len(own) {
		t.Errorf("%d cases in the files, %d in this test", read, len(own))
	}
}

func (s scenario) run(t *testing.T) {
	var d wire.Decoder
	var attrs wire.Attributes
	payload := s.payload
	if s.http != "" {
		head, body, _ := strings.Cut(s.http, "\n\n")
		payload = body
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		attrs.HTTPHeader(r.Header)
	}
	for k, v := range s.headers {
		attrs.KafkaHeader(k, v)
	}
	got, data := &attrs, []byte(payload)
	switch mode := wire.ModeOf(attrs.DataContentType, attrs.SpecVersion != ""); mode {
	case wire.StructuredMode:
		var err error
		if got, data, err = d.Attributes([]byte(payload)); err != nil {
			t.Fatal(err)
		}
	case wire.BinaryMode:
	default:
		t.Fatalf("mode %d", mode)
	}
	all := map[string]string{
		"id": got.ID, "specversion": got.SpecVersion, "type": got.Type, "source": got.Source, "time": got.Time,
		"datacontenttype": got.DataContentType,
	}
	if !reflect.DeepEqual(all, s.attributes) || got.Subject != "" || len(got.Extensions) > 0 {
		t.Errorf("read %+v, wanted %v", got, s.attributes)
	}
	var have, want any
	if err := errors.Join(json.Unmarshal(data, &have), json.Unmarshal([]byte(s.data), &want)); err != nil ||
		!reflect.DeepEqual(have, want) {
		t.Errorf("data is %s (%v)", data, err)
	}
}

// parseFeature reads as much of Gherkin as the suite uses.
func parseFeature(t *testing.T, file string) []scenario {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []scenario
	for _, block := range strings.Split(string(text), "Scenario")[1:] {
		var s scenario
		var step string
		var examples []string
		lines := strings.Split(block, "\n")
		_, s.name, _ = strings.Cut(lines[0], ":")
		s.name = strings.TrimSpace(s.name)
		for i := 1; i < len(lines); i++ {
			line := strings.TrimSpace(lines[i])
			switch {
			case line == `"""`:
				indent := lines[i][:strings.Index(lines[i], `"`)]
				var doc []string
				for i++; strings.TrimSpace(lines[i]) != `"""`; i++ {
					doc = append(doc, strings.TrimPrefix(lines[i], indent))
				}
				content := strings.Join(doc, "\n")
				switch {
				case strings.Contains(step, "HTTP request"):
					s.http = content
				case strings.Contains(step, "payload"):
					s.payload = content
				case strings.Contains(step, "data is equal"):
					s.data = content
				}
			case strings.HasPrefix(line, "|"):
				cells := strings.Split(strings.Trim(line, "|"), "|")
				for j := range cells {
					cells[j] = strings.TrimSpace(cells[j])
				}
				switch {
				case step == "Examples:":
					examples = append(examples, cells[0])
				case cells[0] == "key":
				case strings.Contains(step, "headers"):
					s.headers = with(s.headers, cells[0], cells[1])
				case strings.Contains(step, "attributes"):
					s.attributes = with(s.attributes, cells[0], cells[1])
				}
			case line != "":
				step = line
			}
		}
		if examples == nil {
			all = append(all, s)
			continue
		}
		placeholder := "<" + examples[0] + ">"
		for _, value := range examples[1:] {
			one := s
			one.name = strings.ReplaceAll(s.name, placeholder, value)
			one.http = strings.ReplaceAll(s.http, placeholder, value)
			one.headers, one.attributes = nil, nil
			for k, v := range s.headers {
				one.headers = with(one.headers, k, strings.ReplaceAll(v, placeholder, value))
			}
			for k, v := range s.attributes {
				one.attributes = with(one.attributes, k, strings.ReplaceAll(v, placeholder, value))
			}
			all = append(all, one)
		}
	}
	return all
}

func with(m map[string]string, k, v string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[k] = v
	return m
}

func TestModeOf(t *testing.T) {
	for _, c := range []struct {
		contentType string
		specVersion bool
		mode        wire.Mode
	}{
		{"application/cloudevents+json", false, wire.StructuredMode},
		{"Application/CloudEvents+JSON ; charset=utf-8", true, wire.StructuredMode},
		{"application/cloudevents-batch+json", false, wire.BatchMode},
		{"application/cloudevents+avro", false, wire.OtherFormat},
		{"application/cloudevents", false, wire.OtherFormat},
		{"application/json", true, wire.BinaryMode},
		{"", true, wire.BinaryMode},
		{"application/json", false, wire.NoMode},
		{"", false, wire.NoMode},
	} {
		if got := wire.ModeOf(c.contentType, c.specVersion); got != c.mode {
			t.Errorf("%q, %t: mode %d, wanted %d", c.contentType, c.specVersion, got, c.mode)
		}
	}
}

func TestKafka(t *testing.T) {
	s := byName(t, "refund.issued")
	structured := s.event.json()
	want := mustRead(t, structured)
	headers := map[string]string{"ce_specversion": "1.0", "content-type": "application/json; charset=utf-8",
		"traceparent": "not ours", "ce_traceparent": "00-ab"}
	for _, name := range []string{"id", "source", "type", "time", "subject"} {
		headers["ce_"+name] = s.event[name].(string)
	}
	data := s.event["data"].(tree).json()
	var d wire.Decoder
	got, err := d.Kafka(headers, data)
	if err != nil {
		t.Fatal(err)
	}
	same(t, want, got, data)
	if string(got.Extensions) != `{"traceparent":"00-ab"}` {
		t.Errorf("extensions are %s", got.Extensions)
	}
	for _, h := range []map[string]string{nil, {"content-type": "application/cloudevents+json"},
		{"content-type": "application/json"}, {"x": "y"}} {
		if got, err = d.Kafka(h, structured); err != nil {
			t.Fatal(err)
		}
		same(t, want, got, structured)
	}

	for _, c := range []struct{ header, value, data, pointer, code string }{
		{"content-type", "text/plain", string(data), "/datacontenttype", wire.CodeBadContentType},
		{"content-type", "application/cloudevents-batch+json", string(data), "/datacontenttype", wire.CodeBadContentType},
		{"content-type", "application/cloudevents+protobuf", string(data), "/datacontenttype", wire.CodeBadContentType},
		{"ce_id", "", string(data), "/id", wire.CodeRequired},
		{"ce_id", "a\xffb", string(data), "/id", wire.CodeBadUTF8},
		{"ce_other", "a\xffb", string(data), "/other", wire.CodeBadUTF8},
		{"ce_subject", "o-2", string(data), "/subject", wire.CodeSubjectMismatch},
		{"ce_time", "yesterday", string(data), "/time", wire.CodeBadTime},
		{"ce_other", strings.Repeat("x", wire.MaxEvent), string(data), "", wire.CodeEventTooLarge},
		{"x", "", ``, "/data", wire.CodeRequired},
		{"x", "", ` `, "/data", wire.CodeRequired},
		{"x", "", `null`, "/data", wire.CodeWrongType},
		{"x", "", `{`, "/data", wire.CodeBadJSON},
		{"x", "", `{"order_id":tru}`, "/data", wire.CodeBadJSON},
		{"x", "", string(data) + "x", "/data", wire.CodeBadJSON},
		{"x", "", strings.Replace(string(data), `"10"`, `1.00001`, 1), "/data/net", wire.CodeTooManyDecimals},
		{"x", "", strings.Replace(string(data), `"10"`, `01`, 1), "/data", wire.CodeBadJSON},
		{"x", "", strings.Replace(string(data), `"10"`, "\"\xff\"", 1), "/data", wire.CodeBadUTF8},
	} {
		h := map[string]string{}
		for k, v := range headers {
			h[k] = v
		}
		h[c.header] = c.value
		_, err := d.Kafka(h, []byte(c.data))
		var e *wire.Error
		if !errors.As(err, &e) || e.Pointer != c.pointer || e.Code != c.code {
			t.Errorf("%s: %q with %s: %v, wanted %s at %s", c.header, short([]byte(c.value)), short([]byte(c.data)), err,
				c.code, c.pointer)
			continue
		}
		if lacks := c.header == "ce_id" && c.value == ""; e.NotCloudEvent != (lacks ||
			strings.HasPrefix(c.value, "application/cloudevents")) {
			t.Errorf("%v: NotCloudEvent is %t", e, e.NotCloudEvent)
		}
	}
}

func TestHTTPHeaders(t *testing.T) {
	for _, c := range []struct{ header, value string }{
		{"plain", "plain"},
		{"Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"},
		{"100%25", "100%"},
		{"100%", "100%"},
		{"%zz%4", "%zz%4"},
		{`"quoted \"x\" \\ %20"`, `quoted "x" \  `},
		{`"`, `"`},
	} {
		var a wire.Attributes
		a.HTTPHeader(http.Header{"Ce-Id": {c.header}, "Ce-Myext": {c.header}, "Accept": {"x"}})
		if a.ID != c.value || len(a.Extensions) != 1 || a.Extensions[0] != (wire.Extension{Name: "myext", Value: c.value}) {
			t.Errorf("%q was read as %+v", c.header, a)
		}
	}
	s := byName(t, "period.closed")
	h := http.Header{"Content-Type": {"application/json"}, "Ce-Specversion": {"1.0"}, "Ce-Id": {"1", "2"},
		"Ce-Source": {"/s"}, "Ce-Type": {s.typ.String()}, "Ce-Time": {"2026-03-02T11:00:00Z"}}
	var a wire.Attributes
	a.HTTPHeader(h)
	_, err := new(wire.Decoder).Binary(&a, []byte(`{"period":"2026-01"}`))
	var e *wire.Error
	if !errors.As(err, &e) || e.Code != wire.CodeDuplicateMember || e.Pointer != "/id" {
		t.Errorf("two ids: %v", err)
	}
}

// TestSpellingsOfTheContentType: of two spellings the one of the binding counts, then the first by bytes; never chance.
func TestSpellingsOfTheContentType(t *testing.T) {
	event := byName(t, "refund.issued").event.json()
	for range 50 { // a map has another order each time
		for _, h := range []map[string]string{
			{"content-type": "application/cloudevents+json", "Content-Type": "text/plain", "CONTENT-TYPE": "image/png"},
			{"CONTENT-TYPE": "application/cloudevents+json", "Content-Type": "application/cloudevents-batch+json"},
		} {
			if _, err := new(wire.Decoder).Kafka(h, event); err != nil {
				t.Fatalf("%v: %v", h, err)
			}
		}
		if _, err := new(wire.Decoder).Kafka(map[string]string{"content-type": "application/cloudevents-batch+json",
			"CONTENT-TYPE": "application/cloudevents+json"}, event); err == nil {
			t.Fatal("another spelling counted")
		}
	}
}

// TestTombstone: a null value is told as one, whatever the headers say.
func TestTombstone(t *testing.T) {
	for _, h := range []map[string]string{nil, {"content-type": wire.ContentTypeEvent},
		{"content-type": "application/json", "ce_specversion": "1.0", "ce_id": "1", "ce_source": "/s"}} {
		_, err := new(wire.Decoder).Kafka(h, nil)
		var e *wire.Error
		if !errors.As(err, &e) || !e.NotCloudEvent || !strings.Contains(e.Detail, "null value") {
			t.Errorf("%v: %v", h, err)
		}
	}
}

// TestTimesOfRFC3339: a leap second stays in the day that it ends, and what is finer than nanoseconds is cut off.
func TestTimesOfRFC3339(t *testing.T) {
	for text, want := range map[string]string{
		"2026-06-30T23:59:60Z":                     "2026-06-30T23:59:59Z",
		"2026-12-31T23:59:60.25Z":                  "2026-12-31T23:59:59.25Z",
		"2026-07-01T01:59:60+02:00":                "2026-06-30T23:59:59Z",
		"2026-03-02T11:00:00.123456789987654Z":     "2026-03-02T11:00:00.123456789Z",
		"2026-03-02T11:00:00.9999999999Z":          "2026-03-02T11:00:00.999999999Z",
		"2026-03-02T11:00:00.00000000000000+01:00": "2026-03-02T10:00:00Z",
	} {
		sample := byName(t, "refund.issued").event
		set(sample, "/time", text)
		e, err := new(wire.Decoder).Structured(sample.json())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := e.Event.Time.UTC().Format(time.RFC3339Nano); got != want {
			t.Errorf("%s was read as %s, want %s", text, got, want)
		}
	}
}
