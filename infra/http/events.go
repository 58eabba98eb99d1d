package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// Events takes events over HTTP and publishes them. It is the handler of POST /v1/events.
type Events struct {
	cfg      EventsConfig
	body     bodyReader
	inFlight *inFlight
	decoders sync.Pool // of *wire.Decoder

	accepted, refused, forbidden, shed, failed, dropped atomic.Int64
}

// Counts are what Events has done since it started.
type Counts struct {
	Accepted  int64 // events acknowledged by the broker
	Refused   int64 // events that broke the contract, or that their sender may not send
	Forbidden int64 // the latter of these
	Shed      int64 // requests turned away for want of room
	Failed    int64 // requests whose events weren't acknowledged
	Dropped   int64 // members and attributes that were dropped since they may say something of people
	InFlight  int64 // bytes being worked on now
}

// NewEvents checks c and makes the handler.
func NewEvents(c EventsConfig) (*Events, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	return &Events{
		cfg:      c,
		body:     bodyReader{most: c.MaxBody},
		inFlight: newInFlight(c.MaxInFlight, inFlightFor(c.MaxBody, c.MaxBatch)),
		decoders: sync.Pool{New: func() any { return &wire.Decoder{Privacy: c.Privacy} }},
	}, nil
}

// Counts says what was done so far.
func (h *Events) Counts() Counts {
	return Counts{
		Accepted: h.accepted.Load(), Refused: h.refused.Load(), Forbidden: h.forbidden.Load(), Shed: h.shed.Load(),
		Failed: h.failed.Load(), Dropped: h.dropped.Load(), InFlight: h.inFlight.now.Load(),
	}
}

// ServeHTTP takes one request's events.
func (h *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := &countedBody{ReadCloser: r.Body}
	r = r.WithContext(r.Context()) // a copy: net/http looks at the body of its own to know whether to ask for it
	r.Body = body
	taken, problem := h.take(w, r)
	if problem == nil {
		writeJSON(w, http.StatusAccepted, taken)
		return
	}
	if problem.Code == ProblemTooSlow {
		w.Header().Set("Connection", "close")
	} else {
		drain(w, r, body, h.cfg.MaxBody)
	}
	WriteProblem(w, problem)
}

// taken is the answer to a request whose events were all taken.
type taken struct {
	Accepted int `json:"accepted"`
	Dropped  int `json:"dropped,omitempty"` // members and attributes that aren't kept
}

func (h *Events) take(w http.ResponseWriter, r *http.Request) (_ taken, _ *Problem) {
	var attrs wire.Attributes
	attrs.HTTPHeader(r.Header)
	contentType := r.Header.Get("Content-Type")
	mode := wire.ModeOf(contentType, attrs.SpecVersion != "")
	if p := unsupported(w, mode, contentType, &attrs); p != nil {
		return taken{}, p
	}
	room := h.inFlight.reserve(grantOf(r))
	defer room.release()
	body, err := h.readBody(w, r, &room)
	if err != nil {
		return taken{}, h.bodyProblem(w, err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.cfg.PublishTimeout)
	defer cancel()
	q := request{Events: h, ctx: ctx, room: &room, grant: grantOf(r)}
	decoder := h.decoders.Get().(*wire.Decoder)
	defer h.decoders.Put(decoder)
	q.decoder = decoder

	var problem *Problem
	switch mode {
	case wire.BatchMode:
		problem = q.batch(body)
	case wire.StructuredMode:
		problem = q.single(body, nil)
	default:
		problem = q.single(body, &attrs)
	}
	h.refused.Add(int64(len(q.errors)))
	if problem != nil {
		return taken{}, problem
	}
	if q.overloaded {
		return taken{}, h.overloaded()
	}
	if err := q.publish(); err != nil {
		h.failed.Add(1)
		h.cfg.Logger.LogAttrs(ctx, slog.LevelError, "events not acknowledged", slog.String("error", err.Error()))
		p := NewProblem(http.StatusServiceUnavailable, ProblemNotAcknowledged,
			"the events were not acknowledged: send them all again, nothing doubles")
		p.RetryAfter = h.cfg.RetryAfter
		return taken{}, p
	}
	h.accepted.Add(int64(q.count))
	h.dropped.Add(int64(q.dropped))
	if len(q.errors) > 0 {
		return taken{}, q.invalid()
	}
	return taken{q.count, q.dropped}, nil
}

// unsupported says which content types aren't spoken here. A body that isn't said to be any CloudEvent is none where it
// is JSON, and something else where it isn't.
func unsupported(w http.ResponseWriter, mode wire.Mode, contentType string, attrs *wire.Attributes) *Problem {
	switch mode {
	case wire.StructuredMode, wire.BatchMode:
		if charset := charsetOf(contentType); charset != "" && !isUTF8(charset) {
			return NewProblem(http.StatusUnsupportedMediaType, ProblemUnsupported, "JSON is UTF-8, and %q is said", charset)
		}
		return nil
	case wire.BinaryMode:
		return nil
	case wire.NoMode:
		if isJSON(contentType) || hasAttributes(attrs) {
			return NewProblem(http.StatusBadRequest, ProblemNoCloudEvent,
				"no CloudEvent: send %s, %s, or %s with ce- headers", wire.ContentTypeEvent, wire.ContentTypeBatch,
				wire.ContentTypeData)
		}
	}
	w.Header().Set("Accept", strings.Join([]string{wire.ContentTypeEvent, wire.ContentTypeBatch, wire.ContentTypeData},
		", "))
	return NewProblem(http.StatusUnsupportedMediaType, ProblemUnsupported,
		"%q isn't spoken here: send %s, %s, or %s with ce- headers", contentType, wire.ContentTypeEvent,
		wire.ContentTypeBatch, wire.ContentTypeData)
}

func hasAttributes(a *wire.Attributes) bool {
	return a.ID != "" || a.Source != "" || a.Type != "" || a.Time != "" || a.Subject != "" || len(a.Extensions) > 0
}

func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	kind = strings.TrimSpace(kind)
	return strings.HasSuffix(kind, "/json") || strings.HasSuffix(kind, "+json")
}

