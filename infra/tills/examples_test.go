package tills_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

// TestExamples runs the examples beside the mappings as `makegood till test` does.
func TestExamples(t *testing.T) {
	folders, err := filepath.Glob("mappings/testdata/*")
	if err != nil || len(folders) < len(commerce) {
		t.Fatalf("%d folders of examples: %v", len(folders), err)
	}
	seed := rand.Uint64()
	for _, folder := range folders {
		m, err := tills.Load(filepath.Base(folder))
		if err != nil {
			t.Fatal(err)
		}
		cases, err := tills.Cases(os.DirFS(folder))
		if err != nil || len(cases) == 0 {
			t.Fatalf("%s: %d examples: %v", folder, len(cases), err)
		}
		for _, c := range cases {
			if !c.Written {
				t.Errorf("%s: %s doesn't say what it becomes", folder, c.Name)
			}
			for _, p := range c.Run(context.Background(), m, seed).Problems {
				t.Errorf("%s: %s (seed %d): %s", folder, c.Name, seed, p)
			}
		}
	}
}
