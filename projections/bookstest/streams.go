package bookstest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
)

// Generated is a stream with all troubles of the generator.
func Generated(t *testing.T, seed int64) []reference.Record {
	t.Helper()
	return WithoutVoidedConflicts(t, reference.Generate(seed, Everything()))
}

// Everything turns every trouble of the generator on. Where few streams are drawn, they are half as long, too: a
// stream of a seed is another one then.
func Everything() reference.Options {
	options := reference.Everything
	if !reference.AllStreams() {
		options.Orders = 20
	}
	return options
}

// WithoutVoidedConflicts leaves out the voids of events that are in a conflict, and the voids of these: which of the
// two contents such a void carries is its sender's guess, and so the order that it is booked to.
func WithoutVoidedConflicts(t *testing.T, records []reference.Record) []reference.Record {
	t.Helper()
	books, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(slices.Clone(records), func(r reference.Record) bool {
		voided := Voided(t, r.Event)
		return slices.ContainsFunc(books.Conflicts, func(c reference.Refusal) bool {
			return slices.Contains(voided, c.Identity)
		})
	})
}

// Voided are the identities that an event voids: that which it names, and where the original that it carries is a void,
// those that this one voids.
func Voided(t *testing.T, event []byte) (all []reference.Identity) {
	t.Helper()
	for len(event) > 0 {
		var of struct {
			Data struct {
				Voids    *reference.Identity
				Original json.RawMessage
			}
		}
		if err := json.Unmarshal(event, &of); err != nil {
			t.Fatal(err)
		}
		if of.Data.Voids != nil {
			all = append(all, *of.Data.Voids)
		}
		event = of.Data.Original
	}
	return all
}

// Event is one of a till, as CloudEvents JSON.
func Event(id, kind, at, subject, data string) string {
	if subject != "" {
		subject = fmt.Sprintf(`"subject":%q,`, subject)
	}
	return fmt.Sprintf(
		`{"specversion":"1.0","id":%q,"source":"urn:till:1","type":"makegood.%s.v1","time":%q,`+
			`%s"datacontenttype":"application/json","data":%s}`, id, kind, at, subject, data)
}

// Sequence is a log of events, one a minute: of redeliveries, and of books where their type says so.
func Sequence(events ...string) (records []reference.Record) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i, e := range events {
		stream := "redeliveries"
		if strings.Contains(e, ".rate.set.") || strings.Contains(e, ".period.") || strings.Contains(e, ".books.") {
			stream = "books"
		}
		records = append(records, reference.Record{Stream: stream, Event: []byte(e),
			RecordedAt: at.Add(time.Duration(i) * time.Minute), Seq: int64(i + 1)})
	}
	return records
}

// Rebuilt is what a rebuild's record in the stream says.
func Rebuilt(t *testing.T, r reference.Record) (id string, closedPeriods, is bool) {
	t.Helper()
	var e struct {
		Type string
		Data struct {
			ID            string `json:"rebuild_id"`
			ClosedPeriods bool   `json:"closed_periods"`
		}
	}
	if err := json.Unmarshal(r.Event, &e); err != nil {
		t.Fatal(err)
	}
	return e.Data.ID, e.Data.ClosedPeriods, e.Type == domain.TypeBooksRebuilt.String()
}
