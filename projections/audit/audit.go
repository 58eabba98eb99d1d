package audit

import (
	"bytes"
	"cmp"
	"context"

	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
)

// Audit is who changed the books, when and why: everything in them that no sale and no fix brought about.
type Audit struct {
	Entries []AuditEntry `json:"entries"`  // in the order of recording
	LeftOut uint64       `json:"left_out"` // earlier ones that a limit left out
}

// AuditEntry is one change: a rate set, a month closed or reopened, an event voided, a dead letter dealt with.
type AuditEntry struct {
	RecordedAt time.Time `json:"recorded_at"`
	Time       time.Time `json:"time"` // of a rate: from when it is in force
	Type       string    `json:"type"`
	Actor      string    `json:"actor"` // as the event claims; NoActor where it doesn't say
	Token      string    `json:"token"` // name of the token that it was sent with; empty where none was asked for
	Reason     string    `json:"reason"`
	Change     string    `json:"change"` // what was changed, in words
	Source     string    `json:"source"`
	ID         string    `json:"id"`
}

// What an audit says where an event doesn't say who changed something, or why.
const (
	NoActor  = "no actor given"
	NoReason = "no reason given"
)

// ReadAudit lists the changes recorded from a moment on and before another, the last at most limit of them. changed
// says of a close or a reopening whether it changed anything: of two who close the same month the second doesn't. The
// events of the books stream stand together in the ledger, as they are of no order; voids have a table that says of
// which.
func ReadAudit(ctx context.Context, db driver.Conn, changed func(source, id string) bool, from, to time.Time,
	limit int) (*Audit, error) {
	rows, err := statements.Make("changed", nil, sql.Named("from", from.UnixMilli()), sql.Named("to", to.UnixMilli()),
		sql.Named("limit", limit)).Rows(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("list who changed the books: %w", err)
	}
	defer rows.Close()
	a := &Audit{Entries: []AuditEntry{}}
	for rows.Next() {
		var e AuditEntry
		var payload string
		var voids voidedName
		var total uint64
		if err := rows.Scan(&e.Source, &e.ID, &e.Type, &e.Time, &e.RecordedAt, &payload, &voids.source, &voids.id,
			&voids.kind, &e.Token, &total); err != nil {
			return nil, fmt.Errorf("list who changed the books: %w", err)
		}
		e.Time, e.RecordedAt = e.Time.UTC(), e.RecordedAt.UTC()
		e.read([]byte(payload), voids)
		switch of := domain.ParseType([]byte(e.Type)); {
		case of == domain.TypePeriodClosed && !changed(e.Source, e.ID):
			e.Change += ", which was closed already"
		case of == domain.TypePeriodReopened && !changed(e.Source, e.ID):
			e.Change += ", which was open already"
		}
		a.Entries = append(a.Entries, e)
		a.LeftOut = total
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list who changed the books: %w", err)
	}
	a.LeftOut -= uint64(len(a.Entries))
	slices.Reverse(a.Entries)
	return a, nil
}

// voidedName names what a void takes back.
type voidedName struct{ source, id, kind string }

// read finds in an event's data who did it, why, and what. The data was valid when it was booked; what can't be read
// now is left empty.
func (e *AuditEntry) read(payload []byte, voids voidedName) {
	data := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	_ = d.Decode(&data)
	text := func(name string) string {
		switch v := data[name].(type) {
		case string:
			return v
		case json.Number:
			return v.String()
		}
		return ""
	}
	e.Actor = cmp.Or(strings.TrimSpace(text("actor")), NoActor)
	e.Reason = cmp.Or(strings.TrimSpace(text("reason")), NoReason)
	switch domain.ParseType([]byte(e.Type)) {
	case domain.TypeRateSet:
		e.Change = strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s from %s", text("rate"), text("key"), text("value"),
			text("currency"), text("effective_from"))), " ")
	case domain.TypeVendorTerms:
		covers, _ := data["covers"].([]any)
		e.Change = fmt.Sprintf("%s, %s days, %d covers, from %s", text("vendor_id"), text("window_days"), len(covers),
			text("effective_from"))
	case domain.TypePeriodClosed, domain.TypePeriodReopened:
		e.Change = text("period")
	case domain.TypeBooksSealed:
		e.Actor, e.Reason = "makegood", "a seal for every close"
		e.Change = fmt.Sprintf("%s, close %s, %s events, root %s", text("period"), text("close"), text("events"),
			text("root"))
	case domain.TypeBooksRebuilt:
		e.Change = fmt.Sprintf("%s, %s events", text("rebuild_id"), text("events"))
		if data["closed_periods"] == true {
			e.Change += ", closed months as well"
		}
	case domain.TypeDeadLetterReplayed, domain.TypeDeadLetterDiscarded:
		e.Change = text("dead_letter_id")
		if text("topic") != "" {
			e.Change += fmt.Sprintf(" from %s/%s/%s", text("topic"), text("partition"), text("offset"))
		}
	case domain.TypeFactDecided:
		e.Change = fmt.Sprintf("%s of %s counts", text("id"), text("source"))
		switch {
		case data["separate"] == true:
			e.Change = fmt.Sprintf("%s of %s is a fact of its own", text("id"), text("source"))
		case data["counts"] == false:
			e.Change = fmt.Sprintf("%s of %s does not count", text("id"), text("source"))
		}
	case domain.TypeEventVoided:
		e.Change = fmt.Sprintf("%s %s of %s", domain.ShortName(voids.kind), voids.id, voids.source)
	default:
		delete(data, "actor")
		delete(data, "reason")
		rest, _ := json.Marshal(data) // was read from JSON
		e.Change = string(rest)
	}
}
