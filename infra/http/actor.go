package gateway

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// NoReason is what goes on record where nobody said why.
const NoReason = audit.NoReason

// Actor is who changes something, and why, for the record. Once a request is read, neither is empty.
type Actor struct {
	Name   string `json:"actor"`
	Reason string `json:"reason"`
	// Token is the name of the token that let the request in; empty where none is asked for.
	Token string `json:"-"`
	// Named says whether somebody said who does it.
	Named bool `json:"-"`
}

const (
	maxActor = 128      // characters, as of every id
	maxTold  = 16 << 10 // bytes
)

// actorOf reads who does it and why from the body {"actor", "reason"}, both of which may be left out.
func actorOf(w http.ResponseWriter, r *http.Request) (Actor, error) {
	var by Actor
	if err := told(w, r, &by, `{"actor": "…", "reason": "…"}`); err != nil {
		return by, err
	}
	return by, by.settle(r)
}

// told reads what somebody says along with an order, which may be nothing. form is what it may be.
func told(w http.ResponseWriter, r *http.Request, into any, form string) error {
	if err := jsonAlone(r); err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTold))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &badQuery{fmt.Sprintf("the body has more than %d bytes", maxTold)}
	case err != nil:
		return &badQuery{"the body could not be read to its end"}
	case len(body) == 0:
		return nil
	}
	text := json.NewDecoder(bytes.NewReader(body))
	text.DisallowUnknownFields() // somebody else's name for them would otherwise be lost in silence
	if err := text.Decode(into); err != nil {
		return &badQuery{"the body is not " + form + ": " + err.Error()}
	}
	return nil
}

// settle checks the name. Where none is given it is that of the token; and it says so where there is no reason.
func (by *Actor) settle(r *http.Request) error {
	if n := utf8.RuneCountInString(by.Name); n > maxActor {
		return &report.Invalid{Code: report.TooLong, Parameter: "actor", Value: fmt.Sprint(n),
			Of: []string{fmt.Sprint(maxActor)}}
	}
	if strings.ContainsFunc(by.Name, unicode.IsControl) {
		return &report.Invalid{Code: report.ControlCharacters, Parameter: "actor"}
	}
	by.Token = grantOf(r).name()
	by.Name = strings.TrimSpace(by.Name)
	if by.Named = by.Name != ""; !by.Named {
		by.Name = cmp.Or(by.Token, "http")
	}
	if by.Reason = strings.TrimSpace(by.Reason); by.Reason == "" {
		by.Reason = NoReason
	}
	return nil
}
