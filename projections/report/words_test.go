package report_test

import (
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

// TestWordsForPeople: every element and basis has a word that people see in its place, and no two have one.
func TestWordsForPeople(t *testing.T) {
	t.Parallel()
	for key, codes := range map[string][]string{"element": domain.Elements()[1:], "basis": domain.Bases()[1:]} {
		seen := map[string]string{}
		for _, code := range codes {
			word := report.Word(key, code)
			if word == "" || word == code || seen[word] != "" {
				t.Errorf("%s %s is called %q, as is %q", key, code, word, seen[word])
			}
			seen[word] = code
		}
	}
}
