package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/makegood/makegood/cmd/makegood/terminal"
)

// TestAnswersHoldFromEventsOn books some simulated shops and asks the questions of them; more of them take
// `makegood insight-check --from-events --shops N`. The same shops each time.
func TestAnswersHoldFromEventsOn(t *testing.T) {
	t.Parallel()
	var out, said bytes.Buffer
	status := run(t.Context(), []string{"insight-check", "--from-events", "--shops", "2", "--seed", "1"},
		terminal.Streams{Out: &out, Err: &said})
	t.Logf("%s%s", &said, &out)
	if status != 0 {
		t.Fatalf("exit status %d", status)
	}
	for _, want := range []string{"prevention -50 %: change covered", "customers +0 points: paradox claimed",
		"experiment +0 points: benefit claimed",
		"provision: 80 %", "provision: shops of which memory and ClickHouse say another one", "budget, all: 80 %",
		"what-if: 95 %", "counter: ", "vendors: ", "sources: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the answer has nothing like %q", want)
		}
	}
}

// TestWhatIsToComeHolds settles a dozen shops in memory: what is still to come of their failures, and how their months
// end.
func TestWhatIsToComeHolds(t *testing.T) {
	t.Parallel()
	var out, said bytes.Buffer
	status := run(t.Context(), []string{"insight-check", "--from-events", "--only", "provision,budget", "--shops", "12",
		"--seed", "2"}, terminal.Streams{Out: &out, Err: &said})
	t.Logf("%s%s", &said, &out)
	if status != 0 {
		t.Fatalf("exit status %d", status)
	}
	for _, want := range []string{"provision: 80 %", "provision: bias", "budget, all: 80 %", "budget, each: 80 %"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the answer has nothing like %q", want)
		}
	}
}

func TestChecksThatCannotBe(t *testing.T) {
	for _, args := range [][]string{{"--shops", "1"}, {"--only", "fortune"}, {"--from-events", "--only", "vendors"}} {
		var out, said bytes.Buffer
		if status := run(t.Context(), append([]string{"insight-check"}, args...),
			terminal.Streams{Out: &out, Err: &said}); status == 0 {
			t.Errorf("insight-check %q ended well", args)
		}
	}
}
