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
// Decoder reads the next. Its Content is a hash of what the event means: its type, time, subject and data, however they
// were spelled. Two events of one identity and different Content are a conflict.
type Envelope = domain.Envelope

// Decoder reads events. It keeps what it reads into and uses it again, so it's for one goroutine at a time. The zero
// Decoder is ready.
type Decoder struct {
	// Privacy says what of people is kept; nil keeps everything as it came.
	Privacy *Privacy

	hiding   hiding
	jx       jx.Decoder
	cursor   cursor
	envelope Envelope
	store    store
	dataRead bool
	dataHash uint64     // the sum of the members of data
	attrs    Attributes // of the event being read
	headers  Attributes // of the Kafka message being read
	subject  string

	err  *Error
	path []step
	base int // how much of path leads to the event: 0, but in a void

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
		d.read(d.readEnvelope(payload, true))
		d.referee(payload, "")
	}
	return d.result()
}

// checkStructured is checkPayload, where the payload is the event.
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
	if d.Privacy != nil {
		d.hiding.dropped += d.Privacy.KeepExtensions(&d.attrs)
	}
	d.depth = 1 // as in structured mode, where the event is the first object
	if d.checkHeaders() && d.checkAttributes() {
		d.push("data")
		switch {
		case !d.checkPayload(data, attrs.size()):
		case isBlank(data):
			d.fail(CodeRequired, "data is required")
		default:
			d.event(data)
			d.referee(data, "/data")
		}
	}
	return d.result()
}

// Stored reads the data of an event whose envelope was read and found valid before, and is kept apart from it: of e the
// source, id, type and time count, the rest is data's to say. Any error is an *Error.
func (d *Decoder) Stored(e *domain.Event, data []byte) (*Envelope, error) {
	d.begin()
	d.attrs.Source, d.attrs.ID = e.Source, e.ID // for an error to name
	d.envelope.Event = domain.Event{Source: e.Source, ID: e.ID, Type: e.Type, Time: e.Time}
	d.subject = e.Subject()
	d.depth = 1
	if e.Type == domain.UnknownType { // of a newer version, or nobody's
		d.failAt("type", CodeUnknownType, "it is of no type of event that the contract has")
		return d.result()
	}
	d.push("data")
	if d.checkPayload(data, 0) {
		d.event(data)
		d.referee(data, "/data")
	}
	return d.result()
}

func (d *Decoder) begin() {
	d.err = nil
	d.path, d.base = d.path[:0], 0
	d.cursor = cursor{}
	d.dataRead = false
	d.depth = 0
	d.escapes = false
	d.unescaped = d.unescaped[:0]
	d.names = d.names[:0]
	d.store.components = d.store.components[:0]
	d.attrs.Reset()
	d.envelope = Envelope{}
	d.subject = ""
	d.hiding.begin()
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

// read reads data by the attributes, unless that has been done, and completes the event.
func (d *Decoder) read(data []byte) {
	if d.err != nil || d.cursor.bad {
		return
	}
	if d.dataRead {
		d.checkContentType() // which may have come after
		d.complete(data)
		return
	}
	if !d.checkAttributes() {
		return
	}
	if data == nil {
		d.failAt("data", CodeRequired, "data is required")
		return
	}
	d.push("data")
	d.event(data)
}

// referee has jx look at the text of an event that was refused: where it isn't JSON at all, that is the reason to give,
// and not what was met before, or made of it.
func (d *Decoder) referee(text []byte, pointer string) {
	if d.err == nil && !d.cursor.bad {
		return
	}
	reason := ""
	d.jx.ResetBytes(text)
	err := d.jx.Skip()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		reason = "the JSON ends too early"
	case err != nil:
		reason = "not JSON: " + err.Error()
	default:
		if err := d.jx.Skip(); !errors.Is(err, io.EOF) {
			reason = "there is something behind the end of the JSON"
		} else if d.err == nil {
			reason = "not JSON" // jx and the cursor don't agree: a fault of ours, and to be on the safe side
		}
	}
	if reason != "" {
		d.err = &Error{Pointer: pointer, Named: pointer, Code: CodeBadJSON, Detail: reason, NotCloudEvent: pointer == ""}
	}
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

	// seenBeforeData are those that reading data depends on.
	seenBeforeData = seenSpecVersion | seenID | seenSource | seenType | seenTime | seenSubject
)

