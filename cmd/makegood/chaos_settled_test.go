//go:build chaos

package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// booksTail reads the books stream for the terms.
type booksTail struct{ *kafka.Tail }

func (b booksTail) ReadTo(ctx context.Context, end int64, take func(post.BooksRecord) error) error {
	return b.Tail.ReadTo(ctx, end, func(r kafka.Record) error {
		metadata := message.Metadata{}
		for _, h := range r.Headers {
			metadata[h.Key] = string(h.Value)
		}
		return take(post.BooksRecord{Offset: r.Offset, Time: r.Time, Metadata: metadata, Value: r.Value})
	})
}

// checkSettled holds the ledger and its roll-up against themselves: no unit comes out otherwise when it is settled once
// more with all that the log holds, and no bucket of the roll-up differs from the rows that it sums up. So a row or a
// bucket that some fault left stale is told from what the reference reads otherwise.
func (f *fleet) checkSettled(ctx context.Context, t *testing.T, store *clickhouse.Store, seed uint64) {
	tail, err := kafka.NewTail(kafka.TailConfig{Config: kafka.Config{Brokers: []string{f.brokerPath.addr()}},
		Topic: "makegood.books"})
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Close()
	known, err := post.ReadTerms(ctx, booksTail{tail}, server.NewDecode(), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := ledger.Read(ctx, store.DB, "ledger FINAL WHERE refused = ''")
	if err != nil {
		t.Fatal(err)
	}
	settler := post.Settler{New: server.NewStored, Rebuilds: known.Rebuilds}
	units, stale := post.Components(rows, known.Decisions), 0
	for _, unit := range units {
		if len(unit) == 1 && unit[0].PostsAlone() && !unit[0].Settled {
			continue // it needs no other event, and was posted without
		}
		was := map[*ledger.Row]ledger.Row{}
		for _, r := range unit {
			was[&r.Row] = r.Row
		}
		changed, refused, not := settler.Settle(known.Terms, unit)
		for _, r := range changed {
			before := was[r]
			stale++
			t.Errorf("seed %d: event %s of %s (%s, order %q, case %q, terms %d) is stale:\n has %s\nwant %s", seed, r.Event.ID,
				r.Event.Source, r.Event.Type, r.Event.OrderID, r.Event.ErrorID, r.Terms, booked(&before), booked(r))
		}
		for _, r := range refused {
			t.Errorf("seed %d: event %s of %s should have left the books", seed, r.Event.ID, r.Event.Source)
		}
		for _, n := range not {
			t.Errorf("seed %d: %v", seed, n)
		}
	}
	t.Logf("%d units of %d rows are settled once more, %d rows come out otherwise", len(units), len(rows), stale)
	var buckets []string
	if err := store.DB.QueryRow(ctx, fmt.Sprintf(`
SELECT groupArray(concat(unit, ' ', error_id, ' ', account, ' ', element, ': ', arrayStringConcat(sums, ' and '))) FROM (
    SELECT %[1]s, groupArray(concat(which, ' ', toString(amount), ' ', founded, ' ', kind)) AS sums FROM (
        SELECT 'has' AS which, %[1]s, %[2]s, toDecimal128(amount, 4) AS amount, toUInt64(lines) AS lines
        FROM leakage_daily FINAL WHERE lines != 0
        UNION ALL
        SELECT 'wants' AS which, %[1]s, %[2]s, toDecimal128(amount, 4) AS amount, toUInt64(lines) AS lines
        FROM (%[3]s) WHERE lines != 0)
    GROUP BY %[1]s HAVING count() != 2 OR uniqExact(%[2]s, amount, lines) != 1 LIMIT 10)`,
		ledger.LeakageKey, ledger.LeakageFacts, ledger.FailureLines("1"))).Scan(&buckets); err != nil {
		t.Fatal(err)
	}
	for _, b := range buckets {
		t.Errorf("seed %d: the roll-up is stale: %s", seed, b)
	}
}

// booked is what a row says to the books.
func booked(r *ledger.Row) string {
	return fmt.Sprintf("%v of %v, epoch %d, posted %v, facts %+v, flags %+v, sold by %q, lines %+v", r.Standing, r.Of,
		r.Epoch, r.Posting, r.Facts, r.Flags, r.SoldBy, r.Lines)
}
