//go:build realkafka || chaos

package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// wrongCodes are the codes of what the doctor finds wrong, each once, in alphabetical order, and what it said. Each
// finding must say where, what, and what to do, and the status of the command must be 1 where there is one.
func wrongCodes(t *testing.T, args []string) (wrong []string, all string) {
	t.Helper()
	code, out, said := command(t, append([]string{"doctor", "--json"}, args...)...)
	failed := false
	for line := range strings.Lines(out) {
		var f struct {
			Where, Code, Said, Do string
			OK                    bool
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if f.OK {
			continue
		}
		failed = true
		if f.Said == "" || f.Do == "" || f.Where == "" {
			t.Errorf("a finding lacks words: %s", line)
		}
		if f.Code != "disk" { // the machine's disk may really be full
			wrong = append(wrong, f.Code)
		}
	}
	if (code != 0) != failed {
		t.Errorf("the doctor ended with %d\n%s%s", code, out, said)
	}
	slices.Sort(wrong)
	return slices.Compact(wrong), out + said
}
