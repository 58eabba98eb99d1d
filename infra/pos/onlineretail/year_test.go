package onlineretail

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"github.com/makegood/makegood/domain"
)

// realFile looks for the data set beside the repository; it is too large to be part of it.
func realFile(t *testing.T) (string, bool) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			path := filepath.Join(filepath.Dir(dir), "shared", "data", "online_retail", "online_retail_all.csv.gz")
			_, err := os.Stat(path)
			return path, err == nil
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
}

// TestYear holds the import against what is known of the real year: the sample has its traps, this its numbers.
func TestYear(t *testing.T) {
	checkYear(t, sample(t), nil)
	path, there := realFile(t)
	if !there {
		t.Log("Online Retail isn't beside the repository: only the sample was checked")
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("of Online Retail", func(t *testing.T) {
		checkYear(t, text, func(a *Account, keyed map[string]domain.Decimal) {
			for what, c := range map[string][2]int{
				"rows": {a.Rows, 541_909}, "sale invoices": {a.SaleInvoices, 22_061},
				"cancellation invoices": {a.CancellationInvoices, 3_836}, "cancelled rows": {a.Cancellations.Rows, 9_288},
				"write-offs": {a.WrittenOff.Rows, 1_336}, "reasons typed": {a.WriteOffReasons, 474},
				"rows without a customer": {a.WithoutCustomer, 135_080}, "duplicates": {a.Of(DuplicateRows).Rows, 5_268},
				"write-offs booked": {a.Of(WriteOffs).Rows, 1_336}, "not understood": {a.Of(NotUnderstood).Rows, 0},
				"goods sold": {a.Of(SoldGoods).Rows, 522_537}, "given free": {a.Of(FreeGoods).Rows, 394},
				"delivery fees": {a.Of(DeliveryFees).Rows, 1_974}, "other charges": {a.Of(OtherCharges).Rows, 341},
				"goods cancelled": {a.Of(CancelledGoods).Rows, 6_955}, "charges cancelled": {a.Of(CancelledCharges).Rows, 34},
				"keying mistakes": {a.Of(KeyingMistakes).Rows, 433}, "bad debt": {a.Of(BadDebt).Rows, 3},
				"stock found": {a.Of(StockFound).Rows, 769}, "orders": {a.Orders, 19_961}, "cases": {a.Cases, 6_989},
				"stock cases": {a.StockCases, 1_336},
			} {
				if c[0] != c[1] {
					t.Errorf("%s: %d instead of %d", what, c[0], c[1])
				}
			}
			if got := a.Cancellations.Amount.String(); got != "-896812.49" {
				t.Errorf("cancellations: %s", got)
			}
			// The file's 10.66 M are the sales and the bad debt's first row.
			if got := (a.Sales.Amount + 11_062_060_000).String(); got != "10666684.544" {
				t.Errorf("sales: %s", got)
			}
			for id, want := range map[string]string{"C581484-1-cancelled": "168469.6", "C541433-1-cancelled": "77183.6"} {
				if got := keyed[id].String(); got != want {
					t.Errorf("%s takes %s back instead of %s", id, got, want)
				}
			}
			t.Logf("\n%s", a)
		})
	})
}

// checkYear posts every event by the contract's table: the books must say what the account says, and nothing may be
// told out of order, twice, or of an order or case that isn't there.
func checkYear(t *testing.T, text []byte, numbers func(*Account, map[string]domain.Decimal)) {
	t.Helper()
	b := yearBooks{terms: domain.NewTerms(time.UTC), ids: map[string]bool{}, orders: map[string]bool{},
		cases: map[string]bool{}, keyed: map[string]domain.Decimal{}}
	half := iotest.HalfReader(bytes.NewReader(text))
	a, err := Import(context.Background(), half, Defaults(), func(e *domain.Event) error {
		b.take(t, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.compare(t, &a)
	if numbers != nil {
		numbers(&a, b.keyed)
	}
}

// yearBooks are the books of a year, as far as the account says what they should be.
type yearBooks struct {
	terms                       *domain.Terms
	entry                       domain.Entry
	sales, refunds, writtenDown domain.Amount
	last                        time.Time
	unpriced                    int
	ids, orders, cases          map[string]bool
	keyed                       map[string]domain.Decimal // net by the id of the cancellation
}

func (b *yearBooks) take(t *testing.T, e *domain.Event) {
	t.Helper()
	if b.ids[e.ID] {
		t.Errorf("%s is told twice", e.ID)
	}
	b.ids[e.ID] = true
	if e.Time.Before(b.last) {
		t.Errorf("%s is told after %s", e.ID, b.last)
	}
	b.last = e.Time
	switch d := e.Data.(type) {
	case *domain.RateSet:
		b.terms.Apply(e, domain.Mark{Offset: int64(len(b.ids))})
	case *domain.OrderPlaced:
		b.orders[e.OrderID] = true
		if len(d.Lines) == 0 || len(d.Lines) > 1200 {
			t.Errorf("%s has %d lines", e.ID, len(d.Lines))
		}
	case *domain.ErrorReported:
		b.cases[e.ErrorID] = true
	case *domain.OrderCancelled:
		b.keyed[e.ID] = d.Net.Value
	}
	if e.OrderID != "" && !b.orders[e.OrderID] || e.ErrorID != "" && !b.cases[e.ErrorID] {
		t.Errorf("%s speaks of order %q, case %q, which nobody told of", e.ID, e.OrderID, e.ErrorID)
	}
	at := domain.Position{Stream: e.Stream(), Offset: int64(len(b.ids)), Time: e.Time}
	if e.Stream() == domain.Books {
		at.Offset++
	}
	if err := domain.Post(e, b.terms.Rates, at, &b.entry); err != nil {
		t.Errorf("post %s: %v", e.ID, err)
	}
	b.unpriced += len(b.entry.Unpriced)
	for _, l := range b.entry.Lines {
		switch l.Account {
		case domain.Sales:
			if e.Type == domain.TypeOrderPlaced {
				b.sales -= l.Amount
			}
		case domain.Returns:
			b.refunds += l.Amount
		case domain.WriteDown:
			b.writtenDown += l.Amount
		}
	}
}

func (b *yearBooks) compare(t *testing.T, a *Account) {
	t.Helper()
	if a.Accounted() != a.Rows {
		t.Errorf("%d rows accounted for, of %d", a.Accounted(), a.Rows)
	}
	sold := a.Of(SoldGoods).Amount + a.Of(DeliveryFees).Amount + a.Of(OtherCharges).Amount
	if int64(b.sales)*100 != int64(sold) {
		t.Errorf("the books have sales of %s, the account of %s", b.sales, sold)
	}
	back := a.Of(CancelledGoods).Amount + a.Of(CancelledCharges).Amount
	if int64(b.refunds)*100 != -int64(back) {
		t.Errorf("the books have refunds of %s, the account of %s", b.refunds, back)
	}
	if int64(b.writtenDown)*100 != int64(a.WriteOffCost) {
		t.Errorf("the books wrote down %s, the account %s", b.writtenDown, a.WriteOffCost)
	}
	if a.Unpriced != b.unpriced {
		t.Errorf("%d lines without a cost in the books, %d in the account", b.unpriced, a.Unpriced)
	}
	if len(b.orders) != a.Orders || len(b.cases) != a.Cases+a.StockCases || len(b.ids) != a.Events {
		t.Errorf("%d orders, %d cases, %d events, and the account says %d, %d+%d, %d",
			len(b.orders), len(b.cases), len(b.ids), a.Orders, a.Cases, a.StockCases, a.Events)
	}
}
