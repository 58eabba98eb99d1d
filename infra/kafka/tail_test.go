package kafka_test

import (
	"context"
	"errors"
	"testing"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

func TestTailReadsToAnEndAndGoesOn(t *testing.T) {
	ctx := context.Background()
	fake := kafkatest.StartFake(t)
	cfg := testConfig(t, fake.Brokers())
	ensureTopic(t, newAdmin(t, cfg), "books", 1)
	pub := newPublisher(t, kafka.PublisherConfig{Config: cfg})
	must(t, pub.Publish("books", numbered(0, 10)...))

	tail, err := kafka.NewTail(kafka.TailConfig{Config: cfg, Topic: "books"})
	must(t, err)
	defer func() { must(t, tail.Close()) }()
	end, err := tail.End(ctx)
	must(t, err)
	if end != 10 {
		t.Fatalf("end %d", end)
	}
	var got []int64
	collect := func(r kafka.Record) error { got = append(got, r.Offset); return nil }
	must(t, tail.ReadTo(ctx, 4, collect))
	if len(got) != 4 || tail.Next() != 4 {
		t.Fatalf("read %v, next %d", got, tail.Next())
	}
	refusal := errors.New("no")
	if err := tail.ReadTo(ctx, 10, func(kafka.Record) error { return refusal }); !errors.Is(err, refusal) {
		t.Fatalf("refused, but %v", err)
	}
	must(t, tail.ReadTo(ctx, 10, collect))
	if len(got) != 10 || got[9] != 9 {
		t.Fatalf("read %v", got)
	}
	must(t, pub.Publish("books", numbered(10, 12)...))
	must(t, tail.ReadTo(ctx, 12, collect))
	if len(got) != 12 {
		t.Fatalf("read %v", got)
	}
}
