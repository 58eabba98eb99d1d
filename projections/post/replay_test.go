package post_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// mendableLog is a log whose records can be read back.
type mendableLog struct {
	*bookstest.Log
	held map[domain.Position]*post.Original
}

// TestReplayAfterTheCauseIsMended: an event that could not be read at first, and is sent again when it can, is booked
// once, with the time at which the log first took it; but never before a close that the replay came after, and never by
// a claim that the log doesn't bear out.
func TestReplayAfterTheCauseIsMended(t *testing.T) {
	first := time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC)
	sent := time.Date(2026, 2, 5, 10, 0, 0, 0, time.UTC)
	closed := time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC)
	placed := event("late", "order.placed", "2026-01-15T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,`+
			`"unit_price":"10","unit_cost":"1"}]}`)
	for name, c := range map[string]struct {
		close  bool
		held   string // what the log holds where the replay says that it was
		at     time.Time
		period string
	}{
		"as if it had come in time":    {false, placed, first, "2026-01-01"},
		"never before a close":         {true, placed, closed.Add(time.Millisecond), "2026-02-01"},
		"a claim without a foundation": {false, `{"other":1}`, sent, "2026-01-01"},
	} {
		t.Run(name, func(t *testing.T) {
			store := bookstest.Open(t)
			records := []reference.Record{{Stream: "orders", Event: []byte(placed), RecordedAt: first, Seq: 1}}
			if c.close {
				records = append(records, reference.Record{Stream: "books",
					Event: []byte(event("c", "period.closed", "2026-02-03T10:00:00Z", "", `{"period":"2026-01"}`)), RecordedAt: closed,
					Seq: 2})
			}
			records = append(records, reference.Record{Stream: "orders", Event: []byte(placed), RecordedAt: sent, Seq: 3})
			l := &mendableLog{&bookstest.Log{Records: records}, map[domain.Position]*post.Original{
				{Stream: domain.Orders, Offset: 1}: {Payload: []byte(c.held), Time: first}}}
			refuse := func(message.Metadata, []byte) (*domain.Envelope, error) {
				return nil, &ledger.Rejection{Code: "unknown_version", Source: "urn:till:1", EventID: "late"}
			}
			l.project(t, store, refuse, records[:1])
			if letters, err := deadletter.List(t.Context(), store.DB, 10); err != nil || len(letters) != 1 ||
				letters[0].Offset != 1 {
				t.Fatalf("dead letters %+v (%v)", letters, err)
			}
			l.project(t, store, decode.Log(), records[1:])
			l.project(t, store, decode.Log(), records[len(records)-1:]) // the same again
			rows, err := store.DB.Query(t.Context(),
				`SELECT recorded_at, toString(posting_period) FROM ledger FINAL WHERE event_id = 'late'`)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			var got []string
			for rows.Next() {
				var at time.Time
				var period string
				if err := rows.Scan(&at, &period); err != nil {
					t.Fatal(err)
				}
				got = append(got, at.UTC().Format(time.RFC3339Nano)+" "+period)
			}
			if want := []string{c.at.Format(time.RFC3339Nano) + " " + c.period}; !slices.Equal(got, want) {
				t.Errorf("booked as %v, not %v", got, want)
			}
		})
	}
}

// project lets a projector meet the records. What comes again of orders says where it was before.
func (l *mendableLog) project(t *testing.T, store *clickhouse.Store, read ledger.Decode, records []reference.Record) {
	t.Helper()
	var messages []*message.Message
	for _, r := range records {
		m := l.Message(r)
		if r.Stream == "orders" && r.Seq > 1 {
			m.Metadata.Set(ledger.FirstHeader, ledger.FormatFirst(0, 1))
		}
		messages = append(messages, m)
	}
	p := bookstest.NewProjector(t, store, bookstest.With{Log: l.Log, Decode: read,
		Original: func(_ context.Context, at domain.Position) (*post.Original, error) { return l.held[at], nil }})
	bookstest.Feed(t, p, l.Log, messages)
}
