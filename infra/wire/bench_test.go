package wire_test

import (
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/wire"
)

const placed = `{"specversion":"1.0","id":"till-4711-000001",` +
	`"source":"/stores/s01/tills/4","type":"makegood.order.placed.v1","time":"2026-03-02T09:30:00+01:00",` +
	`"subject":"o-1000001",` +
	`"data":{"order_id":"o-1000001","store_id":"s01","currency":"EUR",` +
	`"lines":[{"line_id":"1","sku":"sku-100","quantity":2,"unit_price":"19.90","unit_cost":"12.10"},` +
	`{"line_id":"2","sku":"sku-207","quantity":1,"unit_price":"5.00","unit_cost":"2.15"}]}}`

func BenchmarkStructured(b *testing.B) { benchmark(b, []byte(placed)) }

func benchmark(b *testing.B, payload []byte) {
	var d wire.Decoder
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Structured(payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBinary(b *testing.B) {
	env := mustRead(b, []byte(placed))
	attrs, data := wire.AttributesOf(&env.Event), env.Data
	var d wire.Decoder
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Binary(&attrs, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKafka(b *testing.B) {
	headers := map[string]string{"content-type": wire.ContentTypeEvent,
		"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	payload := []byte(placed)
	var d wire.Decoder
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Kafka(headers, payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEveryType(b *testing.B) {
	for _, s := range samples(b) {
		b.Run(s.name, func(b *testing.B) { benchmark(b, s.event.json()) })
	}
}

func BenchmarkAppendEvent(b *testing.B) {
	env := mustRead(b, []byte(placed))
	buffer := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buffer = wire.AppendEvent(buffer[:0], &env.Event)
	}
}

// Reading an event again costs no allocation, whatever its type: not for strings with escapes either, nor for voids.
func TestNoAllocations(t *testing.T) {
	payloads := [][]byte{[]byte(strings.Replace(placed, "sku-100", `sku-\u0031\u00e9`, 1)),
		[]byte(strings.Replace(placed, `"data":{`, `"traceparent":"00-ab","data":{"mood":[1,{"a":"b"}],`, 1))}
	for _, s := range samples(t) {
		payloads = append(payloads, s.event.json())
	}
	var d wire.Decoder
	for _, payload := range payloads {
		if n := testing.AllocsPerRun(100, func() {
			if _, err := d.Structured(payload); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%.1f allocations for %s", n, payload)
		}
	}
}
