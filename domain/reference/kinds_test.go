package reference

import (
	"os"
	"strings"
	"testing"
)

// TestBusinessIDs holds the business id of every kind against the contract's table of facts, row by row: what the
// table lists has that id here, and what it doesn't list has none.
func TestBusinessIDs(t *testing.T) {
	t.Parallel()
	listed := tableOfFacts(t)
	for _, k := range kinds {
		if want := listed[k.name]; k.id != want {
			t.Errorf("%s: its business id is %q here, and %q in the contract's table of facts", k.name, k.id, want)
		}
		delete(listed, k.name)
	}
	for name := range listed {
		t.Errorf("the contract's table of facts has a row for %s, which is no kind here", name)
	}
}

// tableOfFacts reads the contract's table of business facts: by kind the name of its business id. A row lists kinds
// with an id for each, or one for all.
func tableOfFacts(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n| type | business id |\n| --- | --- |\n")
	table, _, found := strings.Cut(rest, "\n\n")
	if !found {
		t.Fatal("the contract has no table of facts")
	}
	ids := map[string]string{}
	for row := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		if len(cells) != 2 {
			t.Fatalf("a row of %d cells: %s", len(cells), row)
		}
		names := strings.Split(cells[0], ", ")
		said, _, _ := strings.Cut(cells[1], " (") // what follows is for people
		each := strings.Split(said, ", ")
		if len(each) != 1 && len(each) != len(names) {
			t.Errorf("%d ids of %d kinds: %s", len(each), len(names), row)
			continue
		}
		for i, name := range names {
			ids[name] = strings.TrimSuffix(each[min(i, len(each)-1)], "?")
		}
	}
	return ids
}
