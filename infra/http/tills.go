package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// Tills keep what tills send, as it came. Events are made of it later, by somebody else.
type Tills interface {
	// Find says whether there is a till of that name, and whether its senders sign what they send.
	Find(name string) (known, signed bool)
	// Keep verifies the sender and keeps the delivery. It returns nil only when the delivery is durable. Errors: a
	// *SignatureError, a *TooLargeError, ErrTrial; any other says that the delivery wasn't acknowledged.
	Keep(context.Context, *Delivery) error
}

// Delivery is one request of a till.
type Delivery struct {
	Till     string
	Kind     string      // that the address names, by ?kind=; empty: it names none
	URL      string      // that was called, as the sender wrote it
	Header   http.Header // as it came
	Body     []byte      // unpacked
	Received time.Time
}

// ErrTrial says that the sender only tries the address: it is answered, and there is nothing to keep.
var ErrTrial = errors.New("the sender tries the address")

// SignatureError says why a sender isn't the till that it says it is. It holds no secret.
type SignatureError struct{ Reason string }

func (e *SignatureError) Error() string { return e.Reason }

// TooLargeError says that the log doesn't take a body.
type TooLargeError struct{ Most int } // bytes, as the log keeps it

func (e *TooLargeError) Error() string { return "the body is larger than the log takes" }

// TillStatus is how it goes with a till.
type TillStatus struct {
	Name     string     `json:"name"`
	Mapping  string     `json:"mapping"`
	LastSeen *time.Time `json:"last_seen"` // when its last event was recorded, or a body came to this process
	Events   uint64     `json:"events"`    // in the books, copies aside
	Refused  uint64     `json:"refused"`   // open dead letters, and files put aside
	Waiting  int64      `json:"waiting"`   // bodies of all tills that are kept and not mapped yet
	Problem  string     `json:"problem"`   // why its configuration can't be used now; empty where it can
}

// tillPattern is the route of what tills send.
const tillPattern = "POST /v1/tills/{name}"

// TillRequests takes what tills send over HTTP. Limits are those of the events that it shares its room with.
type TillRequests struct {
	events *Events
	tills  Tills
	guard  Guard

	kept, unknown, unsigned, tooLarge, shed, failed atomic.Int64
}

// TillCounts are what TillRequests have done since they began: requests.
type TillCounts struct{ Kept, Unknown, Unsigned, TooLarge, Shed, Failed int64 }

// NewTillRequests makes the handler. Bodies of tills and events share one bound of bytes in flight.
func NewTillRequests(tills Tills, events *Events) *TillRequests {
	return &TillRequests{tills: tills, events: events}
}

// Counts says what was done so far.
func (h *TillRequests) Counts() TillCounts {
	return TillCounts{Kept: h.kept.Load(), Unknown: h.unknown.Load(), Unsigned: h.unsigned.Load(),
		TooLarge: h.tooLarge.Load(), Shed: h.shed.Load(), Failed: h.failed.Load()}
}

// ServeHTTP keeps one request.
func (h *TillRequests) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := &countedBody{ReadCloser: r.Body}
	r = r.WithContext(r.Context()) // a copy, see Events.ServeHTTP
	r.Body = body
	trial, problem := h.take(w, r)
	if trial {
		writeJSON(w, http.StatusOK, map[string]int{"accepted": 0})
		return
	}
	if problem == nil {
		h.kept.Add(1)
		writeJSON(w, http.StatusAccepted, map[string]int{"accepted": 1})
		return
	}
	if problem.Code == ProblemTooSlow {
		w.Header().Set("Connection", "close")
	} else {
		drain(w, r, body, h.events.cfg.MaxBody)
	}
	WriteProblem(w, problem)
}

