package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Actor is who changes something, and why, for the record.
type Actor struct {
	Name   string `json:"actor"`
	Reason string `json:"reason"`
}

const (
	maxActor      = 128 // characters, as of every id
	maxActorBytes = 16 << 10
)

// actorOf reads who does it and why from the body {"actor", "reason"}, both of which may be left out. Where a token let
// the request in, whoever holds the token did it, whatever the body says.
func actorOf(w http.ResponseWriter, r *http.Request) (Actor, error) {
	var by Actor
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxActorBytes))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return by, &badQuery{fmt.Sprintf("the body has more than %d bytes", maxActorBytes)}
	case err != nil:
		return by, &badQuery{"the body could not be read to its end"}
	}
	if len(body) > 0 {
		text := json.NewDecoder(bytes.NewReader(body))
		text.DisallowUnknownFields() // somebody else's name for them would otherwise be lost in silence
		if err := text.Decode(&by); err != nil {
			return by, &badQuery{`the body is not {"actor": "…", "reason": "…"}: ` + err.Error()}
		}
	}
	return by, by.settle(r)
}

// settle checks the name, and puts that of the token in its place, where there is one.
func (by *Actor) settle(r *http.Request) error {
	if n := utf8.RuneCountInString(by.Name); n > maxActor {
		return &badQuery{fmt.Sprintf("actor: %d characters, and at most %d are taken", n, maxActor)}
	}
	if strings.ContainsFunc(by.Name, unicode.IsControl) {
		return &badQuery{"actor: a name has no control characters"}
	}
	if name := grantOf(r).Name; name != "" {
		by.Name = name
	}
	if by.Name == "" {
		by.Name = "http"
	}
	return nil
}
