package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/ledger"
)

// TestExamine: what is wrong with a server is found, each by its code, and what is well is not said to be wrong.
func TestExamine(t *testing.T) {
	store := bookstest.Open(t)
	ahead := func() time.Time { return time.Now().Add(time.Hour) }
	for _, c := range []struct {
		what, code string // nothing: all is well
		do, undo   string
		now        func() time.Time
		said       string
	}{
		{what: "new books"},
		{what: "a missing table", code: "schema", do: "RENAME TABLE places TO kept", undo: "RENAME TABLE kept TO places",
			said: "places is missing"},
		{what: "no fsync", code: "settings", do: "ALTER TABLE voids MODIFY SETTING fsync_after_insert = 0",
			undo: "ALTER TABLE voids MODIFY SETTING fsync_after_insert = 1", said: "voids lacks fsync_after_insert = 1"},
		{what: "deduplication", code: "settings", do: "ALTER TABLE voids MODIFY SETTING replicated_deduplication_window = 9",
			undo: "ALTER TABLE voids MODIFY SETTING replicated_deduplication_window = 0",
			said: "voids lacks replicated_deduplication_window = 0"},
		{what: "a shadow of nobody's", code: "shadows", do: "CREATE TABLE rebuilt_ledger_abc AS ledger",
			undo: "DROP TABLE rebuilt_ledger_abc SYNC", said: "rebuilt_ledger_abc"},
		{what: "another clock", code: "clock", now: ahead, said: "away from this machine's"},
		{what: "all mended"},
	} {
		for i, statement := range []string{c.do, "look", c.undo} {
			if i != 1 {
				if statement == "" {
					continue
				}
				if err := store.DB.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
				continue
			}
			now := time.Now
			if c.now != nil {
				now = c.now
			}
			found, err := ledger.Examine(t.Context(), store.DB, false, now)
			if err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			said := false
			for _, f := range found {
				switch {
				case f.Wrong == "" || f.Code == "disk": // the machine's disk may really be full
				case f.Code != c.code:
					t.Errorf("%s: %s: %s", c.what, f.Code, f.Wrong)
				default:
					said = strings.Contains(f.Wrong, c.said) && f.Do != ""
				}
			}
			if c.code != "" && !said {
				t.Errorf("%s isn't found: %+v", c.what, found)
			}
		}
	}
}
