package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Problem is an answer by RFC 9457. Its type is a stable name for machines, its detail is for people.
type Problem struct {
	Code   string // the last part of the type, one of the Problem constants
	Status int
	Detail string

	// More are members beside those of the RFC.
	More map[string]any

	// RetryAfter is when it is worth coming back, sent as the header of that name.
	RetryAfter time.Duration
}

// The codes of problems. They are part of what clients rely on: never renamed.
const (
	ProblemNoCloudEvent      = "no_cloud_event"
	ProblemInvalidEvents     = "invalid_events"
	ProblemBadRequest        = "bad_request"
	ProblemBadQuery          = "bad_query"
	ProblemSeveralCurrencies = "several_currencies"
	ProblemUnauthorized      = "unauthorized"
	ProblemBadSignature      = "bad_signature"
	ProblemForbidden         = "forbidden"
	ProblemNotFound          = "not_found"
	ProblemNotAllowed        = "method_not_allowed"
	ProblemTooSlow           = "too_slow"
	ProblemNoReplay          = "no_replay"
	ProblemNoRebuild         = "no_rebuild"
	ProblemPeriodOpen        = "period_open"
	ProblemNotSettled        = "not_settled"
	ProblemUnmapped          = "accounts_unmapped"
	ProblemRateMissing       = "rate_missing"
	ProblemTooLarge          = "too_large"
	ProblemUnsupported       = "unsupported_media_type"
	ProblemOverloaded        = "overloaded"
	ProblemTooManyFailures   = "too_many_failures"
	ProblemInternal          = "internal"
	ProblemNotAcknowledged   = "not_acknowledged"
	ProblemNotReady          = "not_ready"
	ProblemUnavailable       = "unavailable"
)

// EventError says what is wrong with one event of a request.
type EventError struct {
	Index   int    `json:"index"` // in the batch; 0 for a single event
	Pointer string `json:"pointer"`
	Code    string `json:"code"` // one of those listed in infra/wire, or CodeForbidden…
	Detail  string `json:"detail"`
}

// What whoever sent the event may not do: write in the name of its source, or send what it is.
const (
	CodeForbiddenSource = "forbidden_source"
	CodeForbiddenType   = "forbidden_type"
)

// ContentTypeProblem is the media type of a Problem.
const ContentTypeProblem = "application/problem+json"

const problemPrefix = "urn:makegood:problem:"

// NewProblem makes a problem.
func NewProblem(status int, code, format string, args ...any) *Problem {
	return &Problem{Code: code, Status: status, Detail: fmt.Sprintf(format, args...)}
}

// Error is the problem as an error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// MarshalJSON writes the members of the RFC beside the others.
func (p *Problem) MarshalJSON() ([]byte, error) {
	all := maps.Clone(p.More)
	if all == nil {
		all = map[string]any{}
	}
	all["type"], all["title"], all["status"] = problemPrefix+p.Code, http.StatusText(p.Status), p.Status
	if p.Detail != "" {
		all["detail"] = shortened(p.Detail)
	}
	b, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("problem %s: %w", p.Code, err)
	}
	return b, nil
}

// mostDetail bounds what a problem says, in bytes: some libraries' errors repeat themselves for each level of nesting.
const mostDetail = 1000

// shortened is a text, cut after mostDetail bytes where it is longer.
func shortened(detail string) string {
	if len(detail) <= mostDetail {
		return detail
	}
	return strings.ToValidUTF8(detail[:mostDetail], "") + " …"
}

// WriteProblem answers with p.
func WriteProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", ContentTypeProblem)
	w.Header().Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		seconds := int((p.RetryAfter + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	writeJSON(w, p.Status, p)
}

// writeProblem is WriteProblem, for what needs no Problem of its own.
func writeProblem(w http.ResponseWriter, _ *http.Request, status int, code, detail string, more map[string]any) {
	WriteProblem(w, &Problem{Code: code, Status: status, Detail: detail, More: more})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		// Nothing that this package marshals can fail.
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	// A client that went away is none of our errors.
	_, _ = w.Write(append(body, '\n'))
}
