package onlineretail

import (
	"context"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"time"
	_ "time/tzdata" // London's clock, on machines that don't have it

	"github.com/makegood/makegood/domain"
)

// Import reads the CSV of Online Retail, plain or gzip, and hands its events to emit: the rates first, then all others
// in order of time. An event is the receiver's own and is not changed afterwards. The Account is that of the rows read,
// also where an error ends the import.
func Import(ctx context.Context, in io.Reader, options Options, emit func(*domain.Event) error) (Account, error) {
	var account Account
	if err := options.Validate(); err != nil {
		return account, fmt.Errorf("options of the import: %w", err)
	}
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		return account, fmt.Errorf("find London's clock: %w", err)
	}
	t, err := read(ctx, in, &account)
	if err != nil {
		return account, fmt.Errorf("read Online Retail: %w", err)
	}
	w := writer{
		year: sortOut(t, options.KeyingWindow, &account), options: options, london: london, account: &account,
		send: func(e *domain.Event) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return emit(e)
		},
	}
	if err := w.all(); err != nil {
		return account, fmt.Errorf("import Online Retail: %w", err)
	}
	return account, nil
}

// writer tells the year in events.
type writer struct {
	*year
	options Options
	london  *time.Location
	account *Account
	send    func(*domain.Event) error
}

