package wire

import (
	"bytes"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Media types of the JSON format's content modes.
const (
	ContentTypeEvent = "application/cloudevents+json"
	ContentTypeBatch = "application/cloudevents-batch+json"
	ContentTypeData  = "application/json"
)

// Mode is how an event lies in a message.
type Mode uint8

const (
	NoMode         Mode = iota // the message doesn't say that it is a CloudEvent
	StructuredMode             // the payload is the event
	BatchMode                  // the payload is a list of events
	BinaryMode                 // the payload is the event's data, its attributes are headers
	OtherFormat                // a CloudEvent in a format other than JSON
)

// ModeOf tells the mode by the content type, and by whether there is a header for the attribute specversion, as the
// CloudEvents bindings for Kafka and HTTP say.
func ModeOf(contentType string, specVersion bool) Mode {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.TrimSpace(kind)
	switch {
	case strings.EqualFold(kind, ContentTypeEvent):
		return StructuredMode
	case strings.EqualFold(kind, ContentTypeBatch):
		return BatchMode
	case len(kind) >= len(cloudEvents) && strings.EqualFold(kind[:len(cloudEvents)], cloudEvents):
		return OtherFormat
	case specVersion:
		return BinaryMode
	default:
		return NoMode
	}
}

const cloudEvents = "application/cloudevents"

// Names of headers. Those of attributes are the prefix and the attribute's name.
const (
	KafkaPrefix      = "ce_"
	KafkaContentType = "content-type"
	httpPrefix       = "Ce-"
)

// KafkaHeader takes a header of a Kafka message; what has nothing to do with CloudEvents is passed over.
func (a *Attributes) KafkaHeader(key, value string) {
	switch {
	case strings.EqualFold(key, KafkaContentType):
		a.DataContentType = value
	case len(key) > len(KafkaPrefix) && key[:len(KafkaPrefix)] == KafkaPrefix:
		a.header(key[len(KafkaPrefix):], value)
	}
}

// HTTPHeader takes the headers of an HTTP request.
func (a *Attributes) HTTPHeader(h http.Header) {
	for key, values := range h {
		switch {
		case key == "Content-Type":
			a.DataContentType = values[0]
		case len(key) > len(httpPrefix) && key[:len(httpPrefix)] == httpPrefix:
			for _, v := range values {
				a.header(strings.ToLower(key[len(httpPrefix):]), unescapeHeader(v))
			}
		}
	}
}

// header sets an attribute. Both bindings have datacontenttype in the transport's own header only.
func (a *Attributes) header(name, value string) {
	if name != "datacontenttype" && value != "" && !a.Set(name, value) && (a.twice == "" || name < a.twice) {
		a.twice = name // of several the first by name: headers come in no order
	}
}

// unescapeHeader undoes quotes and percent-encoding, once, as the HTTP binding (3.1.3.2) wants. What only looks like an
// escape is left as it is.
func unescapeHeader(v string) string {
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		quoted := v[1 : len(v)-1]
		var b strings.Builder
		for i := 0; i < len(quoted); i++ {
			if quoted[i] == '\\' && i+1 < len(quoted) {
				i++
			}
			b.WriteByte(quoted[i])
		}
		v = b.String()
	}
	if !strings.Contains(v, "%") {
		return v
	}
	b := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		if v[i] == '%' && i+2 < len(v) && isHex(v[i+1]) && isHex(v[i+2]) {
			b = append(b, fromHex(v[i+1])<<4|fromHex(v[i+2]))
			i += 2
			continue
		}
		b = append(b, v[i])
	}
	return string(b)
}

