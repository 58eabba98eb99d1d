package prometheus

import (
	"cmp"
	"slices"
	"sync"
)

// other is the label of what is beyond a cap.
const other = "other"

// none is the label of what has no value: an empty label would be no label.
const none = "none"

// all is the label of the company as a whole.
const all = "all"

// largest keeps the names with the most weight, at most n: the rest is other. Weights decide, then names, so that two
// instances that read the same books say the same.
func largest(weights map[string]float64, n int) func(string) string {
	names := make([]string, 0, len(weights))
	for name := range weights {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(weights[b], weights[a]), cmp.Compare(a, b)) })
	kept := map[string]bool{}
	for _, name := range names[:min(n, len(names))] {
		kept[name] = true
	}
	return func(name string) string {
		switch {
		case !kept[name]:
			return other
		case name == "":
			return none
		}
		return name
	}
}

// vocabulary is the first n words it has heard; the rest is other. For counters, whose labels must not change later.
type vocabulary struct {
	mu    sync.Mutex
	most  int
	words map[string]bool
}

func newVocabulary(most int) *vocabulary { return &vocabulary{most: most, words: map[string]bool{}} }

func (v *vocabulary) word(w string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.words[w] {
		if len(v.words) >= v.most {
			return other
		}
		v.words[w] = true
	}
	return w
}
