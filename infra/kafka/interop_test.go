package kafka_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/makegood/makegood/infra/kafka"
)

// What other producers write, in whichever way, is read as it is.
func TestForeignProducersAreRead(t *testing.T) {
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		t.Run(name, func(t *testing.T) {
			o := newOne(t, 1)
			client, err := kgo.NewClient(kgo.SeedBrokers(o.fake.Brokers()...), kgo.ProducerBatchCompression(codec),
				kgo.RecordPartitioner(kgo.ManualPartitioner()))
			must(t, err)
			defer client.Close()
			at := time.UnixMilli(1767225600000)
			var records []*kgo.Record
			for i := range 500 {
				r := &kgo.Record{Topic: "things", Timestamp: at.Add(time.Duration(i) * time.Millisecond),
					Value: bytes.Repeat(fmt.Appendf(nil, "%d ", i), 50)}
				if i%2 == 0 {
					r.Key = fmt.Appendf(nil, "key-%d", i)
					r.Headers = []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "null"},
						{Key: "empty", Value: []byte{}}}
				}
				if i == 7 {
					r.Value = nil
				}
				records = append(records, r)
			}
			must(t, client.ProduceSync(context.Background(), records...).FirstErr())

			in := subscribe(t, newSubscriber(t, o.quick()))
			for i, want := range records {
				m := receive(t, in)
				got, ok := kafka.RecordOf(m)
				if !ok || got.Offset != int64(i) || !got.Time.Equal(want.Timestamp) || got.LogTime {
					t.Fatalf("record %d stands at %v, %v", i, got.Position, got.Time)
				}
				if !bytes.Equal(got.Key, want.Key) || (got.Key == nil) != (want.Key == nil) ||
					!bytes.Equal(m.Payload, want.Value) || (m.Payload == nil) != (want.Value == nil) {
					t.Fatalf("record %d has key %q and value %q", i, got.Key, m.Payload)
				}
				if len(got.Headers) != len(want.Headers) || len(want.Headers) > 0 &&
					(string(got.Headers[1].Value) != "2" || got.Headers[2].Value != nil || got.Headers[3].Value == nil ||
						m.Metadata["a"] != "2" || m.UUID != "") {
					t.Fatalf("record %d has headers %v, metadata %v", i, got.Headers, m.Metadata)
				}
				m.Ack()
			}
		})
	}
}

// What a producer took back is nobody's, and the offsets that it and the marks
// of transactions take are passed over, up to the end of the log.
func TestAbortedTransactionsAreNotRead(t *testing.T) {
	ctx := context.Background()
	o := newOne(t, 1)
	client, err := kgo.NewClient(kgo.SeedBrokers(o.fake.Brokers()...), kgo.TransactionalID("tx"),
		kgo.DefaultProduceTopic("things"))
	must(t, err)
	defer client.Close()
	transaction := func(commit kgo.TransactionEndTry, values ...string) {
		must(t, client.BeginTransaction())
		for _, v := range values {
			must(t, client.ProduceSync(ctx, kgo.StringRecord(v)).FirstErr())
			// Others write between.
			must(t, o.pub.Publish("things", message.NewMessage("", []byte("plain"))))
		}
		must(t, client.EndTransaction(ctx, commit))
	}
	transaction(kgo.TryCommit, "a", "b")
	transaction(kgo.TryAbort, "c", "d")
	transaction(kgo.TryCommit, "e")
	transaction(kgo.TryAbort, "f")

	ends, err := o.admin.Ends(ctx, "things")
	must(t, err)
	end := ends[kafka.TopicPartition{Topic: "things"}]
	in := subscribe(t, newSubscriber(t, o.quick()))
	got := map[string]int{}
	for range 6 + 3 {
		m := receive(t, in)
		got[string(m.Payload)]++
		m.Ack()
	}
	if got["plain"] != 6 || got["a"] != 1 || got["b"] != 1 || got["e"] != 1 {
		t.Fatalf("read %v", got)
	}
	eventually(t, fmt.Sprintf("%d, the end of the log, is committed", end), func() bool { return o.committed(t) == end })
	// A reader from within an aborted transaction isn't fooled either.
	for from := range end {
		tail, err := kafka.NewTail(kafka.TailConfig{Config: o.cfg, Topic: "things", From: from})
		must(t, err)
		must(t, tail.ReadTo(ctx, end, func(r kafka.Record) error {
			if v := string(r.Value); v == "c" || v == "d" || v == "f" {
				return fmt.Errorf("from %d, %q came", from, v)
			}
			return nil
		}))
		must(t, tail.Close())
	}
}

