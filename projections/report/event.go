package report

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
)

// BookedEvent is one event as the books hold it.
type BookedEvent struct {
	Event         json.RawMessage `json:"event"`  // the whole CloudEvent, in structured mode; its data is as it came
	Stream        string          `json:"stream"` // orders, errors, redeliveries or books
	RecordedAt    time.Time       `json:"recorded_at"`
	OriginPeriod  string          `json:"origin_period"`  // YYYY-MM, of its time
	PostingPeriod string          `json:"posting_period"` // YYYY-MM
	Currency      string          `json:"currency"`
	Lines         []StoryLine     `json:"lines"`
	Unpriced      []string        `json:"unpriced,omitempty"`  // the rates that were missing
	VoidedBy      *Void           `json:"voided_by,omitempty"` // nil while it stands
}

// Void is who took an event back.
type Void struct {
	Source     string    `json:"source"`
	ID         string    `json:"id"`
	Time       time.Time `json:"time"`
	RecordedAt time.Time `json:"recorded_at"`
	Actor      string    `json:"actor"` // empty where the event doesn't say
	Reason     string    `json:"reason"`
}

// ReadEvent finds an event by its identity, which says nothing of where the ledger holds it: identities knows the
// month, and the month's own rows the order.
func ReadEvent(ctx context.Context, db driver.Conn, source, id string) (*BookedEvent, error) {
	rows, err := ledger.Read(ctx, db, `ledger FINAL WHERE order_id IN (
        SELECT order_id FROM ledger
        WHERE toYYYYMM(occurred_at) IN (SELECT month FROM identities WHERE identity = cityHash64(?, ?))
            AND source = ? AND event_id = ?)
    AND source = ? AND event_id = ? AND refused = ''`, source, id, source, id, source, id)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, ledger.ErrNotFound
	}
	// Until the next conflict check there may be two of one identity: the first recorded is the one that stays.
	slices.SortFunc(rows, func(a, b ledger.Stored) int { return a.Earlier(&b) })
	r := &rows[0]
	e := &BookedEvent{Event: r.Structured(), Stream: r.Position.Stream.String(), RecordedAt: r.RecordedAt.UTC(),
		OriginPeriod:  r.Origin.String(),
		PostingPeriod: r.Posting.String(), Currency: r.Event.Currency, Lines: storyLines(r.Lines), Unpriced: r.Unpriced}
	e.VoidedBy, err = readVoid(ctx, db, source, id)
	return e, err
}

// readVoid finds who took an event back; nil where nobody did.
func readVoid(ctx context.Context, db driver.Conn, source, id string) (*Void, error) {
	rows, err := ledger.Read(ctx, db, `ledger FINAL WHERE (order_id, source, event_id) IN (
        SELECT order_id, source, event_id FROM voids WHERE voids_source = ? AND voids_id = ?) AND refused = ''`, source,
		id)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b ledger.Stored) int { return a.Earlier(&b) })
	r := &rows[0]
	v := &Void{Source: r.Event.Source, ID: r.Event.ID, Time: r.Event.Time.UTC(), RecordedAt: r.RecordedAt.UTC()}
	var said struct{ Actor, Reason string }
	if err := json.Unmarshal(r.Data, &said); err != nil {
		return nil, fmt.Errorf("read the void %s of %s: %w", v.ID, v.Source, err)
	}
	v.Actor, v.Reason = said.Actor, said.Reason
	return v, nil
}
