//go:build realkafka

package kafka_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// BenchmarkRealSubscribe reads order-sized messages from real Kafka, which is
// another process, so that cpu-ns/msg is what the Subscriber alone costs.
func BenchmarkRealSubscribe(b *testing.B) {
	r := kafkatest.StartReal(b, kafkatest.Options{Optimize: true, HeapMB: 512})
	cfg := quietConfig(r.Brokers())
	ensureTopic(b, newAdmin(b, cfg), "orders", 4)
	pub := newPublisher(b, kafka.PublisherConfig{Config: cfg})
	const stock = 500_000
	msgs := benchMessages(5000)
	for range stock / len(msgs) {
		must(b, pub.Publish("orders", msgs...))
	}
	b.ReportAllocs()
	b.ResetTimer()
	var used time.Duration
	for left := b.N; left > 0; left -= stock {
		before := cpuTime(b)
		sub, err := kafka.NewSubscriber(kafka.SubscriberConfig{Config: cfg})
		must(b, err)
		in, err := sub.Subscribe(context.Background(), "orders")
		must(b, err)
		for range min(left, stock) {
			m := <-in
			if _, ok := kafka.PositionOf(m); !ok {
				b.Fatal("a message without a position")
			}
			m.Ack()
		}
		used += cpuTime(b) - before
		b.StopTimer()
		must(b, sub.Close())
		b.StartTimer()
	}
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "cpu-ns/msg")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}

// BenchmarkRealPublish writes batches of 100 from 8 writers.
func BenchmarkRealPublish(b *testing.B) {
	r := kafkatest.StartReal(b, kafkatest.Options{Optimize: true, HeapMB: 512})
	cfg := quietConfig(r.Brokers())
	ensureTopic(b, newAdmin(b, cfg), "orders", 4)
	pub := newPublisher(b, kafka.PublisherConfig{Config: cfg})
	before := cpuTime(b)
	publishBench(b, pub, 8, 100)
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/msg")
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
