package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// stranger is a client that is neither ours nor of our library.
func stranger(t *testing.T, b *Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(b.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequestRetries(0),
		kgo.RecordRetries(0), kgo.RetryTimeout(5 * time.Second),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func write(t *testing.T, client *kgo.Client, r *kgo.Record) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return client.ProduceSync(ctx, r).FirstErr()
}

// createTopicWith creates topics of one partition with a client that may.
func createTopicWith(t *testing.T, client *kgo.Client, topics ...string) {
	t.Helper()
	create := kmsg.NewPtrCreateTopicsRequest()
	for _, topic := range topics {
		create.Topics = append(create.Topics, kmsg.CreateTopicsRequestTopic{Topic: topic, NumPartitions: 1,
			ReplicationFactor: 1})
	}
	if _, err := client.Request(testContext(t), create); err != nil {
		t.Fatal(err)
	}
}

// TestBrokerKeepsWhatItHas: whoever asks, nothing is deleted and no setting is altered.
func TestBrokerKeepsWhatItHas(t *testing.T) {
	b := startBroker(t, BrokerConfig{Dir: t.TempDir(), Groups: []string{"projector"}})
	createTopic(t, b.Addr(), "t", 1)
	client := stranger(t, b)
	if err := write(t, client, &kgo.Record{Topic: "t", Value: []byte("kept")}); err != nil {
		t.Fatal(err)
	}
	commit(t, b.Addr(), "other", "t", 0, 1)
	name, value := "t", "1"
	for _, req := range []kmsg.Request{
		&kmsg.DeleteTopicsRequest{TopicNames: []string{name}, Topics: []kmsg.DeleteTopicsRequestTopic{{Topic: &name}}},
		&kmsg.DeleteRecordsRequest{Topics: []kmsg.DeleteRecordsRequestTopic{{Topic: name,
			Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: 1}}}}},
		&kmsg.AlterConfigsRequest{Resources: []kmsg.AlterConfigsRequestResource{{
			ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: name,
			Configs: []kmsg.AlterConfigsRequestResourceConfig{{Name: "retention.ms", Value: &value}}}}},
		&kmsg.IncrementalAlterConfigsRequest{Resources: []kmsg.IncrementalAlterConfigsRequestResource{{
			ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: name,
			Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "retention.ms", Value: &value}}}}},
		&kmsg.CreatePartitionsRequest{Topics: []kmsg.CreatePartitionsRequestTopic{{Topic: name, Count: 5}}},
		&kmsg.DeleteGroupsRequest{Groups: []string{"other"}},
	} {
		answer, err := client.Request(testContext(t), req)
		if err != nil {
			t.Errorf("%s: %v", kmsg.NameForKey(req.Key()), err)
			continue
		}
		if text := fmt.Sprintf("%+v", answer); !strings.Contains(text, fmt.Sprint(kerr.PolicyViolation.Code)) {
			t.Errorf("%s: %s", kmsg.NameForKey(req.Key()), text)
		}
	}
	if _, err := client.Request(testContext(t), &kmsg.AlterUserSCRAMCredentialsRequest{}); err == nil {
		t.Error("a request that nobody needs was answered")
	}
	if got := readAll(t, b.Addr(), "t", 0); got[0] != "kept" {
		t.Errorf("the topic holds %v", got)
	}
	if got := committed(t, b.Addr(), "other", "t", 0); got != 1 {
		t.Errorf("the group stands at %d", got)
	}
	if got := b.Refused(); got["rights"] < 7 || got["records"]+got["credentials"] > 0 {
		t.Errorf("refused were %v", got)
	}
}

