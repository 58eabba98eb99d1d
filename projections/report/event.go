package report

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/sql"
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

	Standing  string     `json:"standing,omitempty"`   // empty where it counts; see domain.Standings
	Of        *EventName `json:"of,omitempty"`         // the event that counts in its place, or that it contradicts
	DecidedBy *Decision  `json:"decided_by,omitempty"` // the last decision on it that stands; nil where there is none
}

// Decision is what a person decided on an event, and who.
type Decision struct {
	Source     string    `json:"source"`
	ID         string    `json:"id"`
	Time       time.Time `json:"time"`
	RecordedAt time.Time `json:"recorded_at"`
	Actor      string    `json:"actor"`
	Reason     string    `json:"reason"`
	Counts     bool      `json:"counts"`   // it counts, by itself or in the place of another one
	Separate   bool      `json:"separate"` // it is a fact of its own
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
	e.Standing = ledger.StandingName(r.Standing)
	if r.Of != (domain.Identity{}) {
		e.Of = &EventName{r.Of.Source, r.Of.ID}
	}
	if e.VoidedBy, err = readVoid(ctx, db, source, id); err != nil {
		return nil, err
	}
	e.DecidedBy, err = readDecision(ctx, db, source, id)
	return e, err
}

// readDecision finds the last decision on an event that no void took back; nil where there is none. Of the decisions
// that were settled with their unit the later one holds, in the unit's sequence.
func readDecision(ctx context.Context, db driver.Conn, source, id string) (*Decision, error) {
	rows, err := ledger.Read(ctx, db, `ledger FINAL WHERE (order_id, source, event_id) IN (
        SELECT order_id, source, event_id FROM failures WHERE event_type = `+sql.Event("fact.decided")+`)
    AND JSONExtractString(payload, 'source') = ? AND JSONExtractString(payload, 'id') = ?
    AND refused = '' AND standing = '' ORDER BY epoch, occurred_at, source, event_id`, source, id)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	r := &rows[len(rows)-1]
	d := &Decision{Source: r.Event.Source, ID: r.Event.ID, Time: r.Event.Time.UTC(), RecordedAt: r.RecordedAt.UTC()}
	var said struct {
		Actor, Reason    string
		Counts, Separate bool
	}
	if err := json.Unmarshal(r.Data, &said); err != nil {
		return nil, fmt.Errorf("read the decision %s of %s: %w", d.ID, d.Source, err)
	}
	d.Actor, d.Reason, d.Counts, d.Separate = said.Actor, said.Reason, said.Counts || said.Separate, said.Separate
	return d, nil
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
