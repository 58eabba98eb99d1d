package simulator

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
)

var start = time.Date(2026, 1, 2, 6, 0, 0, 0, time.FixedZone("", -5*3600))

// config is the default company for some weeks, with everything switched on.
func config(seed uint64, orders int) Config {
	c := Defaults()
	c.Seed, c.Start, c.Orders, c.ClosePeriods = seed, start, orders, true
	c.Currencies = []string{"USD", "EUR"}
	return c
}

func all(t *testing.T, c Config) []domain.Event {
	t.Helper()
	t.Logf("seed %d", c.Seed)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	var events []domain.Event
	for e, more := s.Next(); more; e, more = s.Next() {
		events = append(events, e)
	}
	return events
}

func TestSameSeedSameEvents(t *testing.T) {
	a, b := all(t, config(7, 3000)), all(t, config(7, 3000))
	if !reflect.DeepEqual(a, b) {
		t.Error("two simulations of one seed differ")
	}
	ids := map[[2]string]bool{}
	for _, e := range a {
		ids[[2]string{e.Source, e.ID}] = true
	}
	again := 0
	for _, e := range all(t, config(8, 3000)) {
		if ids[[2]string{e.Source, e.ID}] {
			again++
		}
	}
	// The rates and the truck case are the same in every simulation of a start; nothing else is.
	if want := 2*5 - 1 + 8; again != want {
		t.Errorf("%d identities of another seed are the same, instead of %d", again, want)
	}
}

// TestEverythingHappens: whoever draws on a simulation for a test can rely on meeting every word of the contract.
func TestEverythingHappens(t *testing.T) {
	words := map[string]int{}
	for _, e := range all(t, config(11, 30_000)) {
		words[e.Type.String()]++
		switch d := e.Data.(type) {
		case *domain.OrderPlaced:
			words["channel "+d.Channel]++
		case *domain.OrderCancelled:
			words["by "+d.By]++
		case *domain.ErrorReported:
			words["kind "+d.Kind]++
			words["found "+d.Found]++
			words["by "+d.DetectedBy]++
			words["cause "+d.RootCause]++
			words["party "+d.PartyAtFault]++
			words["severity "+d.Severity]++
			words[fmt.Sprint("avoidable ", d.Avoidable)]++
			if e.OrderID == "" {
				words["no order"]++
			}
		case *domain.RedeliveryDispatched:
			words["mode "+d.Mode]++
		case *domain.RedeliveryCompleted:
			words[fmt.Sprint("succeeded ", d.Succeeded)]++
		case *domain.ConcessionGranted:
			words["concession "+d.Kind]++
		case *domain.ReturnReceived:
			words[d.Lines[0].Was+" "+d.Lines[0].Grade]++
		case *domain.ClaimAccepted:
			words["claim "+d.Party]++
		case *domain.QualitySpent:
			words[d.Category]++
		case *domain.EventVoided:
			words["void "+d.Original.Type.String()]++
		}
	}
	want := []string{"no order", "succeeded true", "succeeded false", "prevention", "appraisal", "by customer",
		"by business", "by employee", "by system", "by carrier", "found before_delivery", "found after_delivery",
		"avoidable 0", "avoidable 1", "avoidable 2", "void makegood.order.placed.v1", "void makegood.refund.issued.v1"}
	for _, ty := range domain.Types() {
		switch ty {
		case domain.TypeBooksRebuilt, domain.TypeDeadLetterReplayed, domain.TypeDeadLetterDiscarded:
			// No business says these: makegood does.
		default:
			want = append(want, ty.String())
		}
	}
	for prefix, list := range map[string][]string{
		"kind": {"wrong_item", "damaged", "defective", "missing_item", "over_shipped", "late", "not_delivered",
			"wrong_address", "not_as_described", "billing_error", "credit_not_processed", "document_error",
			"service_conduct", "unspecified", "changed_mind"},
		"cause": {"order_capture", "catalog_data", "overpromise", "pick_pack", "preparation", "inventory_accuracy",
			"supplier_quality",
			"carrier", "dispatch", "billing_system", "training", "customer", "unknown"},
		"party":      {"own", "supplier", "carrier", "marketplace", "customer", "unknown"},
		"severity":   {"minor", "major", "critical"},
		"mode":       {"own_truck", "carrier", "pickup"},
		"concession": {"discount", "price_reduction", "cash", "fee_waiver", "voucher", "store_credit"},
		"wrong_item": {"saleable", "b_grade", "scrap", "abandoned"},
		"sold":       {"saleable", "b_grade", "scrap", "abandoned"},
		"claim":      {"supplier", "carrier", "insurer", "marketplace"},
		"channel":    {"counter", "phone", "web", "marketplace"},
	} {
		for _, w := range list {
			want = append(want, prefix+" "+w)
		}
	}
	for _, w := range want {
		if words[w] == 0 {
			t.Errorf("never: %s", w)
		}
	}
}

