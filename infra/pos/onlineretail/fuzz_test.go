package onlineretail

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
)

// FuzzImport: whatever the file, each row has one category, and every event can be posted.
func FuzzImport(f *testing.F) {
	text := []byte("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
	for _, rows := range []string{
		"1,A,x,1,2011-01-01 00:00:00,1.5,1.0,UK\nC2,A,x,-1,2011-01-02 00:00:00,1.5,1.0,UK\n",
		"1,A,x,-10000000,2011-01-01 00:00:00,0,,UK\n2,A,x,1,2011-01-02 00:00:00,10000000,,UK\n",
		"1,A,\"x,1\n", "1,POST,x,1,2011-01-01 00:00:00,0.0,1,UK\n", "C,D,,1,2011-03-27 01:30:00,-1,,\n",
	} {
		f.Add(append(bytes.Clone(text), rows...))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		terms := domain.NewTerms(time.UTC)
		events := 0
		a, err := Import(context.Background(), bytes.NewReader(file), Defaults(), func(e *domain.Event) error {
			events++
			if e.Stream() == domain.Books {
				terms.Apply(e, domain.Mark{Offset: int64(events)})
				return nil
			}
			at := domain.Position{Stream: e.Stream(), Offset: int64(events), Time: e.Time}
			_, err := terms.Settle([]domain.Recorded{{Event: e, At: at, RecordedAt: e.Time}})
			return err
		})
		if err == nil && (a.Accounted() != a.Rows || a.Events != events) {
			t.Errorf("%d rows accounted for, of %d; %d events of %d", a.Accounted(), a.Rows, a.Events, events)
		}
	})
}
