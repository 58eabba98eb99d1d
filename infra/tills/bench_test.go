package tills_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

// BenchmarkMap maps a refund of 14 KB, as a processor sends it.
func BenchmarkMap(b *testing.B) {
	m, err := tills.Load("stripe")
	if err != nil {
		b.Fatal(err)
	}
	refund := []byte(`{"object": "refund", "id": "re_1", "charge": "ch_1", "amount": 1999, "currency": "usd",
		"status": "succeeded", "created": 1767258000, "metadata": {"order_id": "1001", "note": "` +
		string(bytes.Repeat([]byte("x"), 14<<10)) + `"}}`)
	till := tills.Till{Name: "stripe"}
	if got := m.Map(context.Background(), till, tills.Input{Body: refund}); len(got.Events) != 1 {
		b.Fatal(got.Refusals)
	}
	b.SetBytes(int64(len(refund)))
	b.ReportAllocs()
	for b.Loop() {
		m.Map(context.Background(), till, tills.Input{Body: refund})
	}
}
