package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
)

// fingerprint is all that the books hold, as one number for the ledger and one for the roll-up.
func fingerprint(t *testing.T, app *server.App) string {
	t.Helper()
	var ledger, rollUp, rows uint64
	if err := app.Store.DB.QueryRow(t.Context(), `
SELECT (SELECT groupBitXor(cityHash64(source, event_id, content, order_id, error_id, stream, partition, offset,
            recorded_at, account, element,
        amount, line_case, standing, refused, posting_period)) FROM ledger FINAL),
       (SELECT groupBitXor(cityHash64(unit, day, account, element, store_id, amount, lines))
        FROM leakage_daily FINAL WHERE lines > 0),
       (SELECT count() FROM ledger FINAL)`).Scan(&ledger, &rollUp, &rows); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d rows, ledger %x, roll-up %x", rows, ledger, rollUp)
}

// ledgerRows are what the fingerprint is made of, a line for each row.
func ledgerRows(t *testing.T, app *server.App) (rows []string) {
	t.Helper()
	if err := app.Store.DB.QueryRow(t.Context(), `
SELECT arraySort(groupArray(toString((source, event_id, event_type, content, order_id, error_id, stream, partition,
    offset, recorded_at, account, element, amount, line_case, standing, refused, posting_period)))) FROM ledger FINAL`).
		Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestWhatTheStoreLosesIsReadAgain: whatever ClickHouse loses of what was booked is found by the places that the group
// has committed, is read again from the log, and makes the same books.
func TestWhatTheStoreLosesIsReadAgain(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	app, c := startTestApp(t, t.TempDir())
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	fillWithTrouble(ctx, t, app, c, seed)
	want, rowsBefore := fingerprint(t, app), ledgerRows(t, app)
	if n, err := app.Projector.Recover(ctx); err != nil || n != 0 {
		t.Fatalf("%d records of whole books were read again: %v", n, err)
	}
	exec := func(query string) {
		t.Helper()
		if err := app.Store.DB.Exec(ctx, query); err != nil {
			t.Fatal(err)
		}
	}
	var month string
	if err := app.Store.DB.QueryRow(ctx,
		`SELECT argMax(m, n) FROM (SELECT toString(toYYYYMM(occurred_at)) AS m, count() AS n FROM ledger
		GROUP BY m)`).Scan(&month); err != nil {
		t.Fatal(err)
	}
	all := []string{"ledger", "failures", "identities", "places", "voids", "unpriced", "case_units", "unplaced_orders",
		"leakage_daily", "dead_letters", "checkpoints"}
	left := 2
	if reference.AllStreams() {
		left = 6
	}
	for name, lose := range map[string]func(){
		"a month of the ledger alone":    func() { exec("ALTER TABLE ledger DROP PARTITION ID '" + month + "'") },
		"all of the ledger":              func() { exec("TRUNCATE TABLE ledger") },
		"the places alone":               func() { exec("TRUNCATE TABLE places") },
		"dead letters":                   func() { exec("TRUNCATE TABLE dead_letters") },
		"some rows, in the middle":       func() { loseSome(t, app, seed) },
		"all that was booked since then": func() { restoreEmpty(exec, all) },
	} {
		if left--; left < 0 {
			break // of few streams, other two losses each time
		}
		before := app.Projector.Stats().ReadAgain.Load()
		lose()
		if _, err := app.Projector.Recover(ctx); err != nil { // or the watch was faster
			t.Fatal(err)
		}
		if app.Projector.Stats().ReadAgain.Load() == before {
			t.Fatalf("seed %d: %s was lost, and nothing was read again", seed, name)
		}
		if got := fingerprint(t, app); got != want {
			t.Errorf("seed %d: %s was lost, and the books are %s, not %s\n%s", seed, name, got, want,
				bookstest.Difference(strings.Join(ledgerRows(t, app), "\n"), strings.Join(rowsBefore, "\n")))
		}
		if n, err := app.Projector.Recover(ctx); err != nil || n != 0 {
			t.Errorf("seed %d: %s was lost, and found again twice: %d, %v", seed, name, n, err)
		}
		var now status
		if err := c.get(ctx, "/v1/status", nil, &now); err != nil || !now.CaughtUp || len(now.Gaps) != 0 {
			t.Errorf("%+v: %v", now, err)
		}
	}
	if err := app.Store.DB.Exec(ctx, `INSERT INTO gaps VALUES ('orders', 0, 1, 5, 0, now64(3), 0)`); err != nil {
		t.Fatal(err)
	}
	var now status
	if err := c.get(ctx, "/v1/status", nil, &now); err != nil || now.CaughtUp || len(now.Gaps) != 1 {
		t.Errorf("while something is read again the status says %+v: %v", now, err)
	}
	if _, err := app.Projector.Recover(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.get(ctx, "/v1/status", nil, &now); err != nil || !now.CaughtUp {
		t.Errorf("what another process began is not ended: %+v, %v", now, err)
	}
}

// troubleConflict is an event that comes with another content as well.
var troubleConflict = event("twice", "refund.issued", "2026-01-10T00:00:00Z", "o-c",
	`{"order_id":"o-c","store_id":"s1","error_id":"e-c","refund_id":"r","currency":"USD","net":"5"}`)

// fillWithTrouble books a stream, copies of it, a conflict, and a dead letter that comes several times.
func fillWithTrouble(ctx context.Context, t *testing.T, app *server.App, c *client, seed int64) {
	t.Helper()
	orders := 8
	if reference.AllStreams() {
		orders = 40
	}
	records := reference.Generate(seed, reference.Options{Orders: orders})
	if err := sendUntilAcknowledged(ctx, c, records, uint64(seed)); err != nil {
		t.Fatal(err)
	}
	// copies, which have places of their own
	if err := sendUntilAcknowledged(ctx, c, records[:40], uint64(seed)); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{troubleConflict, strings.Replace(troubleConflict, `"net":"5"`, `"net":"7"`, 1)} {
		if code, said := postBody(t, c, "application/cloudevents+json", body); code >= 300 {
			t.Fatal(said)
		}
	}
	letter := message.NewMessage("", []byte("no event"))
	for range 3 { // a dead letter that comes several times has places that nobody keeps
		if err := app.Publisher.Publish("makegood.orders", letter); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.caughtUp(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Projector.SettleConflicts(ctx); err != nil {
		t.Fatal(err)
	}
}

func restoreEmpty(exec func(string), tables []string) {
	for _, table := range tables {
		exec("TRUNCATE TABLE " + table)
	}
}

// loseSome takes random rows of all that the ledger feeds away, as a lost part does.
func loseSome(t *testing.T, app *server.App, seed int64) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(seed), 7))
	k := random.IntN(5)
	for _, table := range []string{"ledger", "places"} {
		if err := app.Store.DB.Exec(t.Context(), fmt.Sprintf(
			"ALTER TABLE %s DELETE WHERE offset %% 5 = %d SETTINGS mutations_sync = 2", table, k)); err != nil {
			t.Fatal(err)
		}
	}
}
