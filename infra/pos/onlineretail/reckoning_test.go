package onlineretail

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"testing"

	"github.com/makegood/makegood/domain"
)

// reckoning is the year's books by hand: from the rows and what they were sorted into, sharing no code with the rules
// of the books. Amounts are in ten-thousandths, debit above zero, by account, element and step.
type reckoning struct {
	*year
	rates     Rates
	sums      map[string]int64
	bills     map[int32]*bill
	mixed     int // returned lines whose item stands on their order at several costs
	goingBack int64
	flagged   int   // orders of which more went back than was paid
	emptied   int   // orders of which every line was a keying mistake
	mean      int64 // perfect contribution of the other orders, in ten-thousandths
}

// bill is what an order brought, cost and gave back, in ten-thousandths, and how many of its lines were taken off.
type bill struct {
	paid, cost, takenOff, refunded, goingBack int64
	lines, off                                int
	// untold is how many keying mistakes there are of an amount, for which no charge was refunded.
	untold map[int64]int
}

func reckon(t *testing.T, text []byte, options Options) *reckoning {
	t.Helper()
	var account Account
	table, err := read(context.Background(), bytes.NewReader(text), &account)
	if err != nil {
		t.Fatal(err)
	}
	y := sortOut(table, options.KeyingWindow, &account)
	r := &reckoning{year: y, rates: options.Rates, sums: map[string]int64{}, bills: map[int32]*bill{}}
	for n := range y.orders {
		if len(y.orders[n].rows) > 0 {
			r.sale(int32(n))
		}
	}
	for i := range y.rows {
		if y.made[i] == KeyingMistakes { // what was taken off is known before any refund is looked at
			r.keyed(int32(i))
		}
	}
	for i := range y.rows {
		switch y.made[i] {
		case CancelledGoods, CancelledCharges:
			r.cancelled(int32(i))
		case WriteOffs:
			r.writtenOff(int32(i))
		}
	}
	for _, b := range r.bills {
		if b.refunded+b.takenOff > b.paid {
			r.flagged++
		}
		if b.off == b.lines {
			r.emptied++
		} else {
			r.mean += b.paid - b.cost
		}
	}
	r.mean /= int64(max(len(r.bills)-r.emptied, 1))
	return r
}

// add books an amount on an account, and the same with the other sign on another.
func (r *reckoning) add(debit, credit, step string, amount int64) {
	if amount != 0 {
		r.sums[debit+" "+step] += amount
		r.sums[credit+" "+step] -= amount
	}
}

// unit is the cost of a piece in millionths, as a fraction of a price. Nothing where it isn't known, or isn't of goods.
func (r *reckoning) unit(i int32) *big.Int {
	sort, _ := meaning(r.names[r.rows[i].code], false)
	price := r.rows[i].price
	if price == 0 {
		price = r.usual[r.rows[i].code]
	}
	if sort != goods {
		price = 0
	}
	return halfEven(product2(int64(price), int64(r.rates.CostShare)), big.NewInt(1_000_000))
}

func product2(a, b int64) *big.Int { return new(big.Int).Mul(big.NewInt(a), big.NewInt(b)) }

// halfEven is the whole number nearest to a fraction, of two as near the even one.
func halfEven(numerator, denominator *big.Int) *big.Int {
	quotient, rest := new(big.Int).DivMod(numerator, denominator, new(big.Int))
	switch rest.Lsh(rest, 1).Cmp(denominator) {
	case 1:
		return quotient.Add(quotient, big.NewInt(1))
	case 0:
		if quotient.Bit(0) == 1 {
			return quotient.Add(quotient, big.NewInt(1))
		}
	}
	return quotient
}

// booked is an amount of millionths in ten-thousandths.
func booked(millionths *big.Int) int64 { return halfEven(millionths, big.NewInt(100)).Int64() }

func pieces(of domain.Decimal) int64 { return int64(max(of, -of)) / one }

