package grafana

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the dashboards again")

// TestWritten says whether the JSON that Grafana provisions is what this package writes, and nothing else lies there.
func TestWritten(t *testing.T) {
	wanted := map[string]bool{}
	for _, b := range Boards() {
		path := filepath.Join("boards", b.UID+".json")
		wanted[path] = true
		text, err := b.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if had, err := os.ReadFile(path); err != nil || string(had) != string(text) {
			t.Errorf("%s isn't what this package writes (%v): go test ./dashboards/grafana -run TestWritten -update", path, err)
		}
	}
	found, err := filepath.Glob("boards/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if !wanted[path] {
			t.Errorf("%s belongs to no board", path)
		}
	}
}
