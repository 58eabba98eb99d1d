package gateway

import (
	"errors"
	"net/http"
	"strings"
)

// Scope is what somebody may do.
type Scope string

// The scopes. Anyone asks whether the service lives.
const (
	Open Scope = ""
	// Read is for reports, status, metrics and the page.
	Read Scope = "read"
	// Write is for a till: its own orders, errors and redeliveries, and voids of its own events.
	Write Scope = "write"
	// KeepBooks is for who keeps the books: rates, closes, decisions, spend, voids of others' events, rebuilds, dead
	// letters.
	KeepBooks Scope = "books"
	// Operate is for holding the books against the log, which is a lot of work.
	Operate Scope = "operate"
	// SeePeople is for how single employees do. Read doesn't show that.
	SeePeople Scope = "people"
	// Process is for other processes of makegood, at the broker inside. It opens nothing over HTTP.
	Process Scope = "process"
)

// Scopes are all that a token may have.
func Scopes() []Scope { return []Scope{Read, Write, KeepBooks, Operate, SeePeople, Process} }

// Guard decides whether a request may do something that takes one of the scopes. It answers ErrUnauthenticated where it
// doesn't know who asks, ErrForbidden where it does and they may not, or a *Problem of its own. A nil Guard lets
// everybody in, which is for loopback.
type Guard func(r *http.Request, anyOf ...Scope) (*Grant, error)

// What a Guard answers.
var (
	ErrUnauthenticated = errors.New("no valid credentials")
	ErrForbidden       = errors.New("not allowed")
)

// refusal is the answer to somebody whom the guard didn't let in.
func refusal(w http.ResponseWriter, r *http.Request, err error) *Problem {
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, ErrForbidden):
		return NewProblem(http.StatusForbidden, ProblemForbidden, "these credentials don't allow this")
	case errors.Is(err, ErrUnauthenticated):
		w.Header().Set("WWW-Authenticate", `Bearer realm="makegood"`)
		if r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
			// A browser asks its user for a password, and for nothing else.
			w.Header().Add("WWW-Authenticate", `Basic realm="makegood: any name, the token as password", charset="UTF-8"`)
		}
		return NewProblem(http.StatusUnauthorized, ProblemUnauthorized, "a valid bearer token is required")
	default:
		return NewProblem(http.StatusInternalServerError, ProblemInternal, "credentials could not be checked")
	}
}
