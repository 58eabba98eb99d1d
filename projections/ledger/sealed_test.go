package ledger

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestSealedColumns: the contract says which columns a seal covers; every column is in a seal, or it is said why not.
func TestSealedColumns(t *testing.T) {
	text, err := os.ReadFile("../../domain/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"says: " + strings.Join(saidColumns, ", ") + ";",
		"lines: " + strings.Join(postedColumns, ", ") + "."} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the contract doesn't say %s", want)
		}
	}
	of := map[string]int{"refused": 1} // what is refused is in no month
	groups := [][]string{saidColumns, postedColumns, {"source", "event_id", "content"}}
	for _, group := range append(groups, slices.Collect(maps.Values(Unsealed))...) {
		for _, name := range group {
			of[name]++
		}
	}
	for _, c := range Columns {
		if of[c.Name] != 1 {
			t.Errorf("column %s is in %d groups: is it sealed, or does it change by itself?", c.Name, of[c.Name])
		}
		delete(of, c.Name)
	}
	for name := range of {
		t.Errorf("there is no column %s", name)
	}
}
