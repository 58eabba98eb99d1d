package post

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestGoneParts: a part that was merged into another is not gone, and one that is in no other is, but where a rebuild
// or another server may be the reason.
func TestGoneParts(t *testing.T) {
	before := &partsWatch{during: 1, parts: []part{{"failures", "all", 1, 4}, {"failures", "all", 5, 5},
		{"ledger", "202601", 1, 1}}}
	for name, c := range map[string]struct {
		during uint64
		parts  []part
		gone   string
	}{
		"nothing has changed":    {1, before.parts, ""},
		"merged":                 {1, []part{{"failures", "all", 1, 7}, {"ledger", "202601", 1, 1}}, ""},
		"one is gone":            {1, []part{{"failures", "all", 5, 9}, {"ledger", "202601", 1, 1}}, "failures"},
		"of another partition":   {1, []part{{"failures", "all", 1, 5}, {"ledger", "202602", 1, 1}}, "ledger"},
		"all are gone":           {1, nil, "failures ledger"},
		"a rebuild swapped them": {2, nil, ""},
	} {
		got := slices.Sorted(maps.Keys(gone(before, &partsWatch{during: c.during, parts: c.parts})))
		if strings.Join(got, " ") != c.gone {
			t.Errorf("%s: %v are gone, not %q", name, got, c.gone)
		}
	}
}
