package kafka_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

const benchPayload = 417 // bytes: an order event

func benchMessages(n int) []*message.Message {
	payload := bytes.Repeat([]byte("x"), benchPayload)
	msgs := make([]*message.Message, n)
	for i := range msgs {
		msgs[i] = message.NewMessage("", payload)
		msgs[i].Metadata.Set(kafka.PartitionKey, fmt.Sprint("order-", i))
	}
	return msgs
}

func quietConfig(brokers []string) kafka.Config {
	return kafka.Config{Brokers: brokers, RequestTimeout: 10 * time.Second}
}

// BenchmarkPublish writes batches of 100 order-sized messages from 8 writers,
// to a broker that syncs every batch to disk before it answers, and to one that
// keeps all in memory.
func BenchmarkPublish(b *testing.B) {
	for _, bench := range []struct {
		name    string
		writers int
		batch   int
		opts    []kfake.Opt
	}{
		{"durable/8x100", 8, 100, []kfake.Opt{kfake.DataDir(b.TempDir()), kfake.SyncWrites()}},
		{"durable/1x1", 1, 1, []kfake.Opt{kfake.DataDir(b.TempDir()), kfake.SyncWrites()}},
		{"memory/8x100", 8, 100, nil},
		{"memory/1x1", 1, 1, nil},
		{"memory/64x1", 64, 1, nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			fake := kafkatest.StartFake(b, bench.opts...)
			cfg := quietConfig(fake.Brokers())
			ensureTopic(b, newAdmin(b, cfg), "orders", 4)
			pub := newPublisher(b, kafka.PublisherConfig{Config: cfg})
			publishBench(b, pub, bench.writers, bench.batch)
		})
	}
}

// publishBench publishes b.N messages.
func publishBench(b *testing.B, pub *kafka.Publisher, writers, batch int) {
	must(b, pub.Publish("orders", benchMessages(batch)...))
	b.ReportAllocs()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			mine := benchMessages(batch)
			for left.Add(int64(-batch)) > int64(-batch) {
				if err := pub.Publish("orders", mine...); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	writing.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}

// BenchmarkSubscribe reads order-sized messages, acknowledging each.
func BenchmarkSubscribe(b *testing.B) {
	fake := kafkatest.StartFake(b)
	cfg := quietConfig(fake.Brokers())
	ensureTopic(b, newAdmin(b, cfg), "orders", 2)
	pub := newPublisher(b, kafka.PublisherConfig{Config: cfg})
	const stock = 200_000
	for range stock / 10_000 {
		must(b, pub.Publish("orders", benchMessages(10_000)...))
	}
	b.ReportAllocs()
	b.ResetTimer()
	read := 0
	for group := 0; read < b.N; group++ {
		ctx, cancel := context.WithCancel(context.Background())
		sub, err := kafka.NewSubscriber(kafka.SubscriberConfig{Config: cfg})
		must(b, err)
		in, err := sub.Subscribe(ctx, "orders")
		must(b, err)
		for range min(stock, b.N-read) {
			m := <-in
			if _, ok := kafka.PositionOf(m); !ok {
				b.Fatal("a message without a position")
			}
			m.Ack()
			read++
		}
		b.StopTimer()
		cancel()
		must(b, sub.Close())
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}

// BenchmarkReadLayers compares the ways that lead to records through kafka-go,
// each read to key and value as byte slices: what this package rests on.
func BenchmarkReadLayers(b *testing.B) {
	ctx := context.Background()
	fake := kafkatest.StartFake(b)
	cfg := quietConfig(fake.Brokers())
	ensureTopic(b, newAdmin(b, cfg), "orders", 1)
	pub := newPublisher(b, kafka.PublisherConfig{Config: cfg})
	const stock = 100_000
	for range stock / 1000 {
		must(b, pub.Publish("orders", benchMessages(1000)...))
	}
	per := func(b *testing.B, read func(n int)) {
		b.ReportAllocs()
		for left := b.N; left > 0; left -= stock {
			read(min(left, stock))
		}
	}
	b.Run("Conn.ReadBatch", func(b *testing.B) {
		per(b, func(n int) {
			conn, err := kafkago.DialLeader(ctx, "tcp", fake.Brokers()[0], "orders", 0)
			must(b, err)
			for n > 0 {
				batch := conn.ReadBatch(1, 1<<20)
				for ; n > 0; n-- {
					if _, err := batch.ReadMessage(); err != nil {
						break
					}
				}
				must(b, batch.Close())
			}
			must(b, conn.Close())
		})
	})
	b.Run("Client.Fetch", func(b *testing.B) {
		client := &kafkago.Client{Addr: kafkago.TCP(fake.Brokers()...), Transport: &kafkago.Transport{}}
		defer client.Transport.(*kafkago.Transport).CloseIdleConnections()
		per(b, func(n int) {
			for offset := int64(0); n > 0; {
				res, err := client.Fetch(ctx, &kafkago.FetchRequest{Topic: "orders", Offset: offset, MinBytes: 1, MaxBytes: 1 << 20,
					MaxWait: time.Second})
				must(b, err)
				for ; n > 0; n-- {
					r, err := res.Records.ReadRecord()
					if err != nil {
						break
					}
					_, err = kafkago.ReadAll(r.Key)
					must(b, err)
					_, err = kafkago.ReadAll(r.Value)
					must(b, err)
					offset = r.Offset + 1
				}
			}
		})
	})
	b.Run("Tail", func(b *testing.B) {
		per(b, func(n int) {
			tail, err := kafka.NewTail(kafka.TailConfig{Config: cfg, Topic: "orders"})
			must(b, err)
			must(b, tail.ReadTo(ctx, int64(n), func(kafka.Record) error { return nil }))
			must(b, tail.Close())
		})
	})
}
