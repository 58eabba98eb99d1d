//go:build chaos

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
)

var streamNames = []string{"orders", "errors", "redeliveries", "books"}

func streamOf(r kafka.Record) int {
	return slices.Index(streamNames, strings.TrimPrefix(r.Topic, "makegood."))
}

// structured is the event of a record, in structured mode.
func structured(t *testing.T, r kafka.Record) []byte {
	fields := map[string]json.RawMessage{}
	for _, h := range r.Headers {
		if name, ok := strings.CutPrefix(h.Key, "ce_"); ok {
			text, err := json.Marshal(string(h.Value))
			if err != nil {
				t.Fatal(err)
			}
			fields[name] = text
		}
	}
	if len(fields) == 0 {
		return r.Value
	}
	fields["data"] = r.Value
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func identityOf(t *testing.T, event []byte) reference.Identity {
	var e struct{ Source, ID string }
	if err := json.Unmarshal(event, &e); err != nil {
		t.Fatal(err)
	}
	return reference.Identity{Source: e.Source, ID: e.ID}
}

// checking is what the parts of a check share.
type checking struct {
	f       *fleet
	x       *traffic
	seed    uint64
	store   *clickhouse.Store
	privacy *wire.Privacy
	known   *post.Known
	letters map[kafka.TopicPartition]map[int64]*deadletter.Letter
	parts   *bookstest.Parts
	rows    uint64 // of the ledger that were held against the reference, without those of the books stream
	told    int    // dead letters
}

// check waits until all is booked. Then it holds the books and the dead letters against what the reference makes of the
// log, to the cent, block by block, and the books against themselves: a row or bucket that a fault left stale comes out
// otherwise when it is settled once more from the log. The log of a chaos that fails is kept as a history.
func (f *fleet) check(ctx context.Context, t *testing.T, x *traffic, seed uint64) {
	c := newClient(f.gateways[0])
	waitReady(ctx, t, c, &process{said: new(bytes.Buffer)})
	if _, err := tillMapped(ctx, c, "shop"); err != nil { // and all is booked
		t.Fatalf("seed %d: %v", seed, err)
	}
	begun := time.Now()
	phase := func(what string) {
		t.Logf("%s after %s", what, time.Since(begun).Round(time.Millisecond))
		begun = time.Now()
	}
	store := f.openStore(ctx, t)
	f.awaitConflicts(ctx, t, store)
	phase("conflicts are settled")
	f.awaitFed(ctx, t, store, seed)
	phase("what is kept from the ledger has all of it")
	log := readLog(ctx, t, []string{f.brokerPath.addr()}, x.volume.blocks)
	t.Logf("the log holds %d records", log.records)
	phase("the log is read")
	k := &checking{f: f, x: x, seed: seed, store: store, privacy: f.privacy(t), known: f.terms(ctx, t),
		parts: bookstest.NewParts(rand.New(rand.NewPCG(seed, 8)))}
	k.readLetters(ctx, t)
	checkBuckets(ctx, t, store, seed)
	phase("the roll-up agrees with the ledger")
	log.each(t, x.volume.blocks, func(n int, records []kafka.Record) {
		k.block(ctx, t, n, slices.Concat(log.books, records))
	})
	phase(fmt.Sprintf("the books, dead letters and orders of %d blocks are held against the reference",
		x.volume.blocks+1))
	k.whole(ctx, t)
	phase("reports are held against the sum of the blocks")
	f.stillFinal(ctx, t, x, seed)
	phase("what was final is still the same")
	if f.cluster != nil {
		f.checkReplicas(t, seed)
		phase("all servers have the same")
	}
}

func (f *fleet) openStore(ctx context.Context, t *testing.T) *clickhouse.Store {
	config := clickhouse.Config{DSN: f.dsn, Logger: slog.New(slog.DiscardHandler)}
	if f.cluster != nil {
		config.Cluster = f.cluster.name
	}
	store, err := clickhouse.Open(ctx, config, ledger.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// readLetters takes the dead letters by the place of what they are of.
func (k *checking) readLetters(ctx context.Context, t *testing.T) {
	letters, err := deadletter.List(ctx, k.store.DB, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	k.letters = map[kafka.TopicPartition]map[int64]*deadletter.Letter{}
	for i := range letters {
		d := &letters[i]
		tp := kafka.TopicPartition{Topic: d.Topic, Partition: int(d.Partition)}
		if k.letters[tp] == nil {
			k.letters[tp] = map[int64]*deadletter.Letter{}
		}
		if k.letters[tp][d.Offset] != nil {
			t.Errorf("seed %d: two dead letters of %s/%d@%d", k.seed, d.Topic, d.Partition, d.Offset)
		}
		k.letters[tp][d.Offset] = d
	}
}

// block holds one block against the reference: log is all its records, and the whole books stream.
func (k *checking) block(ctx context.Context, t *testing.T, n int, log []kafka.Record) {
	var records []reference.Record
	inLog, badInLog := map[reference.Identity]bool{}, map[string]bool{}
	inOrder(t, log, k.x.late)
	for i, r := range log {
		if k.x.bad[string(r.Value)] != "" {
			badInLog[string(r.Value)] = true
			continue
		}
		event := hidden(t, k.privacy, structured(t, r))
		inLog[identityOf(t, event)] = true
		records = append(records, reference.Record{Stream: streamNames[streamOf(r)], Event: event, RecordedAt: r.Time,
			Seq: int64(i + 1)})
	}
	if n == 0 {
		k.x.acknowledged(t, inLog, badInLog, k.seed)
	} else {
		for id := range k.x.volume.identities(t, n) {
			if !inLog[id] {
				t.Errorf("seed %d: %v was acknowledged and is not in the log", k.seed, id)
			}
		}
	}
	defer bookstest.KeepHistory(t, fmt.Sprintf("chaos-%d-%d", k.seed, n), records)
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Logf("of the first block the log holds %d records of %d identities; %d entries, %d conflicts", len(log),
			len(inLog), len(want.Entries), len(want.Conflicts))
	} else if n%100 == 0 {
		t.Logf("%d blocks are held against the reference", n)
	}
	rows, err := ledger.Read(ctx, k.store.DB, "ledger FINAL WHERE refused = '' AND "+rowsOfBlock(n))
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if rows[i].Position.Stream != domain.Books {
			k.rows++
		}
	}
	bookstest.HoldSettled(t, k.known, rows)
	if astray := checkPresence(t, rows, want, k.seed); len(astray) > 0 {
		tellCopies(ctx, t, k.store, log, k.x.bad, astray)
	}
	k.checkLetters(t, want, log, badInLog)
	orders := want.OrderIDs()
	if n == 0 {
		checkStories(ctx, t, k.store, rows, k.seed)
	} else {
		orders = orders[:min(len(orders), 2)]
	}
	bookstest.ComparePart(t, k.store, want, rowsOfBlock(n), orders)
	k.parts.Add(t, want)
}

// whole checks what is of all blocks: that nothing else is in the books, that they balance, and reports.
func (k *checking) whole(ctx context.Context, t *testing.T) {
	var rows uint64
	if err := k.store.DB.QueryRow(ctx, `SELECT count() FROM ledger FINAL WHERE refused = '' AND stream != 'books'`).
		Scan(&rows); err != nil || rows != k.rows {
		t.Errorf("seed %d: the ledger has %d rows, of the blocks are %d (%v)", k.seed, rows, k.rows, err)
	}
	letters := 0
	for _, of := range k.letters {
		letters += len(of)
	}
	if letters != k.told {
		t.Errorf("seed %d: %d dead letters, %d of them of what stands in the log", k.seed, letters, k.told)
	}
	if n, err := report.Unbalanced(ctx, k.store.DB); err != nil || n != 0 {
		t.Errorf("seed %d: %d events don't balance (%v)", k.seed, n, err)
	}
	t.Logf("the ledger has %d events, and %d dead letters", rows, letters)
	k.parts.Compare(t, k.store)
	if k.x.volume.blocks > 10 {
		return // their rows are too many for memory
	}
	all, err := ledger.Read(ctx, k.store.DB, "ledger FINAL WHERE refused = ''")
	if err != nil {
		t.Fatal(err)
	}
	checkReports(ctx, t, k.store, all, k.seed)
}

// stillFinal: what was quoted of a closed month is still said of it.
func (f *fleet) stillFinal(ctx context.Context, t *testing.T, x *traffic, seed uint64) {
	t.Helper()
	if len(x.finals) < 2 {
		t.Errorf("seed %d: two months were closed, and %d journals quoted", seed, len(x.finals))
	}
	for _, was := range x.finals {
		t.Logf("the final journal of %s has %d bytes", was.query.Get("from"), len(was.text))
		is, err := x.final(ctx, f, was.query)
		if err != nil {
			t.Fatal(err)
		}
		if is != was.text {
			t.Errorf("seed %d: the final journal of %s changed:\n%s", seed, was.query.Get("from"),
				bookstest.Difference(strings.ReplaceAll(is, "},", "},\n"), strings.ReplaceAll(was.text, "},", "},\n")))
		}
	}
}

// acknowledged: all that was acknowledged is in the log.
func (x *traffic) acknowledged(t *testing.T, inLog map[reference.Identity]bool, badInLog map[string]bool, seed uint64) {
	t.Helper()
	for _, some := range append(x.others[:], x.books, x.late) {
		for _, r := range some {
			if id := identityOf(t, r.Event); !inLog[id] {
				t.Errorf("seed %d: %v was acknowledged and is not in the log", seed, id)
			}
		}
	}
	for _, id := range x.tillIdentities() {
		if !inLog[id] {
			t.Errorf("seed %d: %v was acknowledged as a webhook, and no event of it is in the log", seed, id)
		}
	}
	if len(badInLog) != len(x.bad) {
		t.Errorf("seed %d: of %d broken events that the log took, it holds %d", seed, len(x.bad), len(badInLog))
	}
}

// checkPresence holds which events are in the books against the reference's: each of them, and each once. It gives
// those that are not.
func checkPresence(t *testing.T, rows []ledger.Stored, want *reference.Books, seed uint64) []reference.Identity {
	t.Helper()
	booked, expected := map[reference.Identity]int{}, map[reference.Identity]bool{}
	var astray []reference.Identity
	for i := range rows {
		if rows[i].Event.Type == domain.TypeBooksSealed {
			continue // makegood's own, which may have come since the log was read
		}
		booked[reference.Identity{Source: rows[i].Event.Source, ID: rows[i].Event.ID}]++
	}
	for i := range want.Entries {
		id := want.Entries[i].Identity
		if want.Entries[i].PostedFor == "books.sealed" {
			continue
		}
		if !expected[id] && booked[id] == 0 {
			t.Errorf("seed %d: %v is in the log and missing from the ledger", seed, id)
			astray = append(astray, id)
		}
		expected[id] = true
	}
	for id, n := range booked {
		if n > 1 || !expected[id] {
			t.Errorf("seed %d: %v is booked %d times (and should be: %t)", seed, id, n, expected[id])
			astray = append(astray, id)
		}
	}
	return astray
}

// awaitConflicts waits until the watch for conflicts has looked at everything that is booked.
func (f *fleet) awaitConflicts(ctx context.Context, t *testing.T, store *clickhouse.Store) {
	for {
		var unsettled uint64
		if err := store.DB.QueryRow(ctx,
			`SELECT count() FROM (SELECT source, event_id FROM ledger FINAL WHERE refused = '' GROUP BY source, event_id `+
				`HAVING count() > 1)`).Scan(&unsettled); err != nil {
			t.Fatal(err)
		}
		var looked bool
		if err := store.DB.QueryRow(ctx,
			`SELECT count() = 0 FROM (SELECT stream, partition, max(offset) + 1 AS upto FROM places `+
				`GROUP BY stream, partition) AS p `+
				`LEFT JOIN (SELECT stream, partition, max(upto) AS upto FROM checkpoints GROUP BY stream, partition) AS c `+
				`ON c.stream = p.stream AND c.partition = p.partition WHERE c.upto < p.upto`).Scan(&looked); err != nil {
			t.Fatal(err)
		}
		if unsettled == 0 && looked {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%d conflicts are not settled", unsettled)
		}
		time.Sleep(time.Second)
	}
}

// awaitFed waits until failures has all rows of the ledger that it is to have: a projector that ended in the same
// moment as ClickHouse sees to that when it has started again.
func (f *fleet) awaitFed(ctx context.Context, t *testing.T, store *clickhouse.Store, seed uint64) {
	const key = "(order_id, source, event_id, content, version)"
	for begun := time.Now(); ; {
		var lacking uint64
		if err := store.DB.QueryRow(ctx, `SELECT count() FROM ledger FINAL WHERE refused = '' AND (error_id != '' OR settled)
            AND `+key+` NOT IN (SELECT `+key+` FROM failures)`).Scan(&lacking); err != nil {
			t.Fatal(err)
		}
		if lacking == 0 {
			return
		}
		if time.Since(begun) > time.Minute {
			t.Errorf("seed %d: %d rows of the ledger are not in failures", seed, lacking)
			return
		}
		time.Sleep(time.Second)
	}
}

// checkLetters holds the dead letters of a block against what broke the contract and what lost to another. Those of the
// books stream are the first block's.
func (k *checking) checkLetters(t *testing.T, want *reference.Books, log []kafka.Record, bad map[string]bool) {
	first := map[reference.Identity]kafka.Position{} // of the copies of an event
	ofBlock, id := -1, reference.Identity{}
	for _, r := range log {
		if !bad[string(r.Value)] {
			id = identityOf(t, structured(t, r))
			if first[id].Topic == "" {
				first[id] = r.Position
			}
		}
		if r.Topic != "makegood.books" {
			ofBlock = blockOf(id)
		}
	}
	lost := map[reference.Identity]string{}
	for _, r := range want.Conflicts {
		lost[r.Identity] = "conflict"
	}
	said, broken := map[reference.Identity]bool{}, map[string]int{}
	for _, r := range log {
		d := k.letters[kafka.TopicPartition{Topic: r.Topic, Partition: r.Partition}][r.Offset]
		if d == nil {
			continue
		}
		if r.Topic != "makegood.books" || ofBlock == 0 {
			k.told++
		}
		if !bytes.Equal(hiddenRecord(k.privacy, r), d.Payload) || string(r.Key) != d.Key {
			t.Errorf("seed %d: dead letter %s (%s) doesn't hold what stands at %s", k.seed, d.ID, d.Reason, r.Position)
			continue
		}
		if bad[string(r.Value)] {
			broken[string(r.Value)]++
			continue
		}
		id := reference.Identity{Source: d.Source, ID: d.EventID}
		if reason, ok := lost[id]; ok && reason == d.Reason {
			said[id] = true
			continue
		}
		if first[id] != r.Position {
			// Rightly refused, until an earlier copy of it came, which was booked: by another partition, whose projector was
			// held up. That it was refused for a while stays to be read.
			t.Logf("%v was refused for %s at %s, and booked since, as it stands at %s", id, d.Reason, r.Position, first[id])
			continue
		}
		t.Errorf("seed %d: %v is a dead letter for %s at %s, without cause", k.seed, id, d.Reason, r.Position)
	}
	for text := range bad {
		if broken[text] != 1 {
			t.Errorf("seed %d: a broken event is %d dead letters: %s", k.seed, broken[text], text)
		}
	}
	for id, reason := range lost {
		if !said[id] {
			t.Errorf("seed %d: %v should be a dead letter for %s", k.seed, id, reason)
		}
	}
}

// tellCopies says what the log and the ledger hold of the first of some events: also rows that were replaced since.
func tellCopies(ctx context.Context, t *testing.T, store *clickhouse.Store, log []kafka.Record, bad map[string]string,
	astray []reference.Identity) {
	for _, id := range astray[:min(len(astray), 5)] {
		for _, r := range log {
			if bad[string(r.Value)] == "" && identityOf(t, structured(t, r)) == id {
				t.Logf("%v: the log has it at %s, %s", id, r.Position, r.Time)
			}
		}
		var copies []string
		if err := store.DB.QueryRow(
			ctx, `SELECT groupArray(concat(toString(stream), '/', toString(partition), '@', toString(offset), ' recorded ',
    toString(recorded_at),
    ' posted ', toString(posting_period), ' terms ', toString(terms), ' revision ', toString(bitAnd(version, 255)),
    ' in ', _part, ' refused: ', refused))
FROM ledger WHERE source = ? AND event_id = ?`, id.Source, id.ID).Scan(&copies); err != nil {
			t.Error(err)
		}
		for _, c := range copies {
			t.Logf("%v: the ledger has %s", id, c)
		}
	}
}
