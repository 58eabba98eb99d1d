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
	Open    Scope = ""
	Read    Scope = "read"
	Write   Scope = "write"
	Operate Scope = "operate"
)

// Guard decides whether a request may do something of the scope. It answers ErrUnauthenticated where it doesn't know
// who asks, ErrForbidden where it does and they may not, or a *Problem of its own. A nil Guard lets everybody in, which
// is for loopback.
type Guard func(r *http.Request, scope Scope) (Grant, error)

// Grant is what a Guard gives.
type Grant struct {
	// Name says who it is, for the access log. It is no secret.
	Name string
	// MayWrite says whether events of that source are theirs to send. Nil: of any.
	MayWrite func(source string) bool
}

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