// Kafka reads the event of a Kafka message. headers may be nil.
func (d *Decoder) Kafka(headers map[string]string, value []byte) (*Envelope, error) {
	// The usual case, spelled as usual: nothing else in the headers matters then.
	if value != nil && headers[KafkaContentType] == ContentTypeEvent {
		return d.Structured(value)
	}
	if value == nil {
		d.begin()
		d.fail(CodeBadJSON, "the record has a null value, which is a tombstone and no event")
		d.err.NotCloudEvent = true
		return d.result()
	}
	d.headers.Reset()
	var typeKey string
	for key, v := range headers {
		if !strings.EqualFold(key, KafkaContentType) {
			d.headers.KafkaHeader(key, v)
		} else if typeKey == "" || before(key, typeKey) {
			typeKey = key
		}
	}
	if typeKey != "" {
		d.headers.KafkaHeader(typeKey, headers[typeKey])
	}
	return d.Message(&d.headers, value)
}

// before says which of two spellings of the content type counts, so that no chance decides: the one of the CloudEvents
// binding, content-type, then the first in the order of bytes.
func before(a, b string) bool { return a == KafkaContentType || b != KafkaContentType && a < b }

// Message reads an event from a message whose headers were taken into attrs before. A message without any header of
// CloudEvents is read as if it were structured: who writes plain JSON with a console producer is understood as well.
func (d *Decoder) Message(attrs *Attributes, value []byte) (*Envelope, error) {
	switch ModeOf(attrs.DataContentType, attrs.SpecVersion != "") {
	case BinaryMode:
		return d.Binary(attrs, value)
	case BatchMode, OtherFormat:
		d.begin()
		d.failAt("datacontenttype", CodeBadContentType, "%s: one event in JSON is expected", quote(attrs.DataContentType))
		d.err.NotCloudEvent = true
		return d.result()
	default:
		return d.Structured(value)
	}
}

// Attributes reads the envelope of an event in structured mode and cuts out its data, without looking into it: any
// CloudEvent will do. The value of an extension is JSON text.
func (d *Decoder) Attributes(payload []byte) (attrs *Attributes, data []byte, err error) {
	d.begin()
	if d.checkStructured(payload) {
		data = d.readEnvelope(payload, false)
		d.referee(payload, "")
	}
	if d.err != nil {
		_, err := d.result()
		return nil, nil, err
	}
	return &d.attrs, data, nil
}

// checkHeaders makes sure of what in structured mode comes from sound JSON.
func (d *Decoder) checkHeaders() bool {
	a := &d.attrs
	if a.twice != "" {
		d.failAt(a.twice, CodeDuplicateMember, "%s is there twice", quote(a.twice))
		return false
	}
	for _, x := range [...]struct{ name, value string }{
		{"specversion", a.SpecVersion},
		{"id", a.ID},
		{"source", a.Source},
		{"type", a.Type},
		{"time", a.Time},
		{"subject", a.Subject},
		{"datacontenttype", a.DataContentType},
		{"dataschema", a.DataSchema},
	} {
		if !utf8.ValidString(x.value) {
			d.failAt(x.name, CodeBadUTF8, "%s is not UTF-8", x.name)
			return false
		}
	}
	for i := range a.Extensions {
		if x := &a.Extensions[i]; !utf8.ValidString(x.Name) || !utf8.ValidString(x.Value) {
			d.failAt(strings.ToValidUTF8(x.Name, "\uFFFD"), CodeBadUTF8, "%s is not UTF-8", quote(x.Name))
			return false
		}
	}
	return true
}

func isBlank(data []byte) bool { return len(bytes.TrimSpace(data)) == 0 }

// EachKafkaHeader calls f with the headers that the attributes are in a Kafka message in binary mode.
func (a *Attributes) EachKafkaHeader(f func(key, value string)) {
	for _, x := range [...]struct{ name, value string }{
		{KafkaContentType, a.DataContentType},
		{KafkaPrefix + "specversion", a.SpecVersion},
		{KafkaPrefix + "id", a.ID},
		{KafkaPrefix + "source", a.Source},
		{KafkaPrefix + "type", a.Type},
		{KafkaPrefix + "time", a.Time},
		{KafkaPrefix + "subject", a.Subject},
		{KafkaPrefix + "dataschema", a.DataSchema},
	} {
		if x.value != "" {
			f(x.name, x.value)
		}
	}
	for i := range a.Extensions {
		f(KafkaPrefix+a.Extensions[i].Name, a.Extensions[i].Value)
	}
}