func (w *writer) all() error {
	if len(w.rows) == 0 {
		return nil
	}
	if err := w.rates(); err != nil {
		return err
	}
	for i := range w.rows {
		i := int32(i)
		var err error
		switch w.made[i] {
		case SoldGoods, FreeGoods, DeliveryFees, OtherCharges:
			// An order is told at its first row.
			if o := &w.orders[w.orderOf[i]]; o.rows[0] == i {
				w.account.Orders++
				err = w.order(o)
			}
		case CancelledGoods, CancelledCharges:
			w.account.Cases++
			err = w.cancellation(i)
		case KeyingMistakes:
			err = w.keyingMistake(i)
		case WriteOffs:
			w.account.StockCases++
			err = w.writtenOff(i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rates puts the assumed rates in force from the first day of the file. An id says its value: who imports again with
// another assumption sets another rate, and of two alike the later recorded is in force.
func (w *writer) rates() error {
	first := w.time(w.rows[0].wall)
	from := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, w.london)
	for _, r := range []struct {
		role string
		hour domain.Decimal
	}{{agent, w.options.Rates.AgentHour}, {inspector, w.options.Rates.InspectorHour}} {
		err := w.emit(&domain.Event{
			ID: "rate-" + domain.LabourHour + "-" + r.role + "-" + r.hour.String(), Type: domain.TypeRateSet,
			Time: from, Currency: Currency,
			Data: &domain.RateSet{Rate: domain.LabourHour, Key: r.role, Value: r.hour, EffectiveFrom: from},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) order(o *order) error {
	d := &domain.OrderPlaced{CustomerID: w.names[w.rows[o.rows[0]].customer]}
	for _, i := range o.rows {
		r := &w.rows[i]
		if w.isFee(o, i) {
			d.DeliveryFee += r.amount()
			continue
		}
		unit := w.cost(i)
		if !unit.Set {
			w.account.Unpriced++
		}
		d.Lines = append(d.Lines, domain.OrderLine{
			LineID: w.lineID(i), SKU: w.names[r.code], Quantity: r.quantity, UnitPrice: r.price, UnitCost: unit,
		})
	}
	return w.emit(&domain.Event{
		ID: o.id, Type: domain.TypeOrderPlaced, Time: w.time(w.rows[o.rows[0]].wall),
		OrderID: o.id, StoreID: w.options.StoreID, Currency: Currency, Data: d,
	})
}

// cancellation is a case of the order that the row undoes: the error, the money, the goods, the minutes.
func (w *writer) cancellation(i int32) error {
	r := &w.rows[i]
	quantity, back := -r.quantity, w.made[i] == CancelledGoods
	sold := domain.GoodsLine{SKU: w.names[r.code], Quantity: quantity, UnitCost: w.cost(w.undoes[i])}
	id := w.id(i)
	about := domain.Event{
		Time: w.time(r.wall), OrderID: w.orders[w.orderOf[w.undoes[i]]].id, StoreID: w.options.StoreID,
		ErrorID: id, Currency: Currency,
	}
	err := w.emitAs(about, id+"-error", domain.TypeErrorReported, &domain.ErrorReported{
		Classification: domain.Classification{Kind: "unspecified"},
		Found:          "after_delivery", DetectedBy: "customer",
		Lines: []domain.ErrorLine{{SKU: sold.SKU, Quantity: quantity, UnitCost: sold.UnitCost}},
	})
	if err != nil {
		return err
	}
	err = w.emitAs(about, id+"-refund", domain.TypeRefundIssued,
		&domain.RefundIssued{RefundID: id + "-refund", Net: -r.amount()})
	if err != nil {
		return err
	}
	if back {
		d := &domain.ReturnReceived{
			ReturnID: id + "-return",
			Lines:    []domain.ReturnLine{{GoodsLine: sold, Was: "sold", Grade: "saleable"}},
		}
		if m := w.options.Rates.InspectMinutes; m > 0 {
			d.InspectMinutes, d.InspectRole = m, inspector
		}
		if err := w.emitAs(about, id+"-return", domain.TypeReturnReceived, d); err != nil {
			return err
		}
	}
	if m := w.options.Rates.CaseMinutes; m > 0 {
		return w.emitAs(about, id+"-labour", domain.TypeLabourSpent, &domain.LabourSpent{
			LabourID: id + "-labour", Role: agent, Minutes: m, Activity: "cancellation handled",
		})
	}
	return nil
}

// keyingMistake takes a line back that was never meant, at the cost at which the order booked it. Where it was the only
// one, that cancels the order.
func (w *writer) keyingMistake(i int32) error {
	r, sale := &w.rows[i], w.undoes[i]
	id, o := w.id(i), &w.orders[w.orderOf[sale]]
	about := domain.Event{Time: w.time(r.wall), OrderID: o.id, StoreID: w.options.StoreID, Currency: Currency}
	d := &domain.OrderCancelled{
		By: "customer", Reason: "keying mistake undone: the whole line, soon after its sale", Net: domain.Some(-r.amount()),
	}
	if w.lines(o) == 1 {
		d.Cost = domain.Some(product(-r.quantity, w.cost(sale).Value))
	} else {
		d.ChangeID = id + "-cancelled"
		d.Lines = []domain.RemovedLine{{LineID: w.lineID(sale), Quantity: -r.quantity}}
	}
	return w.emitAs(about, id+"-cancelled", domain.TypeOrderCancelled, d)
}

// lines is how many lines the order of an invoice has.
func (w *writer) lines(o *order) int {
	n := 0
	for _, i := range o.rows {
		if !w.isFee(o, i) {
			n++
		}
	}
	return n
}

// lineID is the position of a row within its invoice.
func (w *writer) lineID(i int32) string { return strconv.Itoa(int(w.line[i])) }

// writtenOff is a case in the stockroom: no order, no customer.
func (w *writer) writtenOff(i int32) error {
	r := &w.rows[i]
	id, words := w.id(i), w.names[r.words]
	kind, cause := writeOff(words)
	line := domain.GoodsLine{SKU: w.names[r.code], Quantity: -r.quantity, UnitCost: w.cost(i)}
	if line.UnitCost.Set {
		w.account.WriteOffCost += product(line.Quantity, line.UnitCost.Value)
	} else {
		w.account.Unpriced++
	}
	about := domain.Event{Time: w.time(r.wall), StoreID: w.options.StoreID, ErrorID: id, Currency: Currency}
	err := w.emitAs(about, id+"-error", domain.TypeErrorReported, &domain.ErrorReported{
		Classification: domain.Classification{Kind: kind, RootCause: cause},
		Found:          "before_delivery", DetectedBy: "employee",
		Lines: []domain.ErrorLine{{SKU: line.SKU, Quantity: line.Quantity, UnitCost: line.UnitCost}},
	})
	if err != nil {
		return err
	}
	return w.emitAs(about, id+"-scrapped", domain.TypeGoodsScrapped,
		&domain.GoodsScrapped{Reason: words, Lines: []domain.GoodsLine{line}})
}

// id names a row for good: its invoice and its place in it.
func (w *writer) id(i int32) string {
	return w.names[w.rows[i].invoice] + "-" + w.lineID(i)
}

func (w *writer) emitAs(about domain.Event, id string, t domain.Type, d domain.Data) error {
	about.ID, about.Type, about.Data = id, t, d
	return w.emit(&about)
}

func (w *writer) emit(e *domain.Event) error {
	e.Source = Source
	if err := w.send(e); err != nil {
		return fmt.Errorf("event %s: %w", e.ID, err)
	}
	w.account.Events++
	return nil
}

// time reads the wall clock as London's.
func (w *writer) time(wall int64) time.Time {
	t := time.Unix(wall, 0).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, w.london)
}

// cost is the assumed unit cost of a row: a share of its price, of the item's usual price where it has none, nothing
// for what isn't goods. It is absent for goods that were never sold: the books then say that a cost is missing.
func (w *writer) cost(i int32) domain.Optional {
	r := &w.rows[i]
	if sort, _ := meaning(w.names[r.code], false); sort != goods {
		return domain.Some(0)
	}
	price := r.price
	if price == 0 {
		var known bool
		if price, known = w.usual[r.code]; !known {
			return domain.Optional{}
		}
	}
	return domain.Some(divideHalfEven(price, w.options.Rates.CostShare, one))
}

// product is a × b to the 4 decimals of an amount, half to even.
func product(a, b domain.Decimal) domain.Decimal { return 100 * divideHalfEven(a, b, 100*one) }

// divideHalfEven is a × b / divisor for numbers that aren't negative.
func divideHalfEven(a, b domain.Decimal, divisor uint64) domain.Decimal {
	high, low := bits.Mul64(uint64(a), uint64(b))
	quotient, rest := bits.Div64(high, low, divisor)
	if double := 2 * rest; double > divisor || double == divisor && quotient%2 == 1 {
		quotient++
	}
	return domain.Decimal(quotient)
}