// isUTF8 also takes the name without its hyphen, which many send, and the part of UTF-8 that is ASCII.
func isUTF8(charset string) bool {
	return slices.ContainsFunc([]string{"utf-8", "utf8", "us-ascii"},
		func(name string) bool { return strings.EqualFold(charset, name) })
}

func charsetOf(contentType string) string {
	_, parameters, _ := strings.Cut(contentType, ";")
	for _, p := range strings.Split(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "charset") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

func (h *Events) readBody(w http.ResponseWriter, r *http.Request, room *reservation) ([]byte, error) {
	control := http.NewResponseController(w)
	// Writers that can't set deadlines (in tests) have none.
	_ = control.SetReadDeadline(time.Now().Add(h.cfg.BodyTimeout))
	body, err := h.body.read(w, r, room)
	if err == nil {
		_ = control.SetReadDeadline(time.Time{})
	}
	return body, err
}

// drain throws away the rest of a body that wasn't taken. A client that is still sending when its connection is closed
// sees a reset, and not the answer that tells it when to come back. It costs no memory and little time.
func drain(w http.ResponseWriter, r *http.Request, body *countedBody, most int64) {
	if body.ended {
		return
	}
	if r.Header.Get("Expect") != "" && body.n == 0 {
		return // it waits to be told to send, and isn't
	}
	const patience = 2 * time.Second
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience))
	_, _ = io.CopyN(io.Discard, body, most)
	if !body.ended {
		w.Header().Set("Connection", "close")
	}
}

// countedBody knows how much of a body was read.
type countedBody struct {
	io.ReadCloser
	n     int64
	ended bool
}

func (b *countedBody) Read(to []byte) (int, error) {
	n, err := b.ReadCloser.Read(to)
	b.n += int64(n)
	b.ended = b.ended || errors.Is(err, io.EOF)
	return n, err //nolint:wrapcheck // this is a reader
}

func (h *Events) bodyProblem(w http.ResponseWriter, err error) *Problem {
	switch {
	case errors.Is(err, errNoRoom):
		return h.overloaded()
	case errors.Is(err, errTooLarge):
		return NewProblem(http.StatusRequestEntityTooLarge, ProblemTooLarge, "a body has at most %d bytes, expanded",
			h.cfg.MaxBody)
	case errors.Is(err, errUnsupported):
		w.Header().Set("Accept-Encoding", "gzip, identity")
		return NewProblem(http.StatusUnsupportedMediaType, ProblemUnsupported, "of content encodings, gzip is spoken here")
	case errors.Is(err, errTooSlow):
		return NewProblem(http.StatusRequestTimeout, ProblemTooSlow, "the body didn't arrive within %s", h.cfg.BodyTimeout)
	case errors.Is(err, errBadGzip):
		return NewProblem(http.StatusBadRequest, ProblemBadRequest, "the body is said to be gzip, and isn't")
	default:
		return NewProblem(http.StatusBadRequest, ProblemBadRequest, "the body could not be read to its end")
	}
}

func (h *Events) overloaded() *Problem {
	h.shed.Add(1)
	p := NewProblem(http.StatusTooManyRequests, ProblemOverloaded,
		"too much at once: nothing of this was taken, send it again later")
	p.RetryAfter = h.cfg.RetryAfter
	return p
}

// message makes the message of an event. It has no acknowledgement of its own: Publish tells.
func (q *request) message(payload []byte, e *wire.Envelope) *message.Message {
	if len(q.messages) == 0 {
		q.messages = make([]message.Message, 1)
	}
	m := &q.messages[0]
	q.messages = q.messages[1:]
	m.Payload, m.Metadata = payload, message.Metadata{}
	m.SetContext(q.ctx)
	if subject := e.Event.Subject(); subject != "" && e.Event.Stream() != domain.Books {
		m.Metadata[q.cfg.PartitionKey] = strings.Clone(subject) // it was the decoder's
	}
	return m
}

// invalid is the answer to a request with events that break the contract.
func (q *request) invalid() *Problem {
	p := NewProblem(http.StatusUnprocessableEntity, ProblemInvalidEvents, "%s", breaks(len(q.errors)))
	p.More = map[string]any{"accepted": q.count, "errors": q.errors}
	if q.dropped > 0 {
		p.More["dropped"] = q.dropped
	}
	return p
}

func breaks(n int) string {
	if n == 1 {
		return "1 event breaks the contract"
	}
	return fmt.Sprintf("%d events break the contract", n)
}
