package wire_test

import (
	"testing"

	"github.com/makegood/makegood/infra/wire"
)

const placed = `{"specversion":"1.0","id":"till-4711-000001","source":"/stores/s01/tills/4","type":"makegood.order.placed.v1","time":"2026-03-02T09:30:00+01:00","subject":"o-1000001","data":{"order_id":"o-1000001","store_id":"s01","currency":"EUR","lines":[{"line_id":"1","sku":"sku-100","quantity":2,"unit_price":"19.90","unit_cost":"12.10"},{"line_id":"2","sku":"sku-207","quantity":1,"unit_price":"5.00","unit_cost":"2.15"}]}}`

func BenchmarkStructured(b *testing.B) {
	payload := []byte(placed)
	var d wire.Decoder
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Structured(payload); err != nil {
			b.Fatal(err)
		}
	}
}
