package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/domain/reference"
)

// keptFingerprint is what the tables hold that are kept from the ledger.
func keptFingerprint(t *testing.T, app *server.App) string {
	t.Helper()
	said := fingerprint(t, app)
	for name, query := range map[string]string{
		"failures": `SELECT groupBitXor(cityHash64(unit, source, event_id, content, account, amount, line_case, fact_case))
            FROM failures FINAL WHERE refused = ''`,
		"voids": `SELECT groupBitXor(cityHash64(voids_id, source, event_id, content, refused)) FROM voids FINAL`,
		"unpriced": `SELECT groupBitXor(cityHash64(source, event_id, content, missing)) FROM unpriced FINAL
            WHERE notEmpty(missing)`,
		"case_units":      `SELECT groupBitXor(cityHash64(error_id, order_id)) FROM case_units FINAL`,
		"unplaced_orders": `SELECT groupBitXor(cityHash64(order_id)) FROM unplaced_orders FINAL WHERE NOT placed`,
		"identities that lack": `SELECT count() FROM ledger FINAL WHERE refused = ''
            AND (cityHash64(source, event_id), content) NOT IN (SELECT identity, content FROM identities)`,
	} {
		var n uint64
		if err := app.Store.DB.QueryRow(t.Context(), query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		said += fmt.Sprintf("\n%s %x", name, n)
	}
	return strings.Join(slices.Sorted(strings.SplitSeq(said, "\n")), "\n")
}

// partFiles are the marks of the largest part of each of some tables.
func partFiles(ctx context.Context, t *testing.T, app *server.App, tables []string) (files []string) {
	t.Helper()
	for _, table := range tables {
		var path string
		if err := app.Store.DB.QueryRow(ctx, `SELECT argMax(path, rows) FROM system.parts
WHERE database = currentDatabase() AND active AND table = ?`, table).Scan(&path); err != nil || path == "" {
			t.Fatalf("%s has no part: %q, %v", table, path, err)
		}
		marks, err := filepath.Glob(filepath.Join(path, "*mrk*"))
		if err != nil || len(marks) == 0 {
			t.Fatalf("the part %s of %s has no marks: %v", path, table, err)
		}
		files = append(files, marks...)
	}
	return files
}

// TestBrokenParts: a part of a table that ClickHouse can't read is detached when it starts again, or by hand, and what
// it held comes back by itself, whatever table it is of.
func TestBrokenParts(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	dir := t.TempDir()
	app, c := startTestAppWith(t, dir, engineInside)
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	fillWithTrouble(ctx, t, app, c, seed)
	want := keptFingerprint(t, app)
	breakWhileRunning(ctx, t, app, c)
	hold := func(what string) {
		t.Helper()
		if _, err := app.Projector.Recover(ctx); err != nil {
			t.Fatalf("seed %d, %s: %v", seed, what, err)
		}
		if got := keptFingerprint(t, app); got != want {
			t.Errorf("seed %d: %s is lost, and the books are\n%s\nand not\n%s", seed, what, got, want)
		}
	}
	hold("a broken part that was detached as readiness said")
	lost := [][]string{
		{"failures", "identities", "voids", "unpriced", "case_units", "unplaced_orders", "leakage_daily"},
		{"ledger"},
		{"places", "dead_letters", "checkpoints", "case_units"},
		{}, // what the ledger was fed with and the others were not
	}
	detached := []string{"failures", "case_units", "leakage_daily"}
	if !reference.AllStreams() { // of few streams, one loss of each way, another each time
		one := int(seed / 1000 % 12)
		lost, detached = lost[one%4:one%4+1], detached[one%3:one%3+1]
	}
	for _, tables := range lost {
		if len(tables) == 0 {
			for _, table := range []string{"failures", "unpriced"} {
				if err := app.Store.DB.Exec(ctx, "ALTER TABLE "+table+" DELETE WHERE cityHash64(event_id) % 3 = 0 "+
					"SETTINGS mutations_sync = 2"); err != nil {
					t.Fatal(err)
				}
			}
		}
		files := partFiles(ctx, t, app, tables)
		if err := app.Close(); err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if err := os.Truncate(file, 0); err != nil {
				t.Fatal(err)
			}
		}
		app, _ = startTestAppWith(t, dir, engineInside)
		hold("a broken part of each of " + strings.Join(tables, ", "))
	}
	for _, table := range detached {
		var name string
		if err := app.Store.DB.QueryRow(ctx, `SELECT argMax(name, rows) FROM system.parts
WHERE database = currentDatabase() AND active AND table = ?`, table).Scan(&name); err != nil {
			t.Fatal(err)
		}
		if err := app.Store.DB.Exec(ctx, fmt.Sprintf("ALTER TABLE %s DETACH PART '%s'", table, name)); err != nil {
			t.Fatal(err)
		}
		hold("a part of " + table + ", detached by hand,")
	}
	hold("nothing") // a look sees what is there
	if err := app.Store.DB.Exec(ctx, "TRUNCATE TABLE failures"); err != nil {
		t.Fatal(err)
	}
	hold("all of failures")
}

// breakWhileRunning breaks a part while ClickHouse runs, and does what readiness says. What is booked meanwhile is a
// copy of what is there.
func breakWhileRunning(ctx context.Context, t *testing.T, app *server.App, c *client) {
	t.Helper()
	if err := app.Store.DB.Exec(ctx, "OPTIMIZE TABLE case_units FINAL"); err != nil { // its marks are in no cache
		t.Fatal(err)
	}
	for _, file := range partFiles(ctx, t, app, []string{"case_units"}) {
		if err := os.Truncate(file, 0); err != nil {
			t.Fatal(err)
		}
	}
	if code, said := postBody(t, c, "application/cloudevents+json", troubleConflict); code >= 300 {
		t.Fatal(said)
	}
	remedy := regexp.MustCompile(`ALTER TABLE makegood\.case_units DETACH PART '[a-z0-9_]+'`)
	_, said := awaitReadiness(ctx, t, app, func(code int, said string) bool {
		return code == http.StatusServiceUnavailable && remedy.MatchString(said)
	})
	t.Logf("readiness says %s", said)
	if err := app.Store.DB.Exec(ctx, remedy.FindString(said)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.caughtUp(ctx); err != nil {
		t.Fatal(err)
	}
}