// cost is what so many pieces of a row cost, in millionths.
func (r *reckoning) cost(i int32, n int64) *big.Int {
	return new(big.Int).Mul(r.unit(i), big.NewInt(n))
}

func (r *reckoning) sale(n int32) {
	b, cost := &bill{untold: map[int64]int{}}, new(big.Int)
	for _, i := range r.orders[n].rows {
		b.paid += int64(r.rows[i].amount()) / 100
		cost.Add(cost, r.cost(i, pieces(r.rows[i].quantity)))
		if !r.isFee(&r.orders[n], i) {
			b.lines++
		}
	}
	b.cost = booked(cost)
	r.bills[n] = b
	r.add("1010", "4000", "perfect", b.paid)
	r.add("5000", "1200", "perfect", b.cost)
}

func (r *reckoning) keyed(i int32) {
	sale := r.undoes[i]
	b, net := r.bills[r.orderOf[sale]], -int64(r.rows[i].amount())/100
	b.takenOff += net
	b.untold[net]++
	b.off++
	r.add("4000", "1010", "change", net)
	r.add("1200", "5000", "change", booked(r.cost(sale, pieces(r.rows[i].quantity))))
}

// cancelled is a case: money back, goods back, minutes. What would be more than was paid, where something was taken off
// the order, is that money going back.
func (r *reckoning) cancelled(i int32) {
	sale := r.undoes[i]
	o := r.orderOf[sale]
	b, net := r.bills[o], -int64(r.rows[i].amount())/100
	room := max(b.paid-b.takenOff-b.refunded, 0)
	back := min(max(net-room, 0), b.takenOff-b.goingBack)
	if r.made[i] == CancelledCharges && b.takenOff > b.goingBack { // no goods came back that it could pay for
		switch {
		case b.untold[net] > 0:
			b.untold[net]--
			back = min(net, b.takenOff-b.goingBack)
		case net == b.takenOff-b.goingBack:
			back = net
		}
	}
	b.goingBack += back
	b.refunded += net - back
	r.goingBack += back
	r.add("4100 REFUND", "1010", "fix", net-back)
	r.add("5300 LABOUR", "6900", "fix", wages(r.rates.CaseMinutes, r.rates.AgentHour))
	if r.made[i] != CancelledGoods {
		return
	}
	// Goods that come back were booked by their item: where it stands on several lines, at their mean.
	all, number, mixed := new(big.Int), int64(0), false
	for _, k := range r.orders[o].rows {
		if r.rows[k].code == r.rows[sale].code && !r.isFee(&r.orders[o], k) {
			n := pieces(r.rows[k].quantity)
			all.Add(all, r.cost(k, n))
			number += n
			mixed = mixed || r.unit(k).Cmp(r.unit(sale)) != 0
		}
	}
	if mixed {
		r.mixed++
	}
	n := big.NewInt(pieces(r.rows[i].quantity))
	worth := halfEven(all.Mul(all, n), big.NewInt(100*number))
	r.add("1200", "5100 GOODS", "fix", worth.Int64())
	r.add("5300 LABOUR", "6900", "fix", wages(r.rates.InspectMinutes, r.rates.InspectorHour))
}

func wages(minutes, hour domain.Decimal) int64 {
	return halfEven(product2(int64(minutes), int64(hour)), big.NewInt(60*1_000_000*100)).Int64()
}

func (r *reckoning) writtenOff(i int32) {
	r.add("5110 WRITE_DOWN", "1200", "fix", booked(r.cost(i, pieces(r.rows[i].quantity))))
}

func (r *reckoning) String() string {
	return fmt.Sprintf("%d returned lines at a mean of costs; %s of the refunds going back; %d orders flagged; "+
		"%d cancelled whole, %s the mean perfect contribution of the others",
		r.mixed, domain.Amount(r.goingBack), r.flagged, r.emptied, domain.Amount(r.mean))
}