// readEnvelope reads the attributes of an event and cuts out its data, nil where it is missing. Most senders write data
// last: where the attributes are there by then, and eager, it is read in passing.
func (d *Decoder) readEnvelope(payload []byte, eager bool) (data []byte) {
	d.base = len(d.path)
	d.cursor = cursor{text: payload}
	if d.cursor.next() != kindObject {
		d.fail(CodeBadJSON, "a JSON object is expected, not %s", d.cursor.next())
		d.err.NotCloudEvent = true
		return nil
	}
	if !d.enter() {
		return nil
	}
	a, seen := &d.attrs, 0
	for {
		key, ok := d.member()
		if !ok {
			if !d.cursor.done() {
				d.cursor.spoil()
			}
			return data
		}
		var into *string
		bit := 0
		switch key {
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
		start := d.cursor.named
		d.push(key)
		if seen&bit != 0 {
			d.fail(CodeDuplicateMember, "%s is there twice", quote(key))
			return nil
		}
		seen |= bit
		switch next := d.cursor.next(); {
		case next == kindNull:
			d.cursor.literal()
			if bit == 0 && d.Privacy != nil {
				d.hiding.drop(d.cursor.text[start:d.cursor.at])
			}
		case into != nil:
			*into, _ = d.string()
		case bit == seenData && next == kindObject && eager && seen&seenBeforeData == seenBeforeData:
			data = d.readInPassing()
		case bit == seenData:
			data = d.cursor.frame()
		default:
			d.extension(key, next, start)
		}
		if d.err != nil {
			return nil
		}
		d.pop()
	}
}

// extension keeps an attribute that is none of CloudEvents' own, or hides it. It begins at start.
func (d *Decoder) extension(name string, next kind, start int) {
	switch {
	case name == "data_base64":
		d.fail(CodeBadAttribute, "data_base64: data is JSON here")
	case next == kindObject || next == kindList:
		d.fail(CodeBadAttribute,
			"an attribute of the envelope is a string, a number, true or false: %s belongs into data", quote(name))
	default:
		raw := d.cursor.scalar(next)
		if d.Privacy != nil && !d.cursor.bad && !d.Privacy.keepsAttribute(name) {
			d.hiding.drop(d.cursor.text[start:d.cursor.at])
			return
		}
		d.attrs.Extensions = append(d.attrs.Extensions, Extension{
			Name: name, Value: unsafe.String(unsafe.SliceData(raw), len(raw)), json: true,
		})
	}
}

// readInPassing reads the data that comes next, which the path leads to already.
func (d *Decoder) readInPassing() []byte {
	d.pop()
	if !d.checkAttributes() {
		return nil
	}
	d.push("data")
	start := d.cursor.at
	d.readData()
	if d.err != nil || d.cursor.bad {
		return nil
	}
	d.dataRead = true
	return d.cursor.text[start:d.cursor.at]
}

// event reads data, which the path leads to, by the attributes, which have been checked.
func (d *Decoder) event(data []byte) {
	d.cursor = cursor{text: data}
	d.readData()
	if d.err != nil {
		return
	}
	if !d.cursor.done() {
		d.cursor.spoil()
		return
	}
	d.complete(data)
}

func (d *Decoder) readData() {
	e := &d.envelope.Event
	e.Data, d.dataHash = codecs[e.Type].read(d)
}

// complete adds to an event what its attributes and its data make together.
func (d *Decoder) complete(data []byte) {
	d.envelope.Data = d.hiding.within(bytes.TrimSpace(data))
	d.envelope.Extensions = d.extensions()
	if d.err == nil {
		d.envelope.Content = d.content()
	}
}

var (
	nameType    = hashName("type")
	nameTime    = hashName("time")
	nameSubject = hashName("subject")
	nameData    = hashName("data")
)

func (d *Decoder) content() uint64 {
	e, data := &d.envelope.Event, d.dataHash
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

// enter steps into an object or a list.
func (d *Decoder) enter() bool {
	d.cursor.enter()
	if d.depth++; d.depth > MaxDepth {
		d.fail(CodeTooDeep, "objects and lists are at most %d deep", MaxDepth)
		return false
	}
	return true
}
