package ledger_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/ledger"
)

// TestColumns: the ledger's table is what its columns say, and a row is read back as it was written, by the driver and
// in blocks.
func TestColumns(t *testing.T) {
	store := bookstest.Open(t)
	if err := ledger.CheckSchema(t.Context(), store.DB); err != nil {
		t.Error(err)
	}
	var n uint64
	if err := store.DB.QueryRow(t.Context(), "SELECT count() FROM system.columns WHERE database = currentDatabase() "+
		"AND table = 'ledger'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if known := len(ledger.Columns) + len(ledger.Groups); n != uint64(known) {
		t.Errorf("the table has %d columns, and %d are known", n, known)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	writer := store.Writer()
	defer writer.Close()
	batch := writer.Batch()
	rows := map[string]*ledger.Row{}
	for range 2 { // the second time with the memory of the first
		for range 500 {
			r := randomRow(random, len(rows))
			rows[r.Event.ID] = r
			batch.Append(r)
		}
		if batch.Rows() != 500 {
			t.Fatalf("seed %d: a batch of 500 rows has %d", seed, batch.Rows())
		}
		if err := batch.Insert(t.Context()); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		batch.Reset()
	}
	read, err := ledger.Read(t.Context(), store.DB, "ledger")
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for i := range read {
		sameRow(t, seed, "read", &read[i].Row, rows[read[i].Event.ID])
	}
	blocks := 0
	if err := store.Reader().ReadLedger(t.Context(), "ledger", func(r *ledger.Row) error {
		blocks++
		sameRow(t, seed, "read in blocks", r, rows[r.Event.ID])
		return nil
	}); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if len(read) != len(rows) || blocks != len(rows) {
		t.Errorf("seed %d: of %d rows %d are read, and %d in blocks", seed, len(rows), len(read), blocks)
	}
}

// randomRow is a row with something in every column: every third is a void, every seventh has no lines.
func randomRow(random *rand.Rand, n int) *ledger.Row {
	name := func() string { return fmt.Sprintf("%x", random.Uint64())[:random.IntN(8)] }
	at := time.UnixMicro(random.Int64N(4e15)).UTC()
	recorded := time.UnixMilli(random.Int64N(4e12)).UTC()
	e := &domain.Event{Source: "urn:" + name(), ID: fmt.Sprint(n), Type: domain.TypeOrderDelivered, Time: at,
		OrderID: name(), ErrorID: name(),
		StoreID: name(), Currency: "USD"}
	if n%3 == 0 {
		e.Type = domain.TypeEventVoided
		e.Data = &domain.EventVoided{Source: name(), ID: name(), Original: &domain.Event{Type: domain.TypeOrderPlaced}}
	}
	r := &ledger.Row{Event: e, Content: random.Uint64(), Data: []byte(`{"a":"` + name() + `"}`),
		Extensions: []byte(name()),
		Position: domain.Position{Stream: domain.Stream(1 + random.IntN(4)), Partition: random.Int32(),
			Offset: random.Int64N(1 << 13), Time: recorded},
		RecordedAt: recorded, Day: at.Truncate(24 * time.Hour), Posting: domain.PeriodOf(at, time.UTC) + 1,
		Origin:   domain.PeriodOf(at, time.UTC),
		Customer: name(), Revision: uint8(random.IntN(256)),
		Terms: random.Int64(), Rules: random.Uint32(), Rated: random.IntN(2) == 0}
	if n%7 > 0 {
		amount := domain.Amount(random.Int64N(1e12))
		r.Lines = []domain.Line{
			{Account: domain.Sales, Element: domain.Element(random.IntN(len(domain.Elements()))),
				Basis: domain.Basis(1 + random.IntN(len(domain.Bases())-1)), Amount: amount},
			{Account: domain.VoucherLiability, Basis: domain.Basis(1), Amount: -amount},
		}
		for i := range r.Lines {
			l := &r.Lines[i]
			l.Step, l.Case, l.Currency, l.Store = domain.Step(random.IntN(4)), e.ErrorID, e.Currency, e.StoreID
			if n%5 == 0 { // lines that aren't the event's own
				l.Case, l.Currency, l.Store = name(), "EUR", name()
			}
		}
		r.Unpriced = []string{"labour/" + name()}
		r.Epoch, r.Settled, r.SoldBy, r.With = random.IntN(20), n%2 == 0, name(), name()
		r.Standing, r.Of = domain.Standing(random.IntN(len(domain.Standings()))), domain.Identity{Source: name(), ID: name()}
		for i := range n % 3 {
			r.Facts = append(r.Facts, domain.CaseFacts{Case: name(), Kind: name(), RootCause: name(), PartyAtFault: name(),
				VendorID: name(), EmployeeID: name(),
				Severity: name(), Avoidable: domain.Truth(random.IntN(3)), Internal: i == 0, Founded: n%2 == 0, Reported: n%4 > 0,
				SameAs: name()})
			r.Flags = append(r.Flags, domain.Flag{Code: name(), Case: name(), Currency: "USD", Amount: amount})
		}
	} else {
		r.Refused = "conflict"
	}
	return r
}

func sameRow(t *testing.T, seed uint64, how string, got, want *ledger.Row) {
	t.Helper()
	g, w := *got, *want
	for _, r := range []*ledger.Row{&g, &w} {
		if len(r.Lines) == 0 {
			r.Lines = nil
		}
		if len(r.Unpriced) == 0 {
			r.Unpriced = nil
		}
		if len(r.Facts) == 0 {
			r.Facts = nil
		}
		if len(r.Flags) == 0 {
			r.Flags = nil
		}
	}
	if !bytes.Equal(g.Data, w.Data) || !bytes.Equal(g.Extensions, w.Extensions) {
		t.Fatalf("seed %d: %s: %s %s became %s %s", seed, how, w.Data, w.Extensions, g.Data, g.Extensions)
	}
	if g.Version() != w.Version() || g.Stood != w.Version() {
		t.Fatalf("seed %d: %s: version %d became %d", seed, how, w.Version(), g.Version())
	}
	g.Data, w.Data, g.Extensions, w.Extensions, g.Stood = nil, nil, nil, nil, 0
	if !reflect.DeepEqual(g.Event, w.Event) {
		t.Fatalf("seed %d: %s: %+v became %+v", seed, how, w.Event, g.Event)
	}
	if !reflect.DeepEqual(g, w) {
		t.Fatalf("seed %d: %s: %+v became %+v", seed, how, w, g)
	}
}
