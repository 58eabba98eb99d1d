package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/go-faster/jx"

	"github.com/makegood/makegood/domain"
)

// Limits of an event.
const (
	MaxEvent = 256 << 10 // bytes of the payload; in binary mode of the data and the attributes together
	MaxDepth = 32        // objects and lists inside of each other, the event itself counted
)

// Envelope is an event as it came. It lives as long as the payload that it was read from is unchanged, and until its
// Decoder reads the next.
type Envelope struct {
	Event domain.Event
	// Data is the JSON of the event's data, byte for byte, with the members that this release doesn't know.
	Data []byte
	// Extensions are the envelope's other attributes (traceparent and the like) as a JSON object in the order of their
	// names; empty where there are none.
	Extensions []byte
	// Content is a hash of what the event means: its type, time, subject and data, however they were spelled. Two
	// events of one identity and different Content are a conflict.
	Content uint64
}

// Decoder reads events. It keeps what it reads into and uses it again, so it's for one goroutine at a time. The zero
// Decoder is ready.
type Decoder struct {
	jx       jx.Decoder
	envelope Envelope
	store    store
	attrs    Attributes // of the event being read
	headers  Attributes // of the Kafka message being read
	subject  string

	err  *Error
	path []step
	base int // how much of path leads to the event: 0, but in a void
	root int // how much of path leads to the text that is being parsed

	depth     int
	escapes   bool   // there is a backslash somewhere in the payload
	unescaped []byte // strings that had escapes
	names     []uint64
	ext       []byte

	zones        map[int]*time.Location
	lastCurrency [3]byte

	voids int // how many voids this decoder's events are inside of, and this one
	inner *Decoder
}

// Structured reads an event in structured mode: the whole CloudEvent is the payload. Any error is an *Error.
func (d *Decoder) Structured(payload []byte) (*Envelope, error) {
	d.begin()
	if d.checkStructured(payload) {
		d.structured(payload)
	}
	return d.result()
}

func (d *Decoder) checkStructured(payload []byte) bool {
	d.checkPayload(payload, 0)
	if d.err != nil && d.err.Code == CodeBadUTF8 {
		d.err.NotCloudEvent = true // JSON is UTF-8
	}
	return d.err == nil
}

// Binary reads an event in binary mode: the attributes came beside its data. Any error is an *Error.
func (d *Decoder) Binary(attrs *Attributes, data []byte) (*Envelope, error) {
	d.begin()
	d.attrs.copyFrom(attrs)
	d.depth = 1 // as in structured mode, where the event is the first object
	if d.checkHeaders() && d.checkAttributes() {
		d.push("data")
		switch {
		case !d.checkPayload(data, attrs.size()):
		case isBlank(data):
			d.fail(CodeRequired, "data is required")
		default:
			d.event(data)
		}
	}
	return d.result()
}

func (d *Decoder) begin() {
	d.err = nil
	d.path, d.base, d.root = d.path[:0], 0, 0
	d.depth = 0
	d.escapes = false
	d.unescaped = d.unescaped[:0]
	d.names = d.names[:0]
	d.attrs.Reset()
	d.envelope = Envelope{}
	d.subject = ""
}

func (d *Decoder) result() (*Envelope, error) {
	if d.err == nil {
		return &d.envelope, nil
	}
	d.err.Source, d.err.ID = strings.Clone(d.attrs.Source), strings.Clone(d.attrs.ID)
	return nil, d.err
}

// checkPayload makes sure of what the JSON parser doesn't look at. After it, every string is sound.
func (d *Decoder) checkPayload(payload []byte, beside int) bool {
	if len(payload)+beside > MaxEvent {
		d.path = d.path[:0]
		d.fail(CodeEventTooLarge, "%d bytes: an event has at most %d", len(payload)+beside, MaxEvent)
		return false
	}
	if !utf8.Valid(payload) {
		d.fail(CodeBadUTF8, "byte %d is not UTF-8", firstInvalid(payload))
		return false
	}
	if first := bytes.IndexByte(payload, '\\'); first >= 0 {
		d.escapes = true
		if at := loneSurrogate(payload, first); at >= 0 {
			d.fail(CodeBadUTF8, "half a surrogate pair at byte %d", at)
			return false
		}
	}
	return true
}

