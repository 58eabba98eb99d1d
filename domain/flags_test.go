package domain

import (
	"slices"
	"strings"
	"testing"
)

// TestTheContractListsTheFlags in the same words.
func TestTheContractListsTheFlags(t *testing.T) {
	var listed []string
	for _, l := range section(t, "4. Journal") {
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