// take keeps what came. trial: the sender only tried the address.
func (h *TillRequests) take(w http.ResponseWriter, r *http.Request) (trial bool, _ *Problem) {
	name := r.PathValue("name")
	known, signed := h.tills.Find(name)
	if !known {
		h.unknown.Add(1)
		return false, NewProblem(http.StatusNotFound, ProblemNotFound, "no till of that name is configured here")
	}
	room := h.events.inFlight.reserveForStranger(r)
	if !signed {
		grant, p := h.guarded(w, r, name)
		if p != nil {
			return false, p
		}
		room = h.events.inFlight.reserve(grant)
	}
	defer room.release()
	body, err := h.events.readBody(w, r, &room)
	if err != nil {
		return false, h.counted(h.events.bodyProblem(w, err))
	}
	if len(body) == 0 {
		return false, NewProblem(http.StatusBadRequest, ProblemBadRequest, "the body is empty")
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.events.cfg.PublishTimeout)
	defer cancel()
	err = h.tills.Keep(ctx, &Delivery{Till: name, Kind: r.URL.Query().Get("kind"), URL: calledAs(r), Header: r.Header,
		Body: body, Received: time.Now().UTC()})
	if errors.Is(err, ErrTrial) {
		return true, nil
	}
	return false, h.counted(h.keepProblem(ctx, name, err))
}

// guarded asks for a token where nothing else tells who sends: the till's name stands for the source that it writes.
func (h *TillRequests) guarded(w http.ResponseWriter, r *http.Request, name string) (*Grant, *Problem) {
	if h.guard == nil {
		return nil, nil
	}
	grant, err := h.guard(r, Write)
	if a, ok := w.(*response); ok {
		a.who = grant.name()
	}
	if err != nil {
		return nil, refusal(w, r, err)
	}
	if refused := grant.MaySend(&domain.Event{Source: TillSource + name, Type: domain.TypeOrderPlaced}); refused != nil {
		h.events.forbidden.Add(1)
		return nil, NewProblem(http.StatusForbidden, ProblemForbidden, "%s", refused.Detail)
	}
	return grant, nil
}

// TillSource begins the source of the events of a till, before its name.
const TillSource = "//tills/"

func (h *TillRequests) keepProblem(ctx context.Context, name string, err error) *Problem {
	if err == nil {
		return nil
	}
	if wrong, is := errors.AsType[*SignatureError](err); is {
		return NewProblem(http.StatusUnauthorized, ProblemBadSignature, "%s", wrong.Reason)
	}
	if large, is := errors.AsType[*TooLargeError](err); is {
		return NewProblem(http.StatusRequestEntityTooLarge, ProblemTooLarge,
			"a body of a till has at most %d bytes, packed: send it as a file", large.Most)
	}
	h.events.cfg.Logger.LogAttrs(ctx, slog.LevelError, "what a till sent was not acknowledged",
		slog.String("till", name), slog.String("error", err.Error()))
	p := NewProblem(http.StatusServiceUnavailable, ProblemNotAcknowledged,
		"the body was not acknowledged: send it again, nothing doubles")
	p.RetryAfter = h.events.cfg.RetryAfter
	return p
}

func (h *TillRequests) counted(p *Problem) *Problem {
	if p == nil {
		return nil
	}
	switch p.Code {
	case ProblemBadSignature:
		h.unsigned.Add(1)
	case ProblemTooLarge:
		h.tooLarge.Add(1)
	case ProblemOverloaded:
		h.shed.Add(1)
	case ProblemNotAcknowledged:
		h.failed.Add(1)
	}
	return p
}

// calledAs is the address as its sender wrote it, which some sign. A proxy in front says whether it was HTTPS; who
// lies about that has a wrong signature.
func calledAs(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host + r.URL.RequestURI()
}

// Send publishes events that were made here of what somebody sent, with the checks and the privacy of POST /v1/events:
// all of them, or none where one may not be sent. It returns nil and no faults only when all are acknowledged.
func (h *Events) Send(ctx context.Context, grant *Grant, events [][]byte) ([]EventError, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.PublishTimeout)
	defer cancel()
	decoder := h.decoders.Get().(*wire.Decoder)
	defer h.decoders.Put(decoder)
	q := request{Events: h, ctx: ctx, grant: grant, decoder: decoder}
	for i, e := range events {
		q.structured(i, e)
	}
	if len(q.errors) > 0 {
		h.refused.Add(int64(len(q.errors)))
		return q.errors, nil
	}
	if err := q.publish(); err != nil {
		h.failed.Add(1)
		return nil, err
	}
	h.accepted.Add(int64(q.count))
	h.dropped.Add(int64(q.dropped))
	return nil, nil
}