func firstInvalid(b []byte) int {
	at := 0
	for at < len(b) {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return at
}

// loneSurrogate finds a \uD800 to \uDFFF that isn't half of a pair, beginning at the first backslash. Where it is misled
// by what is no JSON at all, the parser will say so.
func loneSurrogate(b []byte, at int) int {
	for at < len(b) {
		next := bytes.IndexByte(b[at:], '\\')
		if next < 0 || at+next+1 >= len(b) {
			return -1
		}
		at += next
		r, ok := unicodeEscape(b[at:])
		switch {
		case !ok:
			at += 2 // another escape: of a quote, a backslash…
		case r < 0xD800 || r > 0xDFFF:
			at += 6
		default:
			low, ok := unicodeEscape(b[min(at+6, len(b)):])
			if r > 0xDBFF || !ok || low < 0xDC00 || low > 0xDFFF {
				return at
			}
			at += 12
		}
	}
	return -1
}

func unicodeEscape(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// structured reads an event from a payload whose strings are sound.
func (d *Decoder) structured(payload []byte) {
	data := d.readStructured(payload)
	if d.err != nil || !d.checkAttributes() {
		return
	}
	if data == nil {
		d.failAt("data", CodeRequired, "data is required")
		return
	}
	d.event(data)
}

// readStructured reads the envelope and cuts out its data, nil where it is missing.
func (d *Decoder) readStructured(payload []byte) []byte {
	d.base, d.root = len(d.path), len(d.path)
	d.jx.ResetBytes(payload)
	if d.jx.Next() != jx.Object {
		d.fail(CodeBadJSON, "a JSON object is expected")
		d.err.NotCloudEvent = true
		return nil
	}
	data := d.readEnvelope()
	if d.err == nil {
		if err := d.jx.Skip(); !errors.Is(err, io.EOF) {
			d.fail(CodeBadJSON, "there is something behind the event's end")
		}
	}
	if d.err != nil && d.err.Code == CodeBadJSON {
		d.err.NotCloudEvent = true
	}
	return data
}

// The attributes that CloudEvents and the contract know, as bits.
const (
	seenSpecVersion = 1 << iota
	seenID
	seenSource
	seenType
	seenTime
	seenSubject
	seenDataContentType
	seenDataSchema
	seenData
)

// readEnvelope reads the attributes and cuts out data, nil where it is missing.
func (d *Decoder) readEnvelope() (data []byte) {
	if !d.enter() {
		return nil
	}
	members, err := d.jx.ObjIter()
	if err != nil {
		d.failSyntax(err)
		return nil
	}
	a, seen := &d.attrs, 0
	for members.Next() {
		key := members.Key()
		var into *string
		bit := 0
		switch string(key) {
		case "specversion":
			into, bit = &a.SpecVersion, seenSpecVersion
		case "id":
			into, bit = &a.ID, seenID
		case "source":
			into, bit = &a.Source, seenSource
		case "type":
			into, bit = &a.Type, seenType
		case "time":
			into, bit = &a.Time, seenTime
		case "subject":
			into, bit = &a.Subject, seenSubject
		case "datacontenttype":
			into, bit = &a.DataContentType, seenDataContentType
		case "dataschema":
			into, bit = &a.DataSchema, seenDataSchema
		case "data":
			bit = seenData
		}
		d.push(unsafe.String(unsafe.SliceData(key), len(key)))
		if seen&bit != 0 {
			d.fail(CodeDuplicateMember, "%s is there twice", quote(string(key)))
			return nil
		}
		seen |= bit
		switch next := d.jx.Next(); {
		case next == jx.Null:
			if err := d.jx.Null(); err != nil {
				d.failSyntax(err)
			}
		case into != nil:
			*into, _ = d.string()
		case bit == seenData:
			if data, err = d.jx.Raw(); err != nil {
				d.failSyntax(err)
			}
		default:
			d.extension(key, next)
		}
		if d.err != nil {
			return nil
		}
		d.pop()
	}
	if err := members.Err(); err != nil {
		d.failSyntax(err)
		return nil
	}
	return data
}

// extension keeps an attribute that is none of CloudEvents' own.
func (d *Decoder) extension(key []byte, next jx.Type) {
	switch next {
	case jx.String, jx.Number, jx.Bool:
		if string(key) == "data_base64" {
			d.fail(CodeBadAttribute, "data_base64: data is JSON here")
			return
		}
		raw, err := d.jx.Raw()
		if err != nil {
			d.failSyntax(err)
			return
		}
		d.attrs.Extensions = append(d.attrs.Extensions, Extension{
			Name:  unsafe.String(unsafe.SliceData(key), len(key)),
			Value: unsafe.String(unsafe.SliceData(raw), len(raw)),
			json:  true,
		})
	case jx.Object, jx.Array:
		if err := d.jx.Skip(); err != nil {
			d.failSyntax(err)
			return
		}
		d.fail(CodeBadAttribute, "an attribute of the envelope is a string, a number, true or false: %s belongs into data", quote(string(key)))
	default:
		d.failSyntax(d.jx.Skip())
	}
}

// event reads data by the type in the attributes, which have been checked.
func (d *Decoder) event(data []byte) {
	e := &d.envelope.Event
	d.path = append(d.path[:d.base], step{"data", -1})
	d.root = len(d.path)
	d.jx.ResetBytes(data)
	var sum uint64
	e.Data, sum = codecs[e.Type].read(d)
	if d.err != nil {
		return
	}
	if err := d.jx.Skip(); !errors.Is(err, io.EOF) {
		d.fail(CodeBadJSON, "there is something behind the data's end")
		return
	}
	d.envelope.Data = bytes.TrimSpace(data)
	d.envelope.Extensions = d.extensions()
	d.envelope.Content = d.content(sum)
}

var (
	nameType    = hashName("type")
	nameTime    = hashName("time")
	nameSubject = hashName("subject")
	nameData    = hashName("data")
)

func (d *Decoder) content(data uint64) uint64 {
	e := &d.envelope.Event
	sum := member(nameType, typeHashes[e.Type]) + member(nameTime, hashMoment(e.Time)) + member(nameData, hashObject(data))
	if e.Stream() != domain.Books {
		sum += member(nameSubject, hashText(e.Subject()))
	}
	return hashObject(sum)
}

var typeHashes = func() (hashes [len(codecs)]uint64) {
	for _, t := range domain.Types() {
		hashes[t] = hashString(t.String())
	}
	return hashes
}()

// enter counts an object or a list that is being read.
func (d *Decoder) enter() bool {
	if d.depth++; d.depth > MaxDepth {
		d.fail(CodeTooDeep, "objects and lists are at most %d deep", MaxDepth)
		return false
	}
	return true
}

// failSyntax turns an error of the JSON parser into ours, at the text that it gives the place in.
func (d *Decoder) failSyntax(err error) {
	d.path = d.path[:d.root]
	switch {
	case err == nil:
		d.fail(CodeBadJSON, "not a JSON value")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		d.fail(CodeBadJSON, "the JSON ends too early")
	default:
		d.fail(CodeBadJSON, "not JSON: %v", err)
	}
}

// kindOfNext names what stands there instead of what is expected.
func (d *Decoder) kindOfNext() string {
	switch d.jx.Next() {
	case jx.Null:
		return "null"
	case jx.Bool:
		return "true or false"
	case jx.Number:
		return "a number"
	case jx.String:
		return "a string"
	case jx.Object:
		return "an object"
	case jx.Array:
		return "a list"
	default:
		return "that"
	}
}
