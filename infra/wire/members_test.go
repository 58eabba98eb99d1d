package wire_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// A case that was found before any order has no order: its subject is the case itself.
func TestCasesWithoutAnOrder(t *testing.T) {
	for _, s := range samples(t) {
		if stream := s.typ.Stream(); stream != domain.Errors && stream != domain.Redeliveries {
			continue
		}
		e := s.event.clone()
		set(e, "/subject", "x-1")
		wantError(t, e.json(), "/subject", wire.CodeSubjectMismatch)
		set(e, "/data/order_id", gone)
		if s.typ == domain.TypeErrorReported {
			wantError(t, e.json(), "/data/order_id", wire.CodeRequired)
			set(e, "/data/found", "before_delivery")
		}
		if env := mustRead(t, e.json()); env.Event.Subject() != "x-1" || env.Event.OrderID != "" ||
			env.Event.StoreID != "s-1" {
			t.Errorf("%s: %+v", s.name, env.Event)
		}
		v := voidOf(&sample{event: e})
		if env := mustRead(t, v.event.json()); env.Event.Subject() != "x-1" {
			t.Errorf("void of %s: %+v", s.name, env.Event)
		}
		set(e, "/data/store_id", gone)
		mustRead(t, e.json())
		set(e, "/subject", "x-2")
		wantError(t, e.json(), "/data/order_id", wire.CodeRequired)
		set(e, "/subject", gone)
		wantError(t, e.json(), "/data/order_id", wire.CodeRequired)
	}
}

// TestFixesOfOrders: of money that goes back a sender need not know the case, but the order then, and its store.
func TestFixesOfOrders(t *testing.T) {
	schemas := eventSchemas(t)
	for _, name := range []string{"refund.issued", "dispute.opened", "dispute.won", "dispute.lost"} {
		s := byName(t, name)
		e := s.event
		set(e, "/data/error_id", gone)
		if env := mustRead(t, e.json()); env.Event.ErrorID != "" || env.Event.Subject() != "o-1" {
			t.Errorf("%s: %+v", name, env.Event)
		}
		mustRead(t, voidOf(&sample{event: e}).event.json())
		for _, c := range []struct{ pointer, code string }{
			{"/data/order_id", wire.CodeRequired}, {"/data/store_id", wire.CodeRequired}, {"/subject", wire.CodeRequired},
		} {
			e := e.clone()
			set(e, c.pointer, gone)
			wantError(t, e.json(), c.pointer, c.code)
			if validate(t, schemas[s.typ.String()], e.json()) == nil {
				t.Errorf("%s without %s is valid by the schema", name, c.pointer)
			}
		}
	}
}

// TestDecisions: a decision says whether the event counts, or that both do, and not neither.
func TestDecisions(t *testing.T) {
	schema := eventSchemas(t)[domain.TypeFactDecided.String()]
	for _, c := range []struct {
		counts, separate any
		refused          bool
	}{
		{true, gone, false}, {false, gone, false}, {true, false, false}, {gone, true, false}, {nil, true, false},
		{gone, gone, true}, {gone, false, true}, {nil, nil, true}, {true, true, true}, {false, true, true},
	} {
		e := byName(t, "fact.decided").event
		set(e, "/data/counts", c.counts)
		set(e, "/data/separate", c.separate)
		if c.refused {
			code := wire.CodeRequired
			if c.separate == true {
				code = wire.CodeNotAllowed
			}
			wantError(t, e.json(), "/data/counts", code)
		} else {
			mustRead(t, e.json())
		}
		if err := validate(t, schema, e.json()); (err != nil) != c.refused {
			t.Errorf("counts %v, separate %v: the schema says %v", c.counts, c.separate, err)
		}
	}
}

// TestCancellations: without lines it may be said how much is undone; where it isn't, that is the whole.
func TestCancellations(t *testing.T) {
	schema := eventSchemas(t)[domain.TypeOrderCancelled.String()]
	for _, lines := range []any{gone, nil, []any{}} {
		e := byName(t, "order.cancelled").event
		set(e, "/data/lines", lines)
		mustRead(t, e.json())
		set(e, "/data/net", gone)
		mustRead(t, e.json())
		if err := validate(t, schema, e.json()); err != nil {
			t.Errorf("a cancellation of lines %v and no net isn't valid by the schema: %v", lines, err)
		}
	}
}

