package domain

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestTheContractListsTheFlags in the same words.
func TestTheContractListsTheFlags(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n### What can't be right\n")
	if !found {
		t.Fatal("the contract has no section of flags")
	}
	var listed []string
	for l := range strings.Lines(table) {
		if cells := strings.Split(l, "|"); len(cells) == 4 {
			listed = append(listed, strings.TrimSpace(cells[1])+": "+strings.TrimSpace(cells[2]))
		}
	}
	for _, f := range FlagCodes() {
		if !slices.Contains(listed, f.Code+": "+f.Means) {
			t.Errorf("the contract doesn't list %s as %q", f.Code, f.Means)
		}
	}
}