// TestWhatIsToldHoldsTogether checks every event against those before it, and posts it.
func TestWhatIsToldHoldsTogether(t *testing.T) {
	terms := domain.NewTerms(time.UTC)
	var entry domain.Entry
	ids, orders := map[[2]string]bool{}, map[string]*domain.Event{}
	cases, vouchers := map[string]string{}, map[string]domain.Decimal{}
	redeliveries, disputes, claims := map[string]bool{}, map[string]bool{}, map[string]bool{}
	told := map[[2]string]domain.Event{}
	last := start
	for n, e := range all(t, config(3, 20_000)) {
		name := fmt.Sprintf("event %d, %s %s %s", n, e.Source, e.ID, e.Type)
		if key := [2]string{e.Source, e.ID}; ids[key] {
			t.Fatalf("%s: this identity was told before", name)
		} else {
			ids[key] = true
			told[key] = e
		}
		if e.Time.Before(last) {
			t.Fatalf("%s at %s, after %s", name, e.Time, last)
		}
		last = e.Time
		if e.ErrorID != "" && e.Type != domain.TypeErrorReported {
			if order, is := cases[e.ErrorID]; !is || order != e.OrderID {
				t.Errorf("%s: case %s of order %q is not open", name, e.ErrorID, e.OrderID)
			}
		}
		if e.Type != domain.TypeOrderPlaced && e.OrderID != "" && orders[e.OrderID] == nil {
			t.Errorf("%s: order %s was never placed", name, e.OrderID)
		}
		checkNumbers(t, name, reflect.ValueOf(e.Data))
		switch d := e.Data.(type) {
		case *domain.OrderPlaced:
			orders[e.OrderID] = &e
			if d.Promise.Until.Before(e.Time) {
				t.Errorf("%s promises %s", name, d.Promise.Until)
			}
		case *domain.ErrorReported:
			cases[e.ErrorID] = e.OrderID
		case *domain.RedeliveryDispatched:
			redeliveries[d.RedeliveryID] = true
		case *domain.RedeliveryCompleted:
			if !redeliveries[d.RedeliveryID] {
				t.Errorf("%s: redelivery %s is not under way", name, d.RedeliveryID)
			}
		case *domain.ConcessionGranted:
			vouchers[d.ConcessionID] = d.Amount
		case *domain.VoucherRedeemed:
			if vouchers[d.ConcessionID] != d.Amount {
				t.Errorf("%s: %s of a voucher of %s", name, d.Amount, vouchers[d.ConcessionID])
			}
		case *domain.VoucherExpired:
			if d.Amount > vouchers[d.ConcessionID] {
				t.Errorf("%s: %s of a voucher of %s", name, d.Amount, vouchers[d.ConcessionID])
			}
		case *domain.DisputeOpened:
			disputes[d.DisputeID] = true
		case *domain.DisputeWon:
			if !disputes[d.DisputeID] {
				t.Errorf("%s: dispute %s is not open", name, d.DisputeID)
			}
		case *domain.ClaimAccepted:
			claims[d.ClaimID] = true
		case *domain.ClaimSettled:
			if !claims[d.ClaimID] {
				t.Errorf("%s: claim %s was not accepted", name, d.ClaimID)
			}
		case *domain.EventVoided:
			if original := told[[2]string{d.Source, d.ID}]; !reflect.DeepEqual(original, *d.Original) {
				t.Errorf("%s voids what was told otherwise", name)
			}
		}
		at := domain.Position{Stream: e.Stream(), Offset: int64(n), Time: e.Time}
		if e.Stream() == domain.Books {
			terms.Apply(&e, domain.Mark{Offset: int64(n), Time: e.Time})
		}
		if err := domain.Post(&e, terms.Rates, at, &entry); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(entry.Unpriced) > 0 {
			t.Errorf("%s is unpriced: %q", name, entry.Unpriced)
		}
		if len(entry.Lines) > 0 && e.Currency == "" {
			t.Errorf("%s posts without a currency", name)
		}
	}
}