// TestTenders: tenders are the order's total, or that rounded to the smallest unit of its currency.
func TestTenders(t *testing.T) {
	for _, c := range []struct {
		currency, price, quantity, tax, paid string
		refused                              bool
	}{
		{"EUR", "100", "1", "8", "108", false},
		{"EUR", "100", "1", "8", "100", true},
		{"EUR", "100", "1", "8", "107.99", true},
		{"EUR", "100", "1", "8", "108.0001", true},
		{"EUR", "8.403361", "3", "4.79", "30", false}, // 30.000083
		{"EUR", "8.403361", "3", "4.79", "30.0001", false},
		{"EUR", "8.403361", "3", "4.79", "30.01", true},
		{"EUR", "0.005", "1", "0", "0.01", false}, // halves go either way: tills differ
		{"EUR", "0.005", "1", "0", "0", false},
		{"JPY", "100.4", "1", "0", "100", false},
		{"JPY", "100.4", "1", "0", "101", true},
		{"JPY", "100.4", "1", "0", "100.41", true},
		{"KWD", "1.2345", "1", "0", "1.234", false},
		{"KWD", "1.2345", "1", "0", "1.23", true},
	} {
		e := byName(t, "order.placed").event
		set(e, "/data/currency", c.currency)
		set(e, "/data/lines/0", tree{"line_id": "1", "sku": "a", "quantity": c.quantity, "unit_price": c.price, "tax": c.tax})
		set(e, "/data/delivery_fee", gone)
		set(e, "/data/delivery_tax", gone)
		set(e, "/data/tenders/0/amount", c.paid)
		if c.refused {
			wantError(t, e.json(), "/data/tenders", wire.CodeTendersMismatch)
		} else {
			mustRead(t, e.json())
		}
	}
}

// TestComponentsOfManyLines: each line keeps its own components, however many there are and whatever was read before.
func TestComponentsOfManyLines(t *testing.T) {
	var d wire.Decoder
	for _, count := range []int{1, 7, 3, 40, 2} {
		e := byName(t, "order.placed").edit("/data/lines", func() any {
			var lines []any
			for i := range count {
				var parts []any
				for j := range i % 4 {
					parts = append(parts, tree{"sku": strconv.Itoa(100*i + j), "quantity": j + 1})
				}
				lines = append(lines, tree{"line_id": strconv.Itoa(i), "sku": "kit", "quantity": 1, "unit_price": 1,
					"components": parts})
			}
			return lines
		}())
		env, err := d.Structured(e.json())
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range env.Event.Data.(*domain.OrderPlaced).Lines {
			if len(l.Components) != i%4 {
				t.Fatalf("line %d of %d: %v", i, count, l.Components)
			}
			for j, c := range l.Components {
				if c.SKU != strconv.Itoa(100*i+j) || c.Quantity != domain.Decimal(j+1)*1_000_000 {
					t.Fatalf("line %d of %d: %v", i, count, l.Components)
				}
			}
		}
	}
}

func TestCurrencyOfErrors(t *testing.T) {
	e := byName(t, "error.reported").event
	set(e, "/data/currency", gone)
	set(e, "/data/lines/0/unit_cost", gone)
	wantError(t, e.json(), "/data/currency", wire.CodeRequired)
	set(e, "/data/lines/0/received_unit_cost", gone)
	mustRead(t, e.json())
	set(e, "/data/lines/0/unit_cost", "0")
	wantError(t, e.json(), "/data/currency", wire.CodeRequired)
}

func TestVoucherRedemption(t *testing.T) {
	e := byName(t, "rate.set").event
	set(e, "/data/rate", "voucher_redemption")
	wantError(t, e.json(), "/data/value", wire.CodeOutOfRange)
	for _, value := range []string{"0", "0.8", "1", "1.000000"} {
		set(e, "/data/value", value)
		mustRead(t, e.json())
	}
	set(e, "/data/currency", gone)
	mustRead(t, e.json())
	set(e, "/data/value", "1.000001")
	wantError(t, e.json(), "/data/value", wire.CodeOutOfRange)
}

