package clickhouse

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/makegood/makegood/infra/embedded/enginetest"
)

// TestDifferences: what is dropped at a server without a look at its rows is what a migration drops at servers that
// have had one ledger, and what has no rows of its own.
func TestDifferences(t *testing.T) {
	table := func(name, id string) object { return object{name, "ReplicatedMergeTree", id, "CREATE TABLE " + name} }
	feed := object{"b_feed", "MaterializedView", "9", "CREATE MATERIALIZED VIEW b_feed TO b AS SELECT 1"}
	changed := table("a", "2")
	changed.create += " SETTINGS x = 1"
	for _, c := range []struct {
		what       string
		want, have []object
		migrated   string
		said       string
	}{
		{"the same", []object{table("ledger", "1"), feed}, []object{table("ledger", "1"), feed}, "", ""},
		{"a new server", []object{table("ledger", "1"), feed}, nil, "", "make ledger, make b_feed"},
		{"other settings", []object{changed}, []object{table("a", "2")}, "", "change a"},
		{"a migration makes it again", []object{table("a", "3"), table("ledger", "1")},
			[]object{table("a", "2"), table("ledger", "1")}, "a", "drop a, make a"},
		{"a migration drops it", []object{table("ledger", "1")}, []object{table("a", "2"), table("ledger", "1")}, "a",
			"drop a"},
		{"no migration does", []object{table("ledger", "1")}, []object{table("a", "2"), table("ledger", "1")}, "",
			"drop a unless it has rows"},
		{"made separately", []object{table("a", "3"), table("ledger", "1")}, []object{table("a", "2"), table("ledger", "4")},
			"a", "drop a unless it has rows, make a, drop ledger unless it has rows, make ledger"},
		{"without a ledger", []object{table("a", "3"), table("ledger", "1")}, []object{table("a", "2")}, "a",
			"drop a unless it has rows, make a, make ledger"},
		{"a feed", nil, []object{feed}, "", "drop b_feed"},
	} {
		var said []string
		for _, d := range differences(c.want, c.have, func(name string) bool { return name == c.migrated }) {
			switch {
			case d.drop && d.ifEmpty:
				said = append(said, "drop "+d.name+" unless it has rows")
			case d.drop:
				said = append(said, "drop "+d.name)
			}
			switch {
			case d.want != nil && d.settings:
				said = append(said, "change "+d.name)
			case d.want != nil:
				said = append(said, "make "+d.name)
			}
		}
		if got := strings.Join(said, ", "); got != c.said {
			t.Errorf("%s: %q and not %q", c.what, got, c.said)
		}
	}
}

// TestMirrorLosesNoRows: two servers that were made separately are refused, each table with its rows is named, and
// nothing is dropped; a copy that somebody made by hand is no matter.
func TestMirrorLosesNoRows(t *testing.T) {
	migrations := fstest.MapFS{"00001_one.sql": {Data: []byte("-- +goose Up\n" +
		"CREATE TABLE ledger (a UInt8) ENGINE = MergeTree ORDER BY a;\n" +
		"CREATE TABLE failures (a UInt8) ENGINE = MergeTree ORDER BY a;\n" +
		"CREATE TABLE rates (a UInt8) ENGINE = MergeTree ORDER BY a;\n")}}
	known, err := readSteps(migrations)
	if err != nil {
		t.Fatal(err)
	}
	var servers []*replica
	for _, name := range []string{"_a", "_b"} {
		s, err := Open(t.Context(), Config{DSN: enginetest.DatabaseOf(t, t.Name()+name),
			Logger: slog.New(slog.DiscardHandler)}, migrations)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		r := s.replica(s.options.Addr[0])
		defer r.close()
		if err := r.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		servers = append(servers, r)
	}
	from, to := servers[0], servers[1]
	for _, statement := range []string{"CREATE TABLE ledger_backup (a UInt8) ENGINE = MergeTree ORDER BY a",
		"INSERT INTO ledger_backup VALUES (1)", "INSERT INTO failures VALUES (1), (2)"} {
		if err := to.db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	err = mirror(t.Context(), from, to, known)
	if err == nil || !strings.Contains(err.Error(), "the table failures at "+to.addr()+" has 2 rows") ||
		strings.Contains(err.Error(), "rates") || strings.Contains(err.Error(), "ledger") {
		t.Errorf("mirror: %v", err)
	}
	if err := oneLedger(t.Context(), servers); err == nil || !strings.Contains(err.Error(), "made separately") {
		t.Errorf("two ledgers: %v", err)
	}
	if err := oneLedger(t.Context(), []*replica{from, from}); err != nil {
		t.Errorf("one ledger: %v", err)
	}
	var left []string
	if err := to.db.QueryRow(t.Context(), "SELECT arraySort(groupArray(name)) FROM system.tables WHERE "+
		"database = currentDatabase() AND NOT startsWith(name, 'schema_')").Scan(&left); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(left, []string{"failures", "ledger", "ledger_backup", "rates"}) {
		t.Errorf("%q are left", left)
	}
	all, err := to.objects(t.Context(), known)
	if err != nil || slices.ContainsFunc(all, func(o object) bool { return o.name == "ledger_backup" }) {
		t.Errorf("what somebody made by hand is one of the tables: %v (%v)", all, err)
	}
}

// TestSettingsOf: settings are read as ClickHouse writes them, whatever stands between quotes.
func TestSettingsOf(t *testing.T) {
	for end, want := range map[string][]string{
		"":                                   nil,
		" TTL ' SETTINGS c = 1'":             nil,
		" SETTINGS x = 1, y = 2":             {"x = 1", "y = 2"},
		" SETTINGS x = 'a, b', y = 2":        {"x = 'a, b'", "y = 2"},
		` SETTINGS x = 'it\'s SETTINGS , d'`: {`x = 'it\'s SETTINGS , d'`},
		" SETTINGS x = 1 COMMENT 'of, SETTINGS z = 3'": {"x = 1"},
	} {
		if is := settingsOf("CREATE TABLE a (b UInt8) ENGINE = MergeTree ORDER BY b" + end); !slices.Equal(is, want) {
			t.Errorf("%s: %q and not %q", end, is, want)
		}
	}
}