// checkNumbers holds every number to the contract: nothing below zero, 6 decimals for prices, costs and rates, 4 for
// the others.
func checkNumbers(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() && v.Type() != reflect.TypeFor[*domain.Event]() {
			checkNumbers(t, name, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkNumbers(t, name, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field, f := v.Type().Field(i), v.Field(i)
			if f.Type() == reflect.TypeFor[domain.Optional]() {
				f = f.Field(0)
			}
			if f.Type() != reflect.TypeFor[domain.Decimal]() {
				if f.Type() != reflect.TypeFor[time.Time]() {
					checkNumbers(t, name, f)
				}
				continue
			}
			fine := slices.Contains([]string{"UnitPrice", "UnitCost", "ReceivedUnitCost", "Value"}, field.Name)
			if n := f.Int(); n < 0 || !fine && n%100 != 0 {
				t.Errorf("%s: %s is %s", name, field.Name, domain.Decimal(n))
			}
		}
	}
}

func TestTheStoryIsInTheNumbers(t *testing.T) {
	var placed, wrong float64
	type tally struct{ orders, cases float64 }
	pickers, vendors, stores := map[string]*tally{}, map[string]*tally{}, map[string]*tally{}
	at := func(m map[string]*tally, key string) *tally {
		if m[key] == nil {
			m[key] = &tally{}
		}
		return m[key]
	}
	orders := map[string]*domain.OrderPlaced{}
	burned, customers := map[string]bool{}, map[string]int{}
	var back, stayed tally // of those burned, of the others: how many order again
	for _, e := range all(t, config(5, 60_000)) {
		switch d := e.Data.(type) {
		case *domain.OrderPlaced:
			if orders[e.OrderID] != nil {
				continue
			}
			orders[e.OrderID] = d
			placed++
			customers[d.CustomerID]++
			at(pickers, d.EmployeeID).orders++
			at(vendors, d.Lines[0].VendorID).orders++
			at(stores, e.StoreID).orders++
		case *domain.ErrorReported:
			o := orders[e.OrderID]
			if o == nil {
				continue
			}
			wrong++
			if customers[o.CustomerID] == 1 {
				burned[o.CustomerID] = true
			}
			switch {
			case d.EmployeeID != "":
				at(pickers, d.EmployeeID).cases++
			case d.RootCause == "supplier_quality":
				at(vendors, d.VendorID).cases++
			case d.RootCause == "overpromise":
				at(stores, e.StoreID).cases++
			}
		}
	}
	if share := wrong / placed; share < 0.04 || share > 0.06 {
		t.Errorf("%.2f %% of orders go wrong", 100*share)
	}
	for what, m := range map[string]struct {
		all map[string]*tally
		bad string
	}{"picker": {pickers, "emp-203"}, "vendor": {vendors, "vendor-kestrel"}, "store": {stores, "store-3"}} {
		rate := func(key string) float64 { return at(m.all, key).cases / max(at(m.all, key).orders, 1) }
		for key := range m.all {
			if key != m.bad && rate(key)*2 > rate(m.bad) {
				t.Errorf("%s %s errs at %.4f, %s at %.4f: that isn't visible", what, m.bad, rate(m.bad), key, rate(key))
			}
		}
	}
	for id, n := range customers {
		group := &stayed
		if burned[id] {
			group = &back
		}
		group.orders++
		if n > 1 {
			group.cases++
		}
	}
	if b, s := back.cases/back.orders, stayed.cases/stayed.orders; b > 0.9*s {
		t.Errorf("%.3f of those whose first order went wrong come back, %.3f of the others", b, s)
	}
}

func TestSimulationEnds(t *testing.T) {
	count := func(c Config) (orders int, last time.Time) {
		for _, e := range all(t, c) {
			if o, is := e.Data.(*domain.OrderPlaced); is && e.OrderID != "truck-1" && o != nil {
				orders++
				last = e.Time
			}
		}
		return orders, last
	}
	c := config(2, 0)
	c.Days, c.ErrorRate = 10, 0
	orders, last := count(c)
	// Friday the 2nd to Sunday the 11th: 8 open days of 300.
	if orders < 2200 || orders > 2600 || last.After(start.AddDate(0, 0, 10)) {
		t.Errorf("ten days: %d orders, the last %s", orders, last)
	}
	c.Orders = 500
	if orders, last = count(c); orders < 500 || orders > 502 || last.Before(start.AddDate(0, 0, 6)) ||
		last.After(start.AddDate(0, 0, 10)) {
		t.Errorf("500 orders in ten days: %d, the last %s", orders, last)
	}
	c.Days, c.Orders, c.WithoutTruck = 1, 0, true
	c.Start = time.Date(2026, 1, 4, 0, 0, 0, 0, time.UTC) // a Sunday
	if orders, _ = count(c); orders != 0 {
		t.Errorf("%d orders on a Sunday", orders)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c := config(9, 150_000)
	c.OrdersPerDay = 2000
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	most, n := 0, 0
	for _, more := s.Next(); more; _, more = s.Next() {
		if n++; n%1000 == 0 {
			most = max(most, len(s.queue.heap))
		}
	}
	if most > 20_000 {
		t.Errorf("seed %d: %d events wait at once, of %d", c.Seed, most, n)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"start": func(c *Config) { c.Start = time.Time{} }, "orders": func(c *Config) { c.Orders = -1 },
		"rate": func(c *Config) { c.ErrorRate = 0.6 }, "stores": func(c *Config) { c.Stores = 0 },
		"currencies": func(c *Config) { c.Currencies = nil }, "currency": func(c *Config) { c.Currencies = []string{"EURO"} },
		"orders per day": func(c *Config) { c.OrdersPerDay = 0 },
	} {
		c := config(1, 10)
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkPlainOrders(b *testing.B) { benchmark(b, 0) }
func BenchmarkDefault(b *testing.B)     { benchmark(b, 0.05) }

func benchmark(b *testing.B, errorRate float64) {
	c := Defaults()
	c.Seed, c.Start, c.ErrorRate, c.OrdersPerDay = 1, start, errorRate, 5000
	s, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, more := s.Next(); !more {
			b.Fatal("an endless simulation ended")
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
