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

// TestDetailsForPeople: a moment is told as people read it, whatever its offset; what is none stays.
func TestDetailsForPeople(t *testing.T) {
	t.Parallel()
	for until, want := range map[string]string{
		"2026-10-18T11:00:00Z":      "promised until 18 Oct 2026, 11:00 UTC",
		"2026-10-18T01:30:00+02:00": "promised until 17 Oct 2026, 23:30 UTC",
		"2026-10-18T11:00:07Z":      "promised until 18 Oct 2026, 11:00:07 UTC",
		"soon":                      "promised until soon",
	} {
		if got := report.Details([]byte(`{"promise":{"until":"` + until + `"}}`)); got != want {
			t.Errorf("until %s: %q, not %q", until, got, want)
		}
	}
	for _, c := range domain.Chart() {
		if word := report.AccountWord(c.Name); word == c.Name || word == "Cogs" {
			t.Errorf("account %d is called %q", c.Account, word)
		}
	}
}
