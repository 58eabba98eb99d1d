package clickhouse

import (
	"fmt"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// BenchmarkAppend is what it costs to put rows of 7 lines into a batch.
func BenchmarkAppend(b *testing.B) {
	batch := (&Store{}).Writer().Batch()
	at := time.Now().UTC()
	rows := make([]*ledger.Row, 1000)
	for i := range rows {
		rows[i] = &ledger.Row{Event: &domain.Event{Source: "urn:till:1", ID: fmt.Sprintf("event-%d", i),
			Type: domain.TypeOrderPlaced, Time: at,
			OrderID: fmt.Sprintf("order-%d", i), StoreID: fmt.Sprintf("store-%d", i%20), Currency: "USD",
			Data: &domain.OrderPlaced{}},
			Data: make([]byte, 350), Position: domain.Position{Stream: domain.Orders}, RecordedAt: at, Day: at,
			Lines: make([]domain.Line, 7)}
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range rows {
			batch.Append(r)
		}
		batch.Reset()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/row")
}
