package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain/reference"
)

// TestBench runs the parts of the benchmark with a few thousand events: that they measure, not what. Those that take
// longest are left to where all streams are drawn.
func TestBench(t *testing.T) {
	t.Parallel()
	parts := "stages,latency,gateway,tills,growth,rebuild,page"
	wanted := []string{`machine: \d+ CPUs`, `filled: 4,000 events of 4\d\d bytes`,
		`\+ insert +[\d,]+/s`,
		`p50 .* p99 `, `events/s  p50`, `webhooks/s  p50 .* p99 `, `all of them are mapped`,
		`4,000 rows: `, `check for conflicts`,
		`400 of 4,000 rows posted again, 400 come out otherwise`, `swapped in`,
		`first of each view +4 pages`, `the same again .* p99 `,
		`outline +\d+ calls`}
	if reference.AllStreams() {
		parts = "pipe,trouble," + parts
		wanted = append(wanted, `median: +a +[\d,]+/s.* b/a [\d.]+`, `usual .* median: with/alone [\d.]+`,
			`hard .* median: with/alone [\d.]+`)
	}
	var out, said bytes.Buffer
	status := run(t.Context(), []string{"bench", "--events", "4000", "--rounds", "1", "--rate", "1000", "--seconds", "1",
		"--history", "2000,4000",
		"--only", parts, "--webhooks", "50",
		"--readers", "4",
		"--data-dir", filepath.Join(t.TempDir(), "bench")},
		terminal.Streams{In: nil, Out: &out, Err: &said})
	t.Logf("%s%s", &out, &said)
	if status != 0 {
		t.Fatalf("exit status %d", status)
	}
	for _, want := range wanted {
		if !regexp.MustCompile(want).Match(out.Bytes()) {
			t.Errorf("the answer has nothing like %q", want)
		}
	}
}

func TestBenchSaysWhatItCannotDo(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--only", "speed"}, {"--events", "0"}, {"--clickhouse", "clickhouse://127.0.0.1:1",
		"--brokers", "127.0.0.1:1", "--events", "1"}} {
		var out, said bytes.Buffer
		if status := run(t.Context(), append([]string{"bench", "--data-dir", filepath.Join(t.TempDir(), "bench")}, args...),
			terminal.Streams{In: nil, Out: &out, Err: &said}); status == 0 {
			t.Errorf("bench %q ended well", args)
		}
	}
}
