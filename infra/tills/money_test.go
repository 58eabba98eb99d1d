package tills_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/tills"
	"github.com/makegood/makegood/infra/wire"
)

// TestMoney settles what the mappings make of the examples beside them: what a body costs in the books, to the cent.
// There are no rates, so that only money which the body tells of is there.
func TestMoney(t *testing.T) {
	for _, c := range []struct {
		mapping    string
		examples   []string
		gross, net string // what the fixes cost, before and after anybody paid it back
		flags      int
	}{
		{"shopify", []string{"refund-of-a-part.in.json"}, "204.8300", "204.8300", 0},
		{"shopify", []string{"refund-of-a-part.in.json", "refund-suggested.in.json", "refund-of-a-part.in.json"},
			"204.8300", "204.8300", 0},
		// The business cancelled 20.00 and gave them back: they count once.
		{"shopify", []string{"order-cancelled-and-refunded.in.json"}, "20.0000", "20.0000", 0},
		// A dispute in another currency than the order's is flagged.
		{"shopify", []string{"order-with-discounts.in.json", "dispute-lost.in.json"}, "11.5000", "11.5000", 1},
		{"woocommerce", []string{"refund-by-hand.in.json"}, "10.0000", "10.0000", 1}, // paid_by_hand
		{"woocommerce", []string{"refund-by-hand.in.json", "refund-deleted.in.json"}, "0.0000", "0.0000", 0},
		{"woocommerce", []string{"cancelled.in.json"}, "0.0000", "0.0000", 0},
		// The fee of 1.49 that came back with the refund of 45.00 and 3.60 of tax is no cost.
		{"square", []string{"return.in.json", "sale.in.json"}, "43.5100", "43.5100", 0},
		{"square", []string{"refund-failed.in.json"}, "0.0000", "0.0000", 0},
		{"poslog", []string{"void-line.in.xml"}, "0.0000", "0.0000", 0},
		{"poslog", []string{"post-void.in.xml", "void-line.in.xml"}, "0.0000", "0.0000", 0},
		{"amazon", []string{"reimbursements.in.txt"}, "12.5000", "-28.0000", 0},
		{"stripe", numbered("three-events-of-one-refund", 3, 1, 2), "10.8000", "10.8000", 0},
		{"stripe", numbered("refund-that-failed", 2, 1), "0.0000", "0.0000", 0},
		{"stripe", []string{"inquiry.in.json"}, "0.0000", "0.0000", 0},
		// The fee of 15.00 came back with the dispute.
		{"stripe", numbered("dispute-won", 1, 2, 3, 4), "0.0000", "0.0000", 0},
		{"stripe", numbered("dispute-won", 4, 2), "0.0000", "0.0000", 0},
		{"stripe", numbered("dispute-lost", 2, 1), "265.0000", "265.0000", 0},
		// 150.00 of 250.00 came back, with the fee.
		{"stripe", numbered("dispute-won-in-part", 2, 1), "100.0000", "100.0000", 0},
		// Won, and lost in a second round with a fee of its own.
		{"stripe", numbered("dispute-won-and-lost-again", 2, 1), "265.0000", "265.0000", 0},
		{"adyen", numbered("refund-that-failed", 2, 1), "0.0000", "0.0000", 0},
		{"adyen", numbered("chargeback-reversed-and-again", 1, 2, 3), "0.0000", "0.0000", 0},
		{"adyen", numbered("chargeback-reversed-and-again", 4, 3, 2, 1), "10.0000", "10.0000", 0},
		{"adyen", numbered("second-round-won", 4, 3, 2, 1), "0.0000", "0.0000", 0},
		{"adyen", numbered("refund-at-a-terminal-that-failed", 2, 1), "0.0000", "0.0000", 0},
		{"debezium", []string{"row-of-the-outbox.in.json"}, "10.5000", "10.5000", 0},
	} {
		m, err := tills.Load(c.mapping)
		if err != nil {
			t.Fatal(err)
		}
		var said []domain.Recorded
		for _, name := range c.examples {
			body, err := os.ReadFile("mappings/testdata/" + c.mapping + "/" + name)
			if err != nil {
				t.Fatal(err)
			}
			options := []string{"currency=USD"}
			if name == "refund-deleted.in.json" {
				options = append(options, "kind=refund.deleted")
			}
			said = record(t, said, run(m, body, options...).Events)
		}
		gross, net, flags := booked(t, said)
		if gross.String() != c.gross || net.String() != c.net || flags != c.flags {
			t.Errorf("%s %v: gross %s, net %s, %d flags; not %s, %s, %d", c.mapping, c.examples, gross, net, flags,
				c.gross, c.net, c.flags)
		}
	}
}

// record adds events to those that the books have, each an hour after it happened.
func record(t *testing.T, said []domain.Recorded, events []tills.Event) []domain.Recorded {
	t.Helper()
	for _, e := range events {
		decoded, err := new(wire.Decoder).Structured(e.JSON)
		if err != nil {
			t.Fatal(err)
		}
		event := decoded.Event
		at := domain.Position{Stream: event.Stream(), Offset: int64(len(said)), Time: event.Time.Add(time.Hour)}
		said = append(said, domain.Recorded{Event: &event, At: at})
	}
	return said
}

// numbered are the bodies of an example, in an order of their own.
func numbered(example string, numbers ...int) []string {
	var names []string
	for _, n := range numbers {
		names = append(names, fmt.Sprintf("%s.in.%d.json", example, n))
	}
	return names
}

// settled are the journal lines of events that are settled by order, as the books do, and how many flags they have.
func settled(t *testing.T, said []domain.Recorded) (lines []domain.Line, flags int) {
	t.Helper()
	units := map[string][]domain.Recorded{}
	for _, r := range said {
		of := r.Event.OrderID
		if of == "" {
			of = r.Event.ErrorID
		}
		units[of] = append(units[of], r)
	}
	for _, unit := range units {
		settlement, err := domain.NewTerms(time.UTC).Settle(unit)
		if err != nil {
			t.Fatal(err)
		}
		flags += len(settlement.Flags)
		for _, e := range settlement.Events {
			lines = append(lines, e.Lines...)
		}
	}
	return lines, flags
}

// booked sums what is failure cost and what pays it back.
func booked(t *testing.T, said []domain.Recorded) (gross, net domain.Amount, flags int) {
	t.Helper()
	lines, flags := settled(t, said)
	for _, l := range lines {
		switch {
		case l.Element.IsCost():
			gross, net = gross+l.Amount, net+l.Amount
		case l.Element.IsRecovery():
			net += l.Amount
		}
	}
	return gross, net, flags
}
