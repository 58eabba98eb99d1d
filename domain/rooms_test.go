package domain_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/makegood/makegood/"

// TestRooms holds the imports against the house: domain knows the standard library and a decimal library; projections
// know domain; infra knows both and, of its siblings, wire alone; only cmd joins them, and nobody imports cmd. Packages
// of tools for tests, whose names end in test, join them as tests may, and nobody else imports those.
func TestRooms(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen, listed := map[string]bool{}, map[string]bool{}
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		from := strings.TrimPrefix(p.ImportPath, module)
		room, _, _ := strings.Cut(from, "/")
		seen[room], listed[from] = true, true
		for _, i := range p.Imports {
			if !allowed(from, i) {
				t.Errorf("%s imports %s", from, i)
			}
		}
	}
	for _, room := range []string{"domain", "projections", "infra", "cmd"} {
		if !seen[room] {
			t.Errorf("no package of %s was listed", room)
		}
	}
	for room := range rooms {
		if !listed[room] {
			t.Errorf("there is no room %s", room)
		}
	}
}

func allowed(from, imported string) bool {
	to, ours := strings.CutPrefix(imported, module)
	standard := !strings.Contains(strings.Split(imported, "/")[0], ".")
	in := func(path, room string) bool { return path == room || strings.HasPrefix(path, room+"/") }
	switch {
	case ours && isTestTool(to):
		return isTestTool(from)
	case in(from, "cmd"):
		return true
	case ours && in(to, "cmd"):
		return false
	case isTestTool(from):
		return true
	case in(from, "domain/reference"):
		return standard // the second set of books shares nothing
	case in(from, "domain"):
		return standard && !slices.Contains([]string{"os", "net", "net/http", "database/sql"}, imported) ||
			imported == "github.com/cockroachdb/apd/v3" || ours && in(to, "domain")
	case in(from, "projections"):
		return !ours || in(to, "domain") || in(to, "projections") && below(from, to)
	case in(from, "infra"):
		return !ours || in(to, "domain") || in(to, "projections") || in(to, "infra/wire") || sameSibling(from, to)
	}
	return true
}

// rooms are those of projections, each with the rooms that it may import. Reports import nothing of posting, and nobody
// imports what computes rebuilds.
var rooms = map[string][]string{
	"projections":            {},
	"projections/sql":        {},
	"projections/ledger":     {"projections/sql"},
	"projections/deadletter": {"projections/sql", "projections/ledger"},
	"projections/shadow":     {"projections/sql", "projections/ledger"},
	"projections/post":       {"projections/sql", "projections/ledger", "projections/deadletter", "projections/shadow"},
	"projections/rebuild":    {"projections/sql", "projections/ledger", "projections/shadow", "projections/post"},
	"projections/report":     {"projections/sql", "projections/ledger", "projections/deadletter", "projections/shadow"},
	"projections/audit":      {"projections/sql", "projections/ledger", "projections/deadletter", "projections/report"},
	"projections/insight": {"projections/sql", "projections/ledger", "projections/deadletter", "projections/report",
		"projections/insight/estimate"},

	"projections/insight/estimate": {},
	"projections/insight/trials":   {"projections/insight/estimate"},
}

// isTestTool reports whether a package, or one that it is in, serves tests alone.
func isTestTool(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(name string) bool { return strings.HasSuffix(name, "test") })
}

func below(from, to string) bool { return slices.Contains(rooms[from], to) }

// sameSibling reports whether both are parts of one outside thing: infra/kafka and infra/kafka/kafkatest.
func sameSibling(from, to string) bool {
	f, t := strings.Split(from, "/"), strings.Split(to, "/")
	return len(f) > 1 && len(t) > 1 && f[1] == t[1]
}