// TestExchangeRates: what can't translate is refused with its pointer, and what the codec refuses of it the schema does
// as well, where a schema can say why.
func TestExchangeRates(t *testing.T) {
	schema := eventSchemas(t)[domain.TypeRateSet.String()]
	rate := func() tree {
		e := byName(t, "rate.set").event
		set(e, "/data/rate", "exchange_rate")
		set(e, "/data/key", "GBP")
		return e
	}
	for _, c := range []struct {
		pointer string
		value   any
		code    string // empty: taken
		beyond  bool   // the schema
	}{
		{"/data/key", "GBP", "", false},
		{"/data/key", "*", wire.CodeBadCurrency, false},
		{"/data/key", "gbp", wire.CodeBadCurrency, false},
		{"/data/key", "GB", wire.CodeBadCurrency, false},
		{"/data/key", "POUND", wire.CodeBadCurrency, false},
		{"/data/key", "ZZZ", wire.CodeBadCurrency, true},
		{"/data/key", "XXX", wire.CodeBadCurrency, true},
		{"/data/key", "EUR", wire.CodeBadCurrency, true}, // into itself
		{"/data/currency", "GBP", wire.CodeBadCurrency, true},
		{"/data/currency", gone, wire.CodeRequired, false},
		{"/data/currency", "*", wire.CodeBadCurrency, false},
		{"/data/value", "0", wire.CodeOutOfRange, false},
		{"/data/value", "0.000000", wire.CodeOutOfRange, false},
		{"/data/value", "0e5", wire.CodeOutOfRange, false},
		{"/data/value", raw("0"), wire.CodeOutOfRange, false},
		{"/data/value", raw("-0"), wire.CodeOutOfRange, false},
		{"/data/value", raw("-1.1"), wire.CodeNegative, false},
		{"/data/value", "-1.1", wire.CodeNegative, false},
		{"/data/value", "0.000001", "", false},
		{"/data/value", "0.0000001", wire.CodeTooManyDecimals, false},
		{"/data/value", raw("0.000001"), "", false},
		{"/data/value", "1e3", "", false},
		{"/data/value", "1000000000000", "", false},
		{"/data/value", "1000000000001", wire.CodeTooLarge, true},
		{"/data/value", "NaN", wire.CodeNotANumber, false},
		{"/data/value", "1,085", wire.CodeNotANumber, false},
		{"/data/effective_from", "2026-01-01", "", false},
		{"/data/effective_from", "2026-01-01T00:00:00Z", "", false},
		{"/data/effective_from", "2026-01-01T01:00:00+01:00", "", false},
		{"/data/effective_from", "2026-01-01T00:00:00+01:00", wire.CodeBadTime, true},
		{"/data/effective_from", "2026-01-01T00:00:00.000000001Z", wire.CodeBadTime, true},
		{"/data/effective_from", "2026-01-01T16:00:00Z", wire.CodeBadTime, true},
		{"/data/effective_from", "1969-12-31", wire.CodeBadTime, false},
		{"/data/effective_from", gone, wire.CodeRequired, false},
	} {
		e := rate()
		set(e, c.pointer, c.value)
		err := validate(t, schema, e.json())
		if c.code == "" {
			mustRead(t, e.json())
			if err != nil {
				t.Errorf("%v at %s is taken, and the schema says %v", c.value, c.pointer, err)
			}
			continue
		}
		at := c.pointer
		if at == "/data/currency" && c.value == "GBP" {
			at = "/data/key" // of the two, the key is the one that is said to be wrong
		}
		wantError(t, e.json(), at, c.code)
		if (err == nil) != c.beyond {
			t.Errorf("%v at %s is refused, and the schema says %v", c.value, c.pointer, err)
		}
	}
	env := mustRead(t, rate().json())
	if r := env.Event.Data.(*domain.RateSet); r.Rate != domain.ExchangeRate || r.Key != "GBP" ||
		env.Event.Currency != "EUR" || r.Value.String() != "60.200001" {
		t.Errorf("%+v", r)
	}
	mustRead(t, voidOf(&sample{event: rate()}).event.json())
}

func TestVoids(t *testing.T) {
	for _, s := range samples(t) {
		v := voidOf(s)
		if s.typ.Own() || s.name == "period.closed" || s.name == "period.reopened" {
			wantError(t, v.event.json(), "/data/original", wire.CodeNotVoidable)
			continue
		}
		original := mustRead(t, s.event.json())
		env := mustRead(t, v.event.json())
		e, o := &env.Event, &original.Event
		if e.OrderID != o.OrderID || e.StoreID != o.StoreID || e.ErrorID != o.ErrorID || e.Currency != o.Currency {
			t.Errorf("void of %s is of %+v, its original of %+v", s.name, e, o)
		}
		if e.Stream() != o.Stream() || e.Effective() != o.Effective() {
			t.Errorf("void of %s: stream %s, type %s", s.name, e.Stream(), e.Effective())
		}
	}
	s := byName(t, "refund.issued")
	for range wire.MaxVoids {
		s = voidOf(s)
		mustRead(t, s.event.json())
	}
	s = voidOf(s)
	wantError(t, s.event.json(), strings.Repeat("/data/original", wire.MaxVoids+1), wire.CodeTooDeep)
}
