package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
)

// Stored is a row as the ledger gives it back.
type Stored struct {
	Row
	VoidsType string
	Voids     Ref
	Unfed     bool // tables that are fed from the ledger hold another copy of it: it must be written again
	New       bool // the ledger doesn't have it yet
}

// StoredOf is the row that the ledger would give back of an event at a place of the log, before it is settled. It
// shares no memory with the envelope.
func StoredOf(d *domain.Envelope, at domain.Position) Stored {
	e := d.Event
	for _, text := range []*string{&e.Source, &e.ID, &e.OrderID, &e.ErrorID, &e.StoreID, &e.Currency} {
		*text = strings.Clone(*text)
	}
	s := Stored{Row: Row{Event: &e, Content: d.Content, Data: slices.Clone(d.Data), Position: at,
		Rules: domain.PostingRules()}}
	switch data := e.Data.(type) {
	case *domain.FactDecided:
		e.OrderID, e.ErrorID = strings.Clone(data.OrderID), strings.Clone(data.ErrorID)
	case *domain.EventVoided:
		s.VoidsType = e.Effective().String()
		s.Voids = Ref{Order: e.OrderID, Source: strings.Clone(data.Source), ID: strings.Clone(data.ID)}
	}
	e.Data = nil
	return s
}

// Read reads rows of the ledger with all their columns; from is what follows FROM. It is for few rows; Reader is for
// many.
func Read(ctx context.Context, db driver.Conn, from string, args ...any) ([]Stored, error) {
	rows, err := db.Query(ctx, "SELECT "+scannedColumns+" FROM "+from, args...)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	defer rows.Close()
	var all []Stored
	scan := newScan()
	for rows.Next() {
		s := Stored{Row: Row{Event: &domain.Event{}}}
		if err := rows.Scan(scan.into...); err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		if err := scan.set(&s.Row); err != nil {
			return nil, fmt.Errorf("read the ledger: event %s of %s: %w", s.Event.ID, s.Event.Source, err)
		}
		if v := s.void(); v != nil {
			s.VoidsType, s.Voids = v.Original.Type.String(), Ref{Order: s.Event.OrderID, Source: v.Source, ID: v.ID}
		}
		// What was balanced when written is balanced when read.
		if err := s.Check(); err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return all, nil
}

// Ref is how a void would name the row.
func (s *Stored) Ref() Ref { return Ref{s.Event.OrderID, s.Event.Source, s.Event.ID} }

// Effective is the type that the row's lines speak of.
func (s *Stored) Effective() domain.Type {
	if s.VoidsType != "" {
		return domain.ParseType([]byte(s.VoidsType))
	}
	return s.Event.Type
}

// Earlier orders rows by when the log took them. Within a millisecond it must order them as Version does: of copies
// that say the same the ledger keeps the one with the highest version, and no copy that says something else may stand
// between that one and those that it replaced. So what a version has of the offset comes first, and where that is the
// same, what the copy says.
func (s *Stored) Earlier(o *Stored) int {
	at, other := s.Position, o.Position
	return cmp.Or(s.RecordedAt.Compare(o.RecordedAt), cmp.Compare(at.Offset&mostOffset, other.Offset&mostOffset),
		cmp.Compare(s.Content, o.Content), cmp.Compare(at.Stream, other.Stream),
		cmp.Compare(at.Partition, other.Partition), cmp.Compare(at.Offset, other.Offset),
		strings.Compare(s.Event.OrderID, o.Event.OrderID))
}

// Refuse takes the row out of the books.
func (s *Stored) Refuse(reason string) {
	s.Refused = reason
	s.Revise(ByRefusal)
	s.Lines, s.Unpriced = nil, nil
}

// Restore takes a refusal back. The row says nothing until its unit is settled.
func (s *Stored) Restore() {
	s.Refused = ""
	s.Unsettle()
	s.Revise(ByRefusal)
}

// Structured writes the event as a CloudEvent in structured mode. Its members may stand in another order than its
// sender wrote them; data is as it came.
func (s *Stored) Structured() []byte {
	fields := map[string]json.RawMessage{}
	if len(s.Extensions) > 0 {
		// Valid JSON when it was written; and if it weren't, the event itself is what matters.
		_ = json.Unmarshal(s.Extensions, &fields)
	}
	set := func(name, value string) {
		text, _ := json.Marshal(value) // a string always marshals
		fields[name] = text
	}
	set("specversion", "1.0")
	set("id", s.Event.ID)
	set("source", s.Event.Source)
	set("type", s.Event.Type.String())
	set("time", s.Event.Time.UTC().Format(time.RFC3339Nano))
	if subject := s.Event.Subject(); subject != "" {
		set("subject", subject)
	}
	fields["data"] = s.Data
	text, err := json.Marshal(fields)
	if err != nil {
		return s.Data
	}
	return text
}

// KeepLines makes lines that belong to whoever posted them the row's own.
func (s *Stored) KeepLines() {
	s.Lines, s.Unpriced = slices.Clone(s.Lines), slices.Clone(s.Unpriced)
}
