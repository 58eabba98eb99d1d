package ledger_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/makegood/makegood/projections/ledger"
)

// TestFeeds: the query of a feed is that of the newest migration, and reads what it is told to.
func TestFeeds(t *testing.T) {
	for _, table := range []string{"failures", "unpriced", "identities", "voids"} {
		query := ledger.Feed(table, "somewhere AS s")
		if strings.Count(query, "FROM somewhere AS s") != 1 || strings.Contains(query, "FROM ledger") {
			t.Errorf("%s is fed by %s", table, query)
		}
		newest := ""
		names, err := fs.Glob(ledger.Migrations(), "*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(ledger.Migrations(), name)
			if err != nil {
				t.Fatal(err)
			}
			if up, _, _ := strings.Cut(string(text), "-- +goose Down"); strings.Contains(up, table+"_feed TO "+table+" AS\n") {
				newest = up
			}
		}
		if !strings.Contains(newest, ledger.Feed(table, "ledger")+";") {
			t.Errorf("the newest migration that feeds %s says something else", table)
		}
	}
}
