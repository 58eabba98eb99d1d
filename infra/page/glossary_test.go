package page

import (
	"flag"
	"net/http"
	"os"
	"regexp"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write dashboards/glossary.md")

// TestGlossary: the document has the page's words, each once, and no link of the documents leads to a word that it
// doesn't have.
func TestGlossary(t *testing.T) {
	const path = "../../dashboards/glossary.md"
	if *update {
		if err := os.WriteFile(path, []byte(glossaryText()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != glossaryText() {
		t.Errorf("%s has other words than the page (%v): go test ./infra/page -run TestGlossary -update", path, err)
	}
	seen := map[string]bool{}
	for _, e := range glossary {
		if seen[e.ID] || !regexp.MustCompile(`^[a-z-]+$`).MatchString(e.ID) || e.Word == "" || e.Means == "" {
			t.Errorf("%+v is not whole, or there twice", e)
		}
		seen[e.ID] = true
	}
}

// nobody are books that are away: whoever asks them panics.
type nobody struct{ Books }

// TestWordsNeedNoBooks: what the words mean is said while the books can't be read.
func TestWordsNeedNoBooks(t *testing.T) {
	p, get := pageOf(t, nobody{}, time.Now)
	defer p.Close()
	for path, want := range map[string]int{"/words": http.StatusOK,
		"/words?as_of=close:2026-01&currency=USD": http.StatusOK, "/": http.StatusServiceUnavailable} {
		if answer := get(path); answer.Code != want {
			t.Errorf("%s: %d, not %d", path, answer.Code, want)
		}
	}
}
