package wire

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/makegood/makegood/domain"
)

const specVersion = "1.0"

// Attributes are what an envelope says around data. An empty string is an attribute that isn't there.
type Attributes struct {
	SpecVersion, ID, Source, Type, Time, Subject string
	DataContentType, DataSchema                  string
	Extensions                                   []Extension

	twice string // an attribute that was set twice by headers
}

// Extension is an attribute that CloudEvents doesn't know.
type Extension struct {
	Name, Value string

	json bool // Value is JSON already
}

// Reset empties a and keeps its room.
func (a *Attributes) Reset() { *a = Attributes{Extensions: a.Extensions[:0]} }

// Set sets one attribute by its name in CloudEvents. It reports whether the attribute wasn't set before.
func (a *Attributes) Set(name, value string) bool {
	var into *string
	switch name {
	case "specversion":
		into = &a.SpecVersion
	case "id":
		into = &a.ID
	case "source":
		into = &a.Source
	case "type":
		into = &a.Type
	case "time":
		into = &a.Time
	case "subject":
		into = &a.Subject
	case "datacontenttype":
		into = &a.DataContentType
	case "dataschema":
		into = &a.DataSchema
	default:
		for i := range a.Extensions {
			if a.Extensions[i].Name == name {
				return false
			}
		}
		a.Extensions = append(a.Extensions, Extension{Name: name, Value: value})
		return true
	}
	if *into != "" {
		return false
	}
	*into = value
	return true
}

func (a *Attributes) copyFrom(b *Attributes) {
	room := a.Extensions[:0]
	*a = *b
	a.Extensions = append(room, b.Extensions...)
}

func (a *Attributes) size() int {
	n := len(a.SpecVersion) + len(a.ID) + len(a.Source) + len(a.Type) + len(a.Time) + len(a.Subject) +
		len(a.DataContentType) + len(a.DataSchema)
	for i := range a.Extensions {
		n += len(a.Extensions[i].Name) + len(a.Extensions[i].Value)
	}
	return n
}

// checkAttributes checks the envelope in the contract's order and puts it into the event.
func (d *Decoder) checkAttributes() bool {
	a, e := &d.attrs, &d.envelope.Event
	for _, must := range [...]struct{ name, value string }{
		{"specversion", a.SpecVersion}, {"id", a.ID}, {"source", a.Source}, {"type", a.Type},
	} {
		if must.value == "" {
			d.failAt(must.name, CodeRequired, "%s is required: without it this is no CloudEvent", must.name)
			d.err.NotCloudEvent = true
			return false
		}
	}
	if a.SpecVersion != specVersion {
		d.failAt("specversion", CodeUnknownSpecVersion, "CloudEvents %s is spoken here, not %s", specVersion,
			quote(a.SpecVersion))
	}
	d.at("id", func() { d.checkID(a.ID) })
	d.at("source", func() { d.checkSource(a.Source) })
	if e.Type = domain.ParseType(unsafe.Slice(unsafe.StringData(a.Type), len(a.Type))); e.Type == domain.UnknownType {
		d.failAt("type", CodeUnknownType, "%s is no type of event that the contract has", quote(a.Type))
	}
	if a.Time == "" {
		d.failAt("time", CodeRequired, "time is required")
	} else {
		d.at("time", func() { e.Time = d.parseMoment(a.Time, timesOnly) })
	}
	if a.Subject != "" && e.Type.Stream() != domain.Books {
		d.at("subject", func() { d.checkID(a.Subject) })
	}
	d.checkContentType()
	e.ID, e.Source, d.subject = a.ID, a.Source, a.Subject
	return d.err == nil
}

func (d *Decoder) checkContentType() {
	if is := d.attrs.DataContentType; is != "" && !isJSON(is) {
		d.failAt("datacontenttype", CodeBadContentType, "%s: data is JSON in UTF-8 here", quote(is))
	}
}

func (d *Decoder) at(member string, check func()) {
	d.push(member)
	check()
	d.pop()
}

// checkSubject fails where the subject isn't want.
func (d *Decoder) checkSubject(want, what string) {
	if d.subject == want || d.err != nil {
		return
	}
	d.path = append(d.path[:d.base], step{"subject", -1})
	if d.subject == "" {
		d.fail(CodeRequired, "subject is required: it is the %s", what)
		return
	}
	d.fail(CodeSubjectMismatch, "subject is %s and the %s is %s", quote(d.subject), what, quote(want))
}

// extensions writes the extension attributes as a JSON object, by their names.
func (d *Decoder) extensions() []byte {
	list := d.attrs.Extensions
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b Extension) int { return strings.Compare(a.Name, b.Name) })
	b := append(d.ext[:0], '{')
	for i := range list {
		x := &list[i]
		if i > 0 {
			if x.Name == list[i-1].Name {
				d.path = append(d.path[:d.base], step{x.Name, -1})
				d.fail(CodeDuplicateMember, "%s is there twice", quote(x.Name))
				return nil
			}
			b = append(b, ',')
		}
		b = appendString(b, x.Name)
		b = append(b, ':')
		if x.json {
			b = append(b, x.Value...)
		} else {
			b = appendString(b, x.Value)
		}
	}
	d.ext = append(b, '}')
	return d.ext
}

// isJSON reports whether a media type is JSON, in UTF-8 where it says so.
func isJSON(contentType string) bool {
	kind, parameters, _ := strings.Cut(contentType, ";")
	kind = strings.TrimSpace(kind)
	if len(kind) < len("+json") || !strings.EqualFold(kind[len(kind)-4:], "json") ||
		!strings.Contains("/+", kind[len(kind)-5:len(kind)-4]) {
		return false
	}
	for parameters != "" {
		var p string
		p, parameters, _ = strings.Cut(parameters, ";")
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "charset") && !isUTF8(strings.Trim(value, `"`)) {
			return false
		}
	}
	return true
}

func isUTF8(charset string) bool {
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8") ||
		strings.EqualFold(charset, "us-ascii")
}
