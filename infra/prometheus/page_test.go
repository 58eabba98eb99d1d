package prometheus

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of dashboards/metrics.md again")

const (
	pagePath = "../../dashboards/metrics.md"
	begin    = "<!-- the table is held against the registry by infra/prometheus: go test ./infra/prometheus -run " +
		"TestPage -update -->\n"
)

// TestPage holds the page of the metrics against the registry: every metric with its type, labels and meaning, and no
// other.
func TestPage(t *testing.T) {
	families, err := full(t).Gather()
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n")
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "makegood_") {
			continue
		}
		var labels []string
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if !slices.Contains(labels, l.GetName()) {
					labels = append(labels, l.GetName())
				}
			}
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()),
			strings.Join(labels, ", "), f.GetHelp())
	}
	page, err := os.ReadFile(pagePath)
	if err != nil {
		t.Fatal(err)
	}
	text, written, found := strings.Cut(string(page), begin)
	if !found {
		t.Fatalf("%s lacks the line %q", pagePath, begin)
	}
	if *update {
		if err := os.WriteFile(pagePath, []byte(text+begin+table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if written != table.String() {
		t.Errorf("%s and the registry differ; if the registry is right: go test ./infra/prometheus -run TestPage -update\n%s",
			pagePath, table.String())
	}
}
