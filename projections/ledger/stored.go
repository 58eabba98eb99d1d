package ledger

import (
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
}

const storedColumns = `source, event_id, content, event_type, order_id, error_id, store_id, currency, occurred_at, recorded_at, day,
    posting_period, origin_period, toUInt8(stream), partition, offset, payload, extensions, voids_type, voids_source, voids_id,
    account, arrayMap(x -> toUInt8(x), element), arrayMap(x -> toUInt8(x), basis), arrayMap(x -> toDecimalString(x, 4), amount), unpriced, refused, version, terms, customer_id, rules, rated`

// Read reads rows of the ledger; from is what stands behind FROM.
func Read(ctx context.Context, db driver.Conn, from string, args ...any) ([]Stored, error) {
	rows, err := db.Query(ctx, "SELECT "+storedColumns+" FROM "+from, args...)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	defer rows.Close()
	var all []Stored
	for rows.Next() {
		s := Stored{Row: Row{Event: &domain.Event{}}}
		e := s.Event
		var eventType, payload, extensions string
		var posting, origin time.Time
		var stream uint8
		var version uint64
		var account []uint16
		var element, basis []uint8
		var amount []string
		if err := rows.Scan(&e.Source, &e.ID, &s.Content, &eventType, &e.OrderID, &e.ErrorID, &e.StoreID, &e.Currency, &e.Time, &s.RecordedAt, &s.Day,
			&posting, &origin, &stream, &s.Position.Partition, &s.Position.Offset, &payload, &extensions,
			&s.VoidsType, &s.Voids.Source, &s.Voids.ID, &account, &element, &basis, &amount, &s.Unpriced, &s.Refused, &version, &s.Terms, &s.Customer, &s.Rules, &s.Rated); err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		e.Type = domain.ParseType([]byte(eventType))
		s.Voids.Order = e.OrderID
		if s.VoidsType != "" {
			e.Data = &domain.EventVoided{Source: s.Voids.Source, ID: s.Voids.ID,
				Original: &domain.Event{Type: domain.ParseType([]byte(s.VoidsType))}}
		}
		s.Data, s.Extensions = []byte(payload), []byte(extensions)
		s.Position.Stream, s.Position.Time = domain.Stream(stream), s.RecordedAt
		s.Posting, s.Origin = domain.PeriodOf(posting, time.UTC), domain.PeriodOf(origin, time.UTC)
		s.SetVersion(version)
		for i := range account {
			a, err := domain.ParseAmount(amount[i])
			if err != nil {
				return nil, fmt.Errorf("read the ledger: event %s of %s: %w", e.ID, e.Source, err)
			}
			s.Lines = append(s.Lines, domain.Line{Account: domain.Account(account[i]), Element: domain.Element(element[i]), Basis: domain.Basis(basis[i]), Amount: a})
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

// Earlier orders rows by when the log took them.
func (s *Stored) Earlier(o *Stored) int {
	if c := s.RecordedAt.Compare(o.RecordedAt); c != 0 {
		return c
	}
	for _, c := range []int64{int64(s.Position.Stream) - int64(o.Position.Stream),
		int64(s.Position.Partition) - int64(o.Position.Partition), s.Position.Offset - o.Position.Offset} {
		if c != 0 {
			return int(max(min(c, 1), -1))
		}
	}
	return strings.Compare(s.Event.OrderID, o.Event.OrderID)
}

// Refuse takes the row out of the books.
func (s *Stored) Refuse(reason string) {
	s.Refused = reason
	s.Revise(ByEvents)
	s.Lines, s.Unpriced = nil, nil
}

// Structured writes the event as a CloudEvent in structured mode. Its members may stand in another order than its sender
// wrote them; data is as it came.
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

// Placed is when the event happened, and where the log holds it.
func (s *Stored) Placed() domain.Placed { return domain.Placed{Occurred: s.Event.Time, At: s.Position} }

// KeepLines makes lines that belong to whoever posted them the row's own.
func (s *Stored) KeepLines() {
	s.Lines, s.Unpriced = slices.Clone(s.Lines), slices.Clone(s.Unpriced)
}
