package pos

import (
	"bytes"
	"context"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/simulator"
	"github.com/makegood/makegood/infra/pos/onlineretail"
	"github.com/makegood/makegood/infra/wire"
)

// The simulator and the importers make domain.Events that no decoder has seen. Each of them must be one that the
// gateway would take, and come out of the codec as it went in.

func TestSimulatedEventsAreOfTheContract(t *testing.T) {
	c := simulator.Defaults()
	c.Seed, c.Orders, c.ClosePeriods, c.Currencies = 21, 10_000, true, []string{"USD", "EUR", "JPY"}
	c.Start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", -7*3600))
	t.Logf("seed %d", c.Seed)
	s, err := simulator.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var there trip
	for e, more := s.Next(); more; e, more = s.Next() {
		there.andBack(t, &e)
	}
	if there.count < c.Orders {
		t.Errorf("only %d events", there.count)
	}
}

func TestImportedEventsAreOfTheContract(t *testing.T) {
	for _, path := range []string{
		"onlineretail/testdata/sample.csv", "../../../shared/data/online_retail/online_retail_all.csv.gz",
	} {
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			t.Logf("%s isn't here: not checked", path) // the real file is too large to be part of the repository
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var there trip
		take := func(e *domain.Event) error {
			there.andBack(t, e)
			return nil
		}
		_, err = onlineretail.Import(context.Background(), bytes.NewReader(text), onlineretail.Defaults(), take)
		if err != nil {
			t.Fatal(err)
		}
		if there.count == 0 {
			t.Errorf("%s: no events", path)
		}
	}
}

type trip struct {
	decoder wire.Decoder
	buffer  []byte
	count   int
}

func (r *trip) andBack(t *testing.T, e *domain.Event) {
	t.Helper()
	r.count++
	r.buffer = wire.AppendEvent(r.buffer[:0], e)
	got, err := r.decoder.Structured(r.buffer)
	if err != nil {
		t.Fatalf("%v in\n%s", err, r.buffer)
	}
	// Every event is read; that it says the same is compared now and then, since that is slow.
	if r.count%8 == 1 && !same(reflect.ValueOf(&got.Event), reflect.ValueOf(e)) {
		t.Fatalf("%s came back as\n%+v %+v\nand went as\n%+v %+v", r.buffer, got.Event, got.Event.Data, *e, e.Data)
	}
}

// same is reflect.DeepEqual, but that a moment is the same in every zone, and an empty list is none.
func same(a, b reflect.Value) bool {
	if a.Type() != b.Type() {
		return false
	}
	if at, is := a.Interface().(time.Time); is {
		return at.Equal(b.Interface().(time.Time))
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return same(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

// BenchmarkSimulatedJSON is what a load generator can make: events, written as JSON.
func BenchmarkSimulatedJSON(b *testing.B) {
	c := simulator.Defaults()
	c.Seed, c.OrdersPerDay, c.Start = 1, 5000, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, err := simulator.New(c)
	if err != nil {
		b.Fatal(err)
	}
	var buffer []byte
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		e, _ := s.Next()
		buffer = wire.AppendEvent(buffer[:0], &e)
		size += len(buffer)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(size)/float64(b.N), "B/event")
}
