package tills_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/tills"
	"github.com/makegood/makegood/infra/wire"
)

// bodyOf is the body of a case, with its options.
func bodyOf(t *testing.T, mapping, what string) ([]byte, []string) {
	t.Helper()
	for _, c := range casesOf(t, "testdata/"+mapping+".cases") {
		if c.what == what {
			return []byte(c.body), c.options
		}
	}
	t.Fatalf("%s has no case %q", mapping, what)
	return nil, nil
}

// TestWhatIsToldLater settles what a system says of one thing at several times: each once, the later twice, and in both
// orders. No id comes with other content, and the books come to the same.
func TestWhatIsToldLater(t *testing.T) {
	for _, c := range []struct {
		name, mapping string
		cases         []string // of the file of cases; a file of the examples where it ends in .xml or .json
		sales, cost   string   // what is sold (a credit), and what the fixes cost
	}{
		{"a fee that comes back later", "square", []string{"a refund whose fee isn't known yet",
			"the same refund, with the fee that came back: the same refund_id in another event"}, "0.0000", "9.7100"},
		{"a refund that fails after all", "square", []string{
			"the same refund, with the fee that came back: the same refund_id in another event",
			"it failed after its fee had come back"}, "0.0000", "0.0000"},
		{"a lost dispute that changes", "square", []string{"lost, and changed later",
			"lost, and changed later: it is told again"}, "0.0000", "88.0100"},
		{"a card that is tried again", "shopify", []string{"part gift card, and the card failed",
			"part gift card, and the card was tried again"}, "0.0000", "100.0000"},
		{"a card that goes well afterwards", "shopify", []string{"part gift card, and the card failed",
			"part gift card, and the card went well afterwards"}, "0.0000", "100.0000"},
		{"two cards, of which one is tried again", "shopify", []string{"two cards, of which one failed",
			"two cards, of which one failed and was tried again"}, "0.0000", "100.0000"},
		{"two scans of a parcel", "shopify", []string{"one parcel, two scans: the first",
			"one parcel, two scans: the second"}, "0.0000", "0.0000"},
		{"an order on hold that failed", "woocommerce", []string{"on hold, and booked, if the till says so",
			"it was on hold, and failed"}, "0.0000", "0.0000"},
		{"an order on hold that failed, and was paid", "woocommerce", []string{"on hold, and booked, if the till says so",
			"it was on hold, and failed", "it was on hold, failed, and was paid after all"}, "-100.0000", "0.0000"},
		{"a cancelled order that changes", "woocommerce", []string{"it was paid, and failed",
			"cancelled, and changed later"}, "0.0000", "0.0000"},
		{"a return that was voided", "poslog", []string{"return.in.xml", "its return was voided after it was paid"},
			"0.0000", "0.0000"},
		{"a sale that was voided under its own number", "poslog", []string{"a sale that is voided later under its own number",
			"a sale sent again as voided, without a link: itself"}, "0.0000", "0.0000"},
	} {
		m, err := tills.Load(c.mapping)
		if err != nil {
			t.Fatal(err)
		}
		var told [][]tills.Event
		for _, what := range c.cases {
			body, options := []byte(nil), []string(nil)
			if ext := filepath.Ext(what); ext == ".xml" || ext == ".json" {
				if body, err = os.ReadFile("mappings/testdata/" + c.mapping + "/" + what); err != nil {
					t.Fatal(err)
				}
			} else {
				body, options = bodyOf(t, c.mapping, what)
			}
			got := run(m, body, options...)
			if len(got.Refusals) > 0 {
				t.Fatalf("%s: %v", c.name, got.Refusals)
			}
			told = append(told, got.Events)
		}
		told = append(told, told[len(told)-1])
		for range 2 {
			sales, cost := soldAndSpent(t, record(t, nil, oncePerID(t, c.name, told)))
			if sales.String() != c.sales || cost.String() != c.cost {
				t.Errorf("%s: sales %s, fixes %s; not %s, %s", c.name, sales, cost, c.sales, c.cost)
			}
			for i, j := 0, len(told)-1; i < j; i, j = i+1, j-1 {
				told[i], told[j] = told[j], told[i]
			}
		}
	}
}