// TestBrokerGuardsOurGroupAndHeaders: strangers neither move what is booked nor say what only we may say.
func TestBrokerGuardsOurGroupAndHeaders(t *testing.T) {
	b := startBroker(t, BrokerConfig{Dir: t.TempDir(), Groups: []string{"projector"},
		OwnHeaders: []string{"makegood_first"}})
	createTopic(t, b.Addr(), "t", 1)
	move := kmsg.NewPtrOffsetCommitRequest()
	move.Group, move.Generation = "projector", -1
	move.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: "t",
		Partitions: []kmsg.OffsetCommitRequestTopicPartition{{Offset: 9}}}}
	old := kgo.MaxVersions(kversion.V3_0_0()) // that name topics
	theirs, ours := stranger(t, b, old), stranger(t, b, kgo.Dialer(b.Dial), old)
	if _, err := theirs.Request(testContext(t), move); err == nil {
		t.Error("a stranger moved our group")
	}
	if got := committed(t, b.Addr(), "projector", "t", 0); got != -1 {
		t.Errorf("the group stands at %d", got)
	}
	if _, err := ours.Request(testContext(t), move); err != nil {
		t.Errorf("we can't move our group: %v", err)
	}
	if got := committed(t, b.Addr(), "projector", "t", 0); got != 9 {
		t.Errorf("the group stands at %d", got)
	}
	codecs := map[string]kgo.CompressionCodec{"plain": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	for name, codec := range codecs {
		theirs := stranger(t, b, kgo.ProducerBatchCompression(codec))
		for _, header := range []string{"makegood_first", "MakeGood_First"} {
			r := &kgo.Record{Topic: "t", Value: []byte(strings.Repeat("lie", 100)),
				Headers: []kgo.RecordHeader{{Key: header, Value: []byte("7/0")}}}
			if err := write(t, theirs, r); !errors.Is(err, kerr.InvalidRecord) {
				t.Errorf("%s, header %s: %v", name, header, err)
			}
		}
		if err := write(t, theirs, &kgo.Record{Topic: "t", Value: []byte(name + " makegood_first")}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := write(t, ours, &kgo.Record{Topic: "t", Value: []byte("true"),
		Headers: []kgo.RecordHeader{{Key: "makegood_first", Value: []byte("0/0")}}}); err != nil {
		t.Errorf("our own header: %v", err)
	}
	if got := readAll(t, b.Addr(), "t", 0); len(got) != len(codecs)+1 {
		t.Errorf("the topic holds %v", got)
	}
	if got := b.Refused(); got["records"] < int64(2*len(codecs)) || got["credentials"] > 0 {
		t.Errorf("refused were %v", got)
	}
}

// TestBrokerBoundsTimes: a record's time is near its arrival, whatever its producer's clock or unit says.
func TestBrokerBoundsTimes(t *testing.T) {
	dir := t.TempDir()
	b := startBroker(t, BrokerConfig{Dir: dir})
	createTopic(t, b.Addr(), "t", 1)
	now := time.Now()
	at := []time.Time{now, now.Add(time.Minute), now.Add(-time.Minute), now.Add(time.Hour), now.Add(-time.Hour),
		time.UnixMilli(now.UnixMicro()), time.UnixMilli(now.UnixNano()), time.UnixMilli(0), time.UnixMilli(-5)}
	for _, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.ZstdCompression()} {
		client := stranger(t, b, kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(50*time.Millisecond))
		var records []*kgo.Record
		for i, when := range at {
			records = append(records, &kgo.Record{Topic: "t", Timestamp: when, Key: fmt.Append(nil, i),
				Value: []byte(strings.Repeat("x", i*30)), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}}})
		}
		if err := client.ProduceSync(testContext(t), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // and after a restart
		reader := stranger(t, b, kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		for n := 0; n < 2*len(at); {
			fetches := reader.PollFetches(testContext(t))
			if err := fetches.Err(); err != nil {
				t.Fatal(err)
			}
			fetches.EachRecord(func(r *kgo.Record) {
				i := n % len(at)
				n++
				if string(r.Key) != fmt.Sprint(i) || len(r.Value) != i*30 || len(r.Headers) != 1 {
					t.Errorf("record %d is %q, %d bytes, %v", i, r.Key, len(r.Value), r.Headers)
				}
				want := at[i]
				if d := want.Sub(now).Abs(); d > maxTimeOff {
					want = now
				}
				if d := r.Timestamp.Sub(want).Abs(); d > 10*time.Second {
					t.Errorf("record %d, sent as of %v, is of %v, want %v", i, at[i], r.Timestamp, want)
				}
			})
		}
		reader.Close()
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		b = startBroker(t, BrokerConfig{Dir: dir})
	}
}

// TestBrokerAsksWhoItIs: with tokens, nobody does anything without one, and everybody does what theirs allows.
func TestBrokerAsksWhoItIs(t *testing.T) {
	principals := map[string]*Principal{
		"reads":  {Name: "r", Read: true},
		"writes": {Name: "w", MayWrite: func(topic string) bool { return topic == "orders" }},
		"all":    {Name: "o", Own: true},
	}
	b := startBroker(t, BrokerConfig{Dir: t.TempDir(), OwnHeaders: []string{"makegood_first"},
		Groups: []string{"projector"}, Authenticate: func(token string) (*Principal, error) {
			if p := principals[token]; p != nil {
				return p, nil
			}
			return nil, errors.New("no valid token")
		}})
	ours := stranger(t, b, kgo.Dialer(b.Dial))
	createTopicWith(t, ours, "orders", "books")
	as := func(token string, opts ...kgo.Opt) *kgo.Client {
		return stranger(t, b, append(opts, kgo.SASL(plain.Auth{User: "any", Pass: token}.AsMechanism()))...)
	}
	marked := []kgo.RecordHeader{{Key: "makegood_first", Value: []byte("0/0")}}
	for _, c := range []struct {
		client  *kgo.Client
		topic   string
		headers []kgo.RecordHeader
		ok      bool
	}{
		{stranger(t, b), "orders", nil, false},
		{as("guess"), "orders", nil, false},
		{as("reads"), "orders", nil, false},
		{as("writes"), "orders", nil, true},
		{as("writes"), "orders", marked, false},
		{as("writes"), "books", nil, false},
		{as("all"), "books", marked, true},
		{ours, "books", marked, true},
	} {
		err := write(t, c.client, &kgo.Record{Topic: c.topic, Value: []byte("x"), Headers: c.headers})
		if (err == nil) != c.ok {
			t.Errorf("to %s with %v: %v, want ok %t", c.topic, c.headers, err, c.ok)
		}
	}
	for token, ok := range map[string]bool{"reads": true, "writes": false, "": false} {
		opts := []kgo.Opt{kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
		client := stranger(t, b, opts...)
		if token != "" {
			client = as(token, opts...)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		fetches := client.PollFetches(ctx)
		cancel()
		if got := fetches.NumRecords() > 0; got != ok {
			t.Errorf("%q reads: %t, want %t", token, got, ok)
		}
	}
	if got := b.Refused(); got["credentials"] < 2 || got["records"] < 3 || got["malformed"] > 0 {
		t.Errorf("refused were %v", got)
	}
}
