//go:build chaos

package main

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/people"
	"github.com/makegood/makegood/infra/wire"
)

// privacy is how the roles hide people. Of what producers write straight to Kafka, projectors hide them: copies of one
// event then stand in the log with people and without, and are no conflict.
func (f *fleet) privacy(t *testing.T) *wire.Privacy {
	t.Helper()
	keys, err := people.Open(f.peopleKey, false, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return &wire.Privacy{Keep: wire.DefaultKeep, KeepAttribute: wire.DefaultKeepAttribute,
		Hash: func(role wire.Role, id string, at time.Time) string { return keys.Hash(string(role), id, at) }}
}

// hidden is an event in structured mode as the books have it.
func hidden(t *testing.T, privacy *wire.Privacy, event []byte) []byte {
	t.Helper()
	decoder := wire.Decoder{Privacy: privacy}
	if _, err := decoder.Structured(event); err != nil {
		t.Fatalf("%v: %s", err, event)
	}
	return slices.Clone(decoder.Hidden(event))
}

// hiddenRecord is the payload of a record as a dead letter has it.
func hiddenRecord(privacy *wire.Privacy, r kafka.Record) []byte {
	headers := map[string]string{}
	for _, h := range r.Headers {
		headers[h.Key] = string(h.Value)
	}
	_, payload, _ := privacy.HideRecord(headers, r.Value)
	return payload
}
