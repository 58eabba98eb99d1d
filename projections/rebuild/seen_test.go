package rebuild_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/shadow"
)

// TestWhatCameSinceIsToldByBlocks: what identities got after a moment is told exactly, however parts were merged,
// whatever a clock says, in months that are new and in those that were there, and after another look; in another
// table all is new.
func TestWhatCameSinceIsToldByBlocks(t *testing.T) {
	store := bookstest.Open(t)
	exec := func(query string) {
		t.Helper()
		if err := store.DB.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	add := func(identity int, days int) {
		t.Helper()
		exec(fmt.Sprintf("INSERT INTO identities (identity, content, month, arrived_at) VALUES (%d, 1, 202601, "+
			"toDateTime64('2026-01-31 23:59:59.000', 3, 'UTC') + toIntervalDay(%d))", identity, days))
	}
	look := func() *shadow.Seen {
		t.Helper()
		seen, err := shadow.Look(t.Context(), store.DB)
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	since := func(what string, seen *shadow.Seen, want ...uint64) {
		t.Helper()
		condition, err := seen.Since(t.Context(), store.DB)
		if err != nil {
			t.Fatal(err)
		}
		var got []uint64
		if err := store.DB.QueryRow(t.Context(), "SELECT arraySort(groupArray(identity)) FROM identities WHERE "+
			condition).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: since then came %d, not %d; the condition is %s", what, got, want, condition)
		}
	}
	empty := look()
	for i := range 6 {
		add(1+i, 0)
	}
	exec("OPTIMIZE TABLE identities FINAL")
	add(7, 0)
	seen := look()
	since("nothing came", seen)
	for i, days := range []int{0, -31, 40, 0, 400} { // the same month, one before, later ones
		add(8+i, days)
	}
	since("in parts", seen, 8, 9, 10, 11, 12)
	later := look()
	exec("OPTIMIZE TABLE identities FINAL")
	since("merged", seen, 8, 9, 10, 11, 12)
	add(13, 0)
	exec("OPTIMIZE TABLE identities FINAL")
	since("merged again", seen, 8, 9, 10, 11, 12, 13)
	since("since a later look", later, 13)
	since("from the beginning", empty, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
	since("of an older makegood", nil, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
	exec("CREATE TABLE again AS identities")
	exec("EXCHANGE TABLES again AND identities")
	add(14, 0)
	since("in another table", seen, 14)
}
