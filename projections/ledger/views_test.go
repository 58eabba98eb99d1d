package ledger_test

import (
	"testing"

	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/ledger"
)

// TestViewsAreLeftAloneUnlessTheyDiffer: a start writes no definition that is there already, and replaces one of
// another version.
func TestViewsAreLeftAloneUnlessTheyDiffer(t *testing.T) {
	store := bookstest.Open(t)
	written := func() (at string) {
		t.Helper()
		if err := store.DB.QueryRow(t.Context(), `SELECT toString(groupArray((name, uuid, comment))) FROM (
    SELECT * FROM system.tables WHERE database = currentDatabase() AND engine = 'View' ORDER BY name)`).Scan(
			&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	first := written()
	if err := ledger.CreateViews(t.Context(), store.DB); err != nil {
		t.Fatal(err)
	}
	if again := written(); again != first {
		t.Errorf("the views were made again: %s\n%s", first, again)
	}
	if err := store.DB.Exec(t.Context(), "CREATE OR REPLACE VIEW cases AS SELECT 1 AS x"); err != nil {
		t.Fatal(err)
	}
	if err := ledger.CreateViews(t.Context(), store.DB); err != nil {
		t.Fatal(err)
	}
	if err := store.DB.Exec(t.Context(), "SELECT error_id, net FROM cases"); err != nil {
		t.Errorf("the view of another version stayed: %v", err)
	}
}
