package main

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/deadletter"
)

// TestLargeRecordsDoNotStopBooking: a record whose dead letter the log doesn't take, as it is or once it is unpacked,
// and one that names a place that isn't there, are told, and what comes after them is booked.
func TestLargeRecordsDoNotStopBooking(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	send := func(compression kafkago.Compression, m kafkago.Message) {
		t.Helper()
		w := &kafkago.Writer{Addr: kafkago.TCP(app.Brokers...), Topic: "makegood.orders", BatchBytes: 16 << 20,
			BatchTimeout: time.Millisecond, RequiredAcks: kafkago.RequireAll, Compression: compression,
			Transport: &kafkago.Transport{Dial: app.Dial}}
		defer w.Close()
		if err := w.WriteMessages(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	mustCatchUp(t, c)
	send(0, kafkago.Message{Key: []byte("k"), Value: bytes.Repeat([]byte("x"), 1_040_000)})
	send(kafkago.Zstd, kafkago.Message{Key: []byte("k"), Value: bytes.Repeat([]byte("y"), 10<<20)})
	send(0, kafkago.Message{Key: []byte("k"), Value: []byte("z"),
		Headers: []kafkago.Header{{Key: "much", Value: bytes.Repeat([]byte("h"), 2<<20)}}})
	send(0, kafkago.Message{Key: []byte("o"), Value: []byte(event("1", "order.placed", "2026-01-01T00:00:00Z", "o",
		`{"order_id":"o","store_id":"s1","currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"9",`+
			`"unit_cost":"1"}]}`)),
		Headers: []kafkago.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")},
			{Key: "makegood_first", Value: []byte("7/0")}}})
	if s := mustCatchUp(t, c); s.Events != 1 || s.DeadLetters != 3 {
		t.Fatalf("%+v", s)
	}
	topic := app.Config.Prefix + deadletter.Topic
	ends, err := app.Admin.Ends(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	small := 0
	for tp, end := range ends {
		for offset := range end {
			r, ok, err := app.Admin.Record(t.Context(), kafka.TopicPartition{Topic: topic, Partition: tp.Partition}, offset)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			headers := map[string]string{}
			for _, h := range r.Headers {
				headers[h.Key] = string(h.Value)
			}
			if headers["makegood_payload_sha256"] == "" {
				t.Errorf("a letter of %d bytes has not shrunk", len(r.Value))
				continue
			}
			small++
			if len(r.Value) != 0 || headers["makegood_topic"] != "makegood.orders" || headers["makegood_payload_bytes"] == "" {
				t.Errorf("%d bytes, %v", len(r.Value), fmt.Sprint(headers))
			}
		}
	}
	if small != 3 {
		t.Errorf("%d letters have shrunk, want 3", small)
	}
}
