package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

func startBroker(t *testing.T, cfg BrokerConfig) *Broker {
	t.Helper()
	b, err := StartBroker(testContext(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return b
}

func kafkaClient(addr string) *kafka.Client { return &kafka.Client{Addr: kafka.TCP(addr)} }

func createTopic(t *testing.T, addr, topic string, partitions int, configs ...kafka.ConfigEntry) {
	t.Helper()
	resp, err := kafkaClient(addr).CreateTopics(testContext(t), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Errors[topic]; err != nil {
		t.Fatal(err)
	}
}

// produce sends one record and returns the offset that the broker gave it.
func produce(ctx context.Context, addr, topic string, partition int, values ...string) (int64, error) {
	records := make([]kafka.Record, len(values))
	for i, v := range values {
		records[i] = kafka.Record{Value: kafka.NewBytes([]byte(v))}
	}
	resp, err := kafkaClient(addr).Produce(ctx, &kafka.ProduceRequest{
		Topic: topic, Partition: partition, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
	})
	if err != nil {
		return 0, err
	}
	return resp.BaseOffset, resp.Error
}

// readAll returns all records of a partition by offset.
func readAll(t *testing.T, addr, topic string, partition int) map[int64]string {
	t.Helper()
	ctx := testContext(t)
	client := kafkaClient(addr)
	ends, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		topic: {kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	bounds := ends.Topics[topic][0]
	if bounds.Error != nil {
		t.Fatal(bounds.Error)
	}
	all := map[int64]string{}
	for next := bounds.FirstOffset; next < bounds.LastOffset; {
		resp, err := client.Fetch(ctx, &kafka.FetchRequest{Topic: topic, Partition: partition, Offset: next, MinBytes: 1,
			MaxBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if resp.Error != nil {
			t.Fatal(resp.Error)
		}
		for {
			r, err := resp.Records.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			v, err := kafka.ReadAll(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			all[r.Offset] = string(v)
			next = r.Offset + 1
		}
	}
	return all
}

func commit(t *testing.T, addr, group, topic string, partition int, offset int64) {
	t.Helper()
	resp, err := kafkaClient(addr).OffsetCommit(testContext(t), &kafka.OffsetCommitRequest{
		GroupID: group, GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{topic: {{Partition: partition,
			Offset: offset}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range resp.Topics[topic] {
		if p.Error != nil {
			t.Fatal(p.Error)
		}
	}
}

func committed(t *testing.T, addr, group, topic string, partition int) int64 {
	t.Helper()
	resp, err := kafkaClient(addr).OffsetFetch(testContext(t), &kafka.OffsetFetchRequest{
		GroupID: group, Topics: map[string][]int{topic: {partition}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Topics[topic]) == 0 {
		return -1 // the group is unknown
	}
	p := resp.Topics[topic][0]
	if p.Error != nil {
		t.Fatal(p.Error)
	}
	return p.CommittedOffset
}

// place is where a record is in a topic.
type place struct {
	partition int
	offset    int64
}

// TestBrokerKeepsWhatItAcknowledged kills the broker's process again and again
// while several producers write, and looks for every acknowledged record at
// its offset afterwards.
func TestBrokerKeepsWhatItAcknowledged(t *testing.T) {
	const topic, partitions, rounds, group = "makegood.orders", 2, 4, "projector"
	dir := t.TempDir()
	acked := map[place]string{}
	var commits [partitions]int64
	for p := range commits {
		commits[p] = -1
	}
	check := func(addr string) {
		t.Helper()
		for p := range partitions {
			all := readAll(t, addr, topic, p)
			for at, want := range acked {
				if at.partition == p && all[at.offset] != want {
					t.Errorf("partition %d offset %d holds %q, acknowledged was %q", p, at.offset, all[at.offset], want)
				}
			}
			if got := committed(t, addr, group, topic, p); got != commits[p] {
				t.Errorf("group stands at %d in partition %d, committed was %d", got, p, commits[p])
			}
		}
	}
	for round := range rounds {
		h := startHost(t, "host-broker", dir)
		if round == 0 {
			createTopic(t, h.Addr, topic, partitions)
		}
		check(h.Addr)
		for p := range partitions {
			commits[p] = int64(round*10 + p)
			commit(t, h.Addr, group, topic, p, commits[p])
		}
		writers, enough := writeUntilGone(t, h.Addr, topic, partitions, round, acked)
		<-enough
		h.kill(t)
		writers.Wait()
	}
	h := startHost(t, "host-broker", dir)
	check(h.Addr)
	h.stop(t)
	h = startHost(t, "host-broker", dir) // and once after a clean stop
	check(h.Addr)
	t.Logf("%d records acknowledged over %d kills", len(acked), rounds)
}

// writeUntilGone has several producers write until the broker is gone, and adds
// what was acknowledged to acked. The channel is closed after 100 records.
func writeUntilGone(t *testing.T, addr, topic string, partitions, round int,
	acked map[place]string) (*sync.WaitGroup, <-chan struct{}) {
	var (
		mu      sync.Mutex
		writers = new(sync.WaitGroup)
		enough  = make(chan struct{})
		once    sync.Once
		inRound int
	)
	for w := range 4 {
		writers.Go(func() {
			for i := 0; ; i++ {
				v := fmt.Sprintf("round %d writer %d record %d %s", round, w, i, bytes.Repeat([]byte("x"), i*97%1500))
				p := w % partitions
				offset, err := produce(t.Context(), addr, topic, p, v, v+" again")
				if err != nil {
					return // the broker is gone
				}
				mu.Lock()
				acked[place{p, offset}] = v
				acked[place{p, offset + 1}] = v + " again"
				if inRound++; inRound == 100 {
					once.Do(func() { close(enough) })
				}
				mu.Unlock()
			}
		})
	}
	return writers, enough
}

// TestBrokerCutsATornTail: what a crash left half written is cut off, the
// records before it stay, and new ones take its place.
func TestBrokerCutsATornTail(t *testing.T) {
	const topic = "t"
	dir := t.TempDir()
	h := startHost(t, "host-broker", dir)
	createTopic(t, h.Addr, topic, 1)
	for i := range 3 {
		if _, err := produce(testContext(t), h.Addr, topic, 0, fmt.Sprint("whole ", i)); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, h.Addr, "g", topic, 0, 2)
	h.kill(t)
	segments, err := filepath.Glob(filepath.Join(dir, "kafka", "partitions", "*", "*.dat"))
	if err != nil || len(segments) != 1 {
		t.Fatalf("segments: %v, %v", segments, err)
	}
	segment, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	groups := filepath.Join(dir, "kafka", "groups.log")
	groupLog, err := os.ReadFile(groups)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < len(segment)/3; cut += 7 {
		// The next batch and the next commit were on their way when the power
		// went.
		if err := os.WriteFile(segments[0], append(bytes.Clone(segment), segment[:cut]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(groups, append(bytes.Clone(groupLog), groupLog[:min(cut, len(groupLog)-1)]...),
			0o600); err != nil {
			t.Fatal(err)
		}
		b := startBroker(t, BrokerConfig{Dir: dir})
		if got := committed(t, b.Addr(), "g", topic, 0); got != 2 {
			t.Fatalf("cut at %d: the group stands at %d", cut, got)
		}
		offset, err := produce(testContext(t), b.Addr(), topic, 0, "after")
		if err != nil {
			t.Fatal(err)
		}
		if offset != 3 {
			t.Fatalf("cut at %d: the next record got offset %d", cut, offset)
		}
		if got := readAll(t, b.Addr(), topic, 0); len(got) != 4 || got[0] != "whole 0" || got[2] != "whole 2" ||
			got[3] != "after" {
			t.Fatalf("cut at %d: the log holds %v", cut, got)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(filepath.Dir(segments[0]), "snapshot.json")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBrokerForgetsMembers: a consumer that lived in the stopped process must
// not hold its partitions after the restart.
func TestBrokerForgetsMembers(t *testing.T) {
	const topic, group = "t", "g"
	dir := t.TempDir()
	b := startBroker(t, BrokerConfig{Dir: dir})
	createTopic(t, b.Addr(), topic, 1)
	cg, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{ID: group, Brokers: []string{b.Addr()},
		Topics: []string{topic}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cg.Next(testContext(t)); err != nil {
		t.Fatal(err)
	}
	members := func(b *Broker) int {
		t.Helper()
		resp, err := kafkaClient(b.Addr()).DescribeGroups(testContext(t),
			&kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
		if err != nil {
			t.Fatal(err)
		}
		return len(resp.Groups[0].Members)
	}
	if n := members(b); n != 1 {
		t.Fatalf("%d members", n)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	_ = cg.Close() // it can't say goodbye: the broker is gone
	b = startBroker(t, BrokerConfig{Dir: dir})
	if n := members(b); n != 0 {
		t.Errorf("%d members after the restart", n)
	}
}

func TestBrokerNeverExpires(t *testing.T) {
	b := startBroker(t, BrokerConfig{Dir: t.TempDir()})
	createTopic(t, b.Addr(), "t", 1)
	resp, err := kafkaClient(b.Addr()).DescribeConfigs(testContext(t),
		&kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
			{ResourceType: kafka.ResourceTypeTopic, ResourceName: "t"},
		}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range resp.Resources {
		for _, e := range r.ConfigEntries {
			if e.ConfigSource != 5 || got[e.ConfigName] == "" { // 5: only a default
				got[e.ConfigName] = e.ConfigValue
			}
		}
	}
	for name, want := range map[string]string{"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"} {
		if name != "cleanup.policy" {
			name = "log." + name // kfake lists a broker's own setting under the broker's name
		}
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	// A record far older than any default retention stays.
	old, err := kafkaClient(b.Addr()).Produce(testContext(t), &kafka.ProduceRequest{
		Topic: "t", Partition: 0, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Time: time.Unix(946684800, 0), Value: kafka.NewBytes([]byte("old"))}),
	})
	if err := errors.Join(err, old.Error); err != nil {
		t.Fatal(err)
	}
	b.cluster.ApplyRetention()
	if got := readAll(t, b.Addr(), "t", 0); len(got) != 1 {
		t.Errorf("retention took it: %v", got)
	}
}

// TestBrokerForgetsNoOffsets: what a group has committed is there for as long as the broker is, whether the group has
// members or none, and however often expired offsets are looked for.
func TestBrokerForgetsNoOffsets(t *testing.T) {
	b := startBroker(t, BrokerConfig{Dir: t.TempDir(), offsetsCheck: 5 * time.Millisecond})
	createTopic(t, b.Addr(), "t", 1)
	commit(t, b.Addr(), "without", "t", 0, 7)
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{ID: "with", Brokers: []string{b.Addr()},
		Topics: []string{"t"}})
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	generation, err := group.Next(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := generation.CommitOffsets(map[string]map[int]int64{"t": {0: 8}}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // some sixty looks
	for name, want := range map[string]int64{"without": 7, "with": 8} {
		if got := committed(t, b.Addr(), name, "t", 0); got != want {
			t.Errorf("group %s has %d committed, not %d", name, got, want)
		}
	}
}

func TestBrokerTakesLargeBatches(t *testing.T) {
	b := startBroker(t, BrokerConfig{Dir: t.TempDir()})
	createTopic(t, b.Addr(), "t", 1)
	if _, err := produce(testContext(t), b.Addr(), "t", 0,
		string(bytes.Repeat([]byte("x"), maxBatchBytes-1024))); err != nil {
		t.Errorf("just below the limit: %v", err)
	}
	if _, err := produce(testContext(t), b.Addr(), "t", 0,
		string(bytes.Repeat([]byte("x"), maxBatchBytes+1))); !errors.Is(err, kafka.MessageSizeTooLarge) {
		t.Errorf("above the limit: %v", err)
	}
}

func TestBrokerCreatesNoTopicUnasked(t *testing.T) {
	b := startBroker(t, BrokerConfig{Dir: t.TempDir()})
	if _, err := produce(testContext(t), b.Addr(), "typo", 0, "x"); err == nil {
		t.Error("a record went into a topic that nobody made")
	}
}

func TestBrokerReportsADamagedDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "kafka"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kafka", "meta.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := StartBroker(testContext(t), BrokerConfig{Dir: dir}); err == nil {
		_ = b.Close()
		t.Error("started on a directory that it can't read")
	}
}

func TestBrokerConfig(t *testing.T) {
	for _, c := range []BrokerConfig{
		{},
		{Dir: "x", Addr: "0.0.0.0:9092"},
		{Dir: "x", Addr: ":9092"},
		{Dir: "x", Addr: "192.168.1.1:9092"},
		{Dir: "x", Addr: "localhost"},
		{Dir: "x", Addr: "127.0.0.1:65536"},
		{Dir: "x", Partitions: -1},
	} {
		if err := c.Validate(); err == nil {
			t.Errorf("%+v passed", c)
		}
	}
	for _, c := range []BrokerConfig{
		{Dir: "x"}, {Dir: "x", Addr: "127.0.0.1:0"}, {Dir: "x", Addr: "localhost:9092"}, {Dir: "x", Addr: "[::1]:9092"},
	} {
		if err := c.Validate(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if b, err := StartBroker(ctx, BrokerConfig{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}); err == nil {
		_ = b.Close()
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled start: %v", err)
	}
}
