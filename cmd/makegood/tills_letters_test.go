package main

import (
	"strings"
	"testing"

	"github.com/makegood/makegood/projections/deadletter"
)

// TestTillLettersNameNobody: a body may have people for the names of its members, and names of any length. Its dead
// letter tells where the fault is without them, and the partition goes on behind it.
func TestTillLettersNameNobody(t *testing.T) {
	t.Parallel()
	s := openShop(t, shopTills, strings.Replace(shopMapping, "orders/create\n", "customers\n    header: X-Shop-Topic\n"+
		"    events: .customers[] | .total | amount\n  - kind: orders/create\n", 1))
	const person = "jane@x.com"
	s.deliver("customers", `{"customers": {"`+person+`": {"total": "x"}}}`)
	s.deliver("customers", `{"customers": {"`+strings.Repeat("é", 1<<20)+`": {"total": "y"}}}`)
	if till := s.till("shop"); till.Refused != 2 {
		t.Errorf("the till: %+v", till)
	}
	letters, err := deadletter.List(t.Context(), s.app.Store.DB, 10)
	if err != nil || len(letters) != 2 {
		t.Fatalf("%d dead letters: %v", len(letters), err)
	}
	for _, d := range letters {
		if d.Pointer != "/customers/*/total" || strings.Contains(d.Detail, person) {
			t.Errorf("the dead letter at %q: %s", d.Pointer, d.Detail)
		}
	}
}
