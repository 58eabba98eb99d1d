package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// copyDir copies a directory as a crash at this moment would leave it.
func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

func summaries(t *testing.T, dir string) map[string]partitionSummary {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "kafka", "partitions", "*", summaryName))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]partitionSummary{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var s partitionSummary
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(filepath.Dir(f))] = s
	}
	return all
}

// TestSummariesAreAsKfakeWouldWriteThem compares what we make of a crashed
// log with what kfake writes of the same log at a clean stop, over several
// generations of crashes.
func TestSummariesAreAsKfakeWouldWriteThem(t *testing.T) {
	const topic = "makegood.orders"
	dir := t.TempDir()
	for generation := range 4 {
		b := startBroker(t, BrokerConfig{Dir: dir, segmentBytes: 4000})
		if generation == 0 {
			createTopic(t, b.Addr(), topic, 3)
		}
		for i := range 60 {
			values := []string{strings.Repeat("x", i*13%700), "second", "third"}[:1+i%3]
			// The last partition stays empty for a while.
			if _, err := produce(testContext(t), b.Addr(), topic, i%(2+generation/2), values...); err != nil {
				t.Fatal(err)
			}
		}
		before := [3]map[int64]string{}
		for p := range before {
			before[p] = readAll(t, b.Addr(), topic, p)
		}
		crashed := copyDir(t, dir)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		want := summaries(t, dir)

		if _, err := refreshSummaries(filepath.Join(crashed, "kafka")); err != nil {
			t.Fatal(err)
		}
		got := summaries(t, crashed)
		for name, w := range want {
			g := got[name]
			if len(w.Segments) == 0 {
				continue // an empty partition needs none
			}
			g.CreatedAt = w.CreatedAt // the first record's time, which is near it
			if fmt.Sprint(g) != fmt.Sprint(w) {
				t.Errorf("generation %d, %s:\n got %+v\nwant %+v", generation, name, g, w)
			}
		}
		if n, err := refreshSummaries(filepath.Join(crashed, "kafka")); err != nil || n != 0 {
			t.Errorf("a second look wrote %d summaries: %v", n, err)
		}
		// Go on from the crash, so that old summaries meet new segments.
		dir = crashed
		again := startBroker(t, BrokerConfig{Dir: dir, segmentBytes: 4000})
		for p := range before {
			if after := readAll(t, again.Addr(), topic, p); fmt.Sprint(after) != fmt.Sprint(before[p]) {
				t.Errorf("generation %d: partition %d holds other records after the crash", generation, p)
			}
			offset, err := produce(testContext(t), again.Addr(), topic, p, "next")
			if err != nil {
				t.Fatal(err)
			}
			if offset != int64(len(before[p])) {
				t.Errorf("generation %d: partition %d went on at %d of %d", generation, p, offset, len(before[p]))
			}
		}
		dir = copyDir(t, dir)
	}
}

// TestSummariesLeaveTransactionsAlone: what a crashed transaction left needs
// kfake's full reading.
func TestSummariesLeaveTransactionsAlone(t *testing.T) {
	const topic = "t"
	dir := t.TempDir()
	b := startBroker(t, BrokerConfig{Dir: dir})
	createTopic(t, b.Addr(), topic, 1)
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.TransactionalID("tx"), kgo.DefaultProduceTopic(topic),
		kgo.Dialer(b.Dial))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, step := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(testContext(t), kgo.StringRecord(fmt.Sprint(step))).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := client.EndTransaction(testContext(t), step); err != nil {
			t.Fatal(err)
		}
	}
	crashed := copyDir(t, dir)
	if _, err := refreshSummary(filepath.Join(crashed, "kafka", "partitions", "t-0")); !errors.Is(err, errUnusual) {
		t.Fatalf("%v", err)
	}
	again := startBroker(t, BrokerConfig{Dir: crashed})
	reader, err := kgo.NewClient(kgo.SeedBrokers(again.Addr()), kgo.ConsumeTopics(topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := produce(testContext(t), again.Addr(), topic, 0, "end"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) == 0 || got[len(got)-1] != "end" {
		fetches := reader.PollFetches(testContext(t))
		if err := fetches.Err(); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	if want := []string{fmt.Sprint(kgo.TryCommit), "end"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("a reader of what is committed sees %v, want %v", got, want)
	}
}
