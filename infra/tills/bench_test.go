package tills_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

// BenchmarkMap maps bodies of 14 KB: a refund, as a processor sends it, and an order of eight lines.
func BenchmarkMap(b *testing.B) {
	note := string(bytes.Repeat([]byte("x"), 14<<10))
	stripe, err := tills.Load("stripe")
	if err != nil {
		b.Fatal(err)
	}
	shop, err := tills.Parse("shop.yaml", []byte(`
name: shop
kinds:
  - kind: order
    when: .line_items != null
    events: |
      {type: "makegood.order.placed.v1", id: "order/\(.id)", time: .created_at, subject: .id,
       data: {order_id: .id, store_id: $till.store_id, currency: "USD",
              lines: [.line_items[] | {line_id: "\(.id)", sku, quantity, unit_price: (.price | amount)}]}}
`))
	if err != nil {
		b.Fatal(err)
	}
	line := `{"id": 1, "sku": "SKU-1", "quantity": 1, "price": "10.50", "title": "Part 1"}`
	for _, c := range []struct {
		name string
		m    *tills.Mapping
		body string
	}{
		{"refund", stripe, `{"object": "refund", "id": "re_1", "charge": "ch_1", "amount": 1999, "currency": "usd",
			"status": "succeeded", "created": 1767258000, "metadata": {"order_id": "1001", "note": "` + note + `"}}`},
		{"order", shop, `{"id": "1", "created_at": "2026-01-10T09:00:00Z", "line_items": [` +
			line + strings.Repeat(", "+strings.Replace(line, `"id": 1`, `"id": 2`, 1), 7) + `], "note": "` + note + `"}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			till, body := tills.Till{Name: "till"}, []byte(c.body)
			if got := c.m.Map(context.Background(), till, tills.Input{Body: body}); len(got.Events) != 1 {
				b.Fatal(got.Refusals)
			}
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			for b.Loop() {
				c.m.Map(context.Background(), till, tills.Input{Body: body})
			}
		})
	}
}