// What we write, others read.
func TestForeignConsumersReadUs(t *testing.T) {
	for _, c := range []compress.Compression{compress.None, compress.Gzip, compress.Snappy, compress.Lz4, compress.Zstd} {
		t.Run(c.String(), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			o := newOne(t, 1)
			pub := newPublisher(t, kafka.PublisherConfig{Config: o.cfg, Compression: c})
			at := time.UnixMilli(1767225600123)
			var msgs []*message.Message
			for i := range 300 {
				m := message.NewMessageWithContext(kafka.WithRecordTime(ctx, at.Add(time.Duration(i%7-3)*time.Second)), "",
					bytes.Repeat([]byte{byte(i)}, i))
				if i%3 == 0 {
					m.UUID = fmt.Sprint("uuid-", i)
					m.Metadata["name"] = fmt.Sprint("value-", i)
					m.Metadata[kafka.PartitionKey] = fmt.Sprint("key-", i)
				}
				msgs = append(msgs, m)
			}
			must(t, pub.Publish("things", msgs...))
			client, err := kgo.NewClient(kgo.SeedBrokers(o.fake.Brokers()...), kgo.ConsumeTopics("things"),
				kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
			must(t, err)
			defer client.Close()
			for i := 0; i < len(msgs); {
				fetches := client.PollFetches(ctx)
				must(t, fetches.Err())
				for _, r := range fetches.Records() {
					want := msgs[i]
					if r.Offset != int64(i) || !bytes.Equal(r.Value, want.Payload) ||
						!r.Timestamp.Equal(at.Add(time.Duration(i%7-3)*time.Second)) {
						t.Fatalf("record %d is %+v", i, r)
					}
					if string(r.Key) != want.Metadata[kafka.PartitionKey] || (r.Key == nil) != (i%3 != 0) {
						t.Fatalf("record %d has key %q", i, r.Key)
					}
					headers := map[string]string{}
					for _, h := range r.Headers {
						headers[h.Key] = string(h.Value)
					}
					if i%3 == 0 && (len(headers) != 2 || headers[kafka.UUIDHeader] != want.UUID ||
						headers["name"] != want.Metadata["name"]) || i%3 != 0 && len(headers) != 0 {
						t.Fatalf("record %d has headers %v", i, headers)
					}
					i++
				}
			}
		})
	}
}

// Keys go where kafka-go's and franz-go's likenesses of the Java client put
// them, and where the Java client itself does.
func TestKeysAgreeWithOtherClients(t *testing.T) {
	// From the Java client's own tests (UtilsTest.testMurmur2), as positive
	// 32-bit numbers.
	java := map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	}
	for key, hash := range java {
		if got, want := kafka.PartitionOf(key, 1<<20), int(uint32(hash)&0x7fffffff)%(1<<20); got != want {
			t.Errorf("%q goes to %d, not %d", key, got, want)
		}
	}
	partitions := make([]int, 7)
	for i := range partitions {
		partitions[i] = i
	}
	theirs := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	for i := range 2000 {
		key := strings.Repeat("k", i%9)
		key += fmt.Sprint(i)
		ours := kafka.PartitionOf(key, len(partitions))
		if want := (kafkago.Murmur2Balancer{}).Balance(kafkago.Message{Key: []byte(key)}, partitions...); ours != want {
			t.Fatalf("%q goes to %d, by kafka-go to %d", key, ours, want)
		}
		if want := theirs.Partition(&kgo.Record{Key: []byte(key)}, len(partitions)); ours != want {
			t.Fatalf("%q goes to %d, by franz-go to %d", key, ours, want)
		}
	}
}
