package tills_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/tills"
	"github.com/makegood/makegood/infra/wire"
)

type object = map[string]any

// sold is a line that was sold, in cents.
type sold struct{ quantity, gross, discount, tax int }

// draw makes the lines of an order. Taxes are no more than what is paid.
func draw(random *rand.Rand) []sold {
	lines := make([]sold, 1+random.IntN(12))
	for i := range lines {
		price := 1 + random.IntN(50_000)
		l := sold{quantity: 1 + random.IntN(400)}
		l.gross = price * l.quantity
		if random.IntN(2) == 0 {
			l.discount = random.IntN(l.gross)
		}
		l.tax = (l.gross - l.discount) * random.IntN(26) / 126
		lines[i] = l
	}
	return lines
}

func cents(n int) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }

func ofShopify(lines []sold, total int, included bool) object {
	var items []object
	for i, l := range lines {
		items = append(items, object{"id": i + 1, "quantity": l.quantity, "price": cents(l.gross / l.quantity),
			"discount_allocations": []object{{"amount": cents(l.discount)}}, "tax_lines": []object{{"price": cents(l.tax)}}})
	}
	return object{"id": 1, "currency": "EUR", "processed_at": "2026-01-10T09:00:00Z", "name": "#1",
		"taxes_included": included, "total_price": cents(total), "line_items": items, "shipping_lines": []object{}}
}

func ofSquare(lines []sold, total int, included bool) object {
	money := func(n int) object { return object{"amount": n, "currency": "EUR"} }
	kind := map[bool]string{true: "INCLUSIVE", false: "ADDITIVE"}[included]
	var items []object
	for i, l := range lines {
		paid := l.gross - l.discount
		if !included {
			paid += l.tax
		}
		items = append(items, object{"uid": fmt.Sprint(i), "name": "M", "quantity": fmt.Sprint(l.quantity),
			"gross_sales_money": money(l.gross), "total_discount_money": money(l.discount), "total_tax_money": money(l.tax),
			"total_money": money(paid), "applied_taxes": []object{{"tax_uid": "t", "applied_money": money(l.tax)}}})
	}
	return object{"order": object{"id": "1", "state": "COMPLETED", "created_at": "2026-01-10T09:00:00Z",
		"taxes": []object{{"uid": "t", "type": kind}}, "line_items": items, "total_money": money(total)}}
}

// TestOrdersComeToTheirTotal: whatever is sold, with taxes included or not, an order comes to what was paid.
func TestOrdersComeToTheirTotal(t *testing.T) {
	shopify, err := tills.Load("shopify")
	if err != nil {
		t.Fatal(err)
	}
	square, err := tills.Load("square")
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 100 {
		lines, included := draw(random), random.IntN(2) == 0
		total, tax := 0, 0
		for _, l := range lines {
			total, tax = total+l.gross-l.discount, tax+l.tax
			if !included {
				total += l.tax
			}
		}
		for m, body := range map[*tills.Mapping]object{
			shopify: ofShopify(lines, total, included), square: ofSquare(lines, total, included),
		} {
			text, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			got := run(m, text)
			if len(got.Events) != 1 || len(got.Refusals) > 0 {
				t.Fatalf("seed %d: %s: %v of %s", seed, m.Name, got.Refusals, text)
			}
			comesTo(t, fmt.Sprintf("seed %d: %s: %s", seed, m.Name, text), got.Events[0].JSON, total, tax, len(lines))
		}
	}
}

// comesTo wants the order's total, to a hundredth of a cent a line: a unit price of 6 decimals can't always be exact.
func comesTo(t *testing.T, what string, event []byte, total, tax, lines int) {
	t.Helper()
	decoded, err := new(wire.Decoder).Structured(event)
	if err != nil {
		t.Fatal(what, err)
	}
	order := decoded.Event.Data.(*domain.OrderPlaced)
	sum, err := order.Total()
	if err != nil {
		t.Fatal(what, err)
	}
	var taxes domain.Decimal
	for _, l := range order.Lines {
		taxes += l.Tax
	}
	const cent = 100 // of an Amount
	off := int64(sum) - int64(total)*cent
	if off > int64(lines) || off < -int64(lines) || int64(taxes) != int64(tax)*10_000 {
		t.Fatalf("%s: the order comes to %s, its taxes to %s; not to %s and %s", what, sum, taxes, cents(total), cents(tax))
	}
}
