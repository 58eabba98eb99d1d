package main

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/wire"
)

// streamPositions puts a reference's records into a log: the sequence number is the offset, on every stream, so that a
// rate's mark divides all of them just there.
func position(r reference.Record) domain.Position {
	return domain.Position{Stream: domain.ParseStream(r.Stream), Offset: r.Seq, Time: r.RecordedAt}
}

func mark(r reference.Record) domain.Mark {
	ends := map[domain.Partition]int64{}
	for s := domain.Orders; s < domain.Books; s++ {
		ends[domain.Partition{Stream: s}] = r.Seq
	}
	return domain.Mark{Offset: r.Seq, Time: r.RecordedAt, Ends: ends}
}

// TestPostingAgainstReference holds domain's posting rules against a second set of books, written from the contract's
// table with exact fractions, on generated streams of every kind of event.
func TestPostingAgainstReference(t *testing.T) {
	t.Parallel()
	seeds := 300
	if testing.Short() {
		seeds = 30
	}
	for seed := range int64(seeds) {
		records := reference.Generate(seed, reference.Options{Periods: true, Rebuilds: true})
		want, err := reference.Run(records, time.UTC)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		terms := domain.NewTerms(time.UTC)
		var decoder wire.Decoder
		for _, r := range records {
			if r.Stream != "books" {
				continue
			}
			envelope, err := decoder.Structured(r.Event)
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, r.Event)
			}
			terms.Apply(&envelope.Event, mark(r))
		}
		// The first void of an event moves with it; the plain stream voids nothing twice.
		voids := map[string]domain.Placed{}
		for _, r := range records {
			envelope, err := decoder.Structured(r.Event)
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, r.Event)
			}
			if v, is := envelope.Event.Data.(*domain.EventVoided); is {
				voids[strings.Clone(v.Source+" "+v.ID)] = domain.Placed{Occurred: envelope.Event.Time, At: position(r)}
			}
		}
		got := map[string]string{}
		entries := map[string]domain.Entry{}
		for _, r := range records {
			envelope, err := decoder.Structured(r.Event)
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, r.Event)
			}
			e := &envelope.Event
			var entry domain.Entry
			key := e.Source + " " + e.ID
			var with []domain.Placed
			if v, voided := voids[key]; voided {
				with = append(with, v)
			}
			if err := domain.Post(e, terms.Rates, terms.PricedAt(e.Time, position(r), with...), &entry); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			entries[strings.Clone(key)] = entry
			posting, origin := terms.Periods.Posting(e.Time, position(r))
			got[strings.Clone(key)] = fmt.Sprintf("%s %s %s", origin, posting, lines(entry.Lines))
		}
		for i := range want.Entries {
			w := &want.Entries[i]
			key := w.Source + " " + w.ID
			if strings.HasSuffix(w.Type, "event.voided.v1") {
				continue // the exact negation of what its original booked needs both: TestBooksAgainstReference
			}
			var all []string
			for _, l := range w.Lines {
				all = append(all, fmt.Sprintf("%s %s %s %s", l.Account, l.Element, l.Basis, l.Amount.FloatString(4)))
			}
			sort.Strings(all)
			expected := fmt.Sprintf("%s %s %s", w.OriginPeriod, w.PostingPeriod, strings.Join(all, ", "))
			if got[key] != expected {
				t.Fatalf("seed %d: event %s\n got %s\nwant %s", seed, key, got[key], expected)
			}
			delete(got, key)
		}
	}
}

func lines(all []domain.Line) string {
	var text []string
	for _, l := range all {
		text = append(text, fmt.Sprintf("%d %s %s %s", l.Account, l.Element, l.Basis, l.Amount))
	}
	sort.Strings(text)
	return strings.Join(text, ", ")
}