// TestRefundsOfShopifyByEachRoute: a part of a refund's lines, whose prices include tax or don't, comes to what was
// moved, with the tax of its rate to a cent; and the webhook says of it what the order says.
func TestRefundsOfShopifyByEachRoute(t *testing.T) {
	m, err := tills.Load("shopify")
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		included, rate, whole, tax := random.IntN(2) == 0, 5+random.IntN(20), 0, 0
		var lines []object
		for range 1 + random.IntN(3) {
			net := 1000 + random.IntN(20_000)
			t := (net*rate + 50) / 100
			if included {
				net, t = net+t, (2*(net+t)*rate+100+rate)/(2*(100+rate))
			}
			whole, tax = whole+net, tax+t
			lines = append(lines, object{"quantity": 1, "restock_type": "no_restock", "subtotal": cents(net),
				"total_tax": cents(t), "line_item": object{"id": 1, "sku": "M", "tax_lines": []object{
					{"rate": json.Number(fmt.Sprintf("0.%02d", rate))}}}})
		}
		if !included {
			whole += tax
		}
		paid := whole
		if random.IntN(2) == 0 {
			paid = 1 + random.IntN(whole)
		}
		refund := object{"id": 5, "order_id": 1, "created_at": "2026-01-12T09:00:00Z", "refund_line_items": lines,
			"transactions": []object{{"id": 7, "kind": "refund", "status": "success", "amount": cents(paid), "currency": "EUR"}}}
		order := object{"id": 1, "currency": "EUR", "taxes_included": included, "refunds": []object{refund}}
		var told []string
		for kind, body := range map[string]object{"refunds/create": refund, "orders/updated": order} {
			text, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			got := run(m, text, "kind="+kind)
			if len(got.Events) != 1 || len(got.Refusals) > 0 {
				t.Fatalf("seed %d: %s: %v of %s", seed, kind, got.Refusals, text)
			}
			told = append(told, string(got.Events[0].JSON))
		}
		decoded, err := new(wire.Decoder).Structured([]byte(told[0]))
		if err != nil {
			t.Fatal(err)
		}
		said := decoded.Event.Data.(*domain.RefundIssued)
		off := int64(said.Tax)/100 - int64(paid*tax*100/whole) // both in hundredths of a cent
		if told[0] != told[1] || int64(said.Net+said.Tax)/10_000 != int64(paid) || off < -100 || off > 100 {
			t.Fatalf("seed %d: prices include tax: %t, %s of %s with tax of %s:\n%s\n%s", seed, included, cents(paid),
				cents(whole), cents(tax), told[0], told[1])
		}
	}
}

// oncePerID are the events as the books take them: the first of each id. One that says something else is a conflict.
func oncePerID(t *testing.T, name string, told [][]tills.Event) []tills.Event {
	t.Helper()
	var events []tills.Event
	seen := map[string]string{}
	for _, body := range told {
		for _, e := range body {
			decoded, err := new(wire.Decoder).Structured(e.JSON)
			if err != nil {
				t.Fatal(name, err)
			}
			id := decoded.Event.ID
			first, is := seen[id]
			if is && first != string(e.JSON) {
				t.Errorf("%s: %s is told with other content:\n%s\n%s", name, id, first, e.JSON)
			}
			if !is {
				seen[id] = string(e.JSON)
				events = append(events, e)
			}
		}
	}
	return events
}

func soldAndSpent(t *testing.T, said []domain.Recorded) (sales, cost domain.Amount) {
	t.Helper()
	lines, _ := settled(t, said)
	for _, l := range lines {
		if l.Account == domain.Sales {
			sales += l.Amount
		}
		if l.Element.IsCost() {
			cost += l.Amount
		}
	}
	return sales, cost
}
