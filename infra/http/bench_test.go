package gateway_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/wire"
)

const placed = `{"specversion":"1.0","id":"till-4711-000001","source":"/stores/s01/tills/4",` +
	`"type":"makegood.order.placed.v1",` +
	`"time":"2026-03-02T09:30:00+01:00","subject":"o-1000001",` +
	`"data":{"order_id":"o-1000001","store_id":"s01","currency":"EUR","lines":[` +
	`{"line_id":"1","sku":"sku-100","quantity":2,"unit_price":"19.90","unit_cost":"12.10"},` +
	`{"line_id":"2","sku":"sku-207","quantity":1,"unit_price":"5.00","unit_cost":"2.15"}]}}`

// BenchmarkBatchOf100 is the gateway's own part: no network, and a broker that says yes at once.
func BenchmarkBatchOf100(b *testing.B) { benchmarkBatch(b, nil, placed) }

// BenchmarkBatchOfPeople is the same where each event names a customer and an employee, who are hidden.
func BenchmarkBatchOfPeople(b *testing.B) {
	mac := hmac.New(sha256.New, make([]byte, 32))
	privacy := &wire.Privacy{Keep: wire.DefaultKeep, KeepAttribute: wire.DefaultKeepAttribute,
		Hash: func(role wire.Role, id string, _ time.Time) string {
			mac.Reset()
			mac.Write([]byte(string(role) + "\x00" + id))
			return hex.EncodeToString(mac.Sum(nil)[:16])
		}}
	benchmarkBatch(b, privacy, strings.Replace(placed, `"currency"`,
		`"customer_id":"C-1000001","employee_id":"E-17","currency"`, 1))
}

func benchmarkBatch(b *testing.B, privacy *wire.Privacy, event string) {
	h, err := gateway.NewEvents(gateway.EventsConfig{Publisher: &discard{}, PartitionKey: key, Privacy: privacy})
	if err != nil {
		b.Fatal(err)
	}
	body := []byte("[" + strings.Repeat(event+",", 99) + event + "]")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v1/events", bytes.NewReader(body))
		r.Header.Set("Content-Type", batch)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusAccepted {
			b.Fatal(w.Body)
		}
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "events/s")
}
