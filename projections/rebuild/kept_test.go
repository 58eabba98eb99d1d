package rebuild_test

import (
	"testing"
	"time"

	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/shadow"
)

// TestALateNoteChangesNoState: a note of how far a rebuild is may be taken in after the rebuild was noted as ready or
// discarded. It was begun before, and ClickHouse doesn't stop because who sent it does.
func TestALateNoteChangesNoState(t *testing.T) {
	store := bookstest.Open(t)
	seen, err := shadow.Look(t.Context(), store.DB)
	if err != nil {
		t.Fatal(err)
	}
	r := &shadow.Rebuild{ID: "r1", State: shadow.Computing, Started: time.Now(), Seen: seen}
	for _, state := range []string{shadow.Computing, shadow.Ready, shadow.Discarded} {
		var before uint64
		if err := store.DB.QueryRow(t.Context(), "SELECT max(version) FROM rebuilds").Scan(&before); err != nil {
			t.Fatal(err)
		}
		r.State = state
		if err := shadow.Keep(t.Context(), store.DB, r); err != nil {
			t.Fatal(err)
		}
		if state == shadow.Computing {
			continue
		}
		if err := store.DB.Exec(t.Context(), `INSERT INTO rebuilds
SELECT * REPLACE('computing' AS state, toUInt64(?) AS version) FROM rebuilds FINAL`, before+1); err != nil {
			t.Fatal(err)
		}
		is, err := shadow.Read(t.Context(), store.DB, r.ID)
		if err != nil || is.State != state {
			t.Errorf("after a late note it is %s, not %s: %v", is.State, state, err)
		}
	}
}
