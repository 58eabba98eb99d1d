package onlineretail

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
)

// year is the table sorted out: which rows are which order, and which sale each cancellation undoes.
type year struct {
	*table
	orders  []order
	orderOf []int32         // by row: index into orders, or none
	undoes  map[int32]int32 // by row of a cancellation: the row of its sale
	keyed   map[int32]bool  // rows of sales that are undone as keying mistakes
	usual   map[uint32]domain.Decimal
}

// order is one invoice, or the part of it that is one customer's on one day.
type order struct {
	id      string
	rows    []int32
	charged bool // a row has a price
	listed  bool // a row is more than postage
}

const none = int32(-1)

// sortOut gives every row its category and counts it.
func sortOut(t *table, keying time.Duration, account *Account) *year {
	y := &year{table: t, orderOf: make([]int32, len(t.rows)), undoes: map[int32]int32{},
		keyed: map[int32]bool{}}
	y.describe(account)
	y.collectOrders(account)
	y.findWhatWasNotSold()
	y.usualPrices()
	y.matchCancellations(keying)
	y.weighRefunds(account)
	for i := range y.rows {
		account.made[y.made[i]].add(&y.rows[i])
	}
	return y
}

// describe counts what the file is before anything is made of it.
func (y *year) describe(account *Account) {
	invoices := map[uint32]bool{}
	for i := range y.rows {
		r := &y.rows[i]
		first := !invoices[r.invoice]
		invoices[r.invoice] = true
		if r.customer == 0 {
			account.WithoutCustomer++
		}
		switch number := y.names[r.invoice]; {
		case number[0] == 'C':
			account.Cancellations.add(r)
			if first {
				account.CancellationInvoices++
			}
		case !isDigit(number[0]):
		default:
			if first {
				account.SaleInvoices++
			}
			if r.quantity > 0 && r.price > 0 {
				account.Sales.add(r)
			}
			if r.quantity < 0 {
				account.WrittenOff.add(r)
				if r.words != 0 {
					account.WriteOffReasons++
				}
			}
		}
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// collectOrders gathers what may be a line of an order, and gives all other rows their category. Cancellations that may
// have a sale stay undecided.
func (y *year) collectOrders(account *Account) {
	type part struct {
		invoice, customer uint32
		day               int64
	}
	known := map[part]int32{}
	parts := map[uint32]int{}
	for i := range y.rows {
		y.orderOf[i] = none
		if y.made[i] != notYet {
			continue
		}
		r := &y.rows[i]
		number := y.names[r.invoice]
		cancelled := number[0] == 'C'
		sort, category := meaning(y.names[r.code], cancelled)
		switch {
		case sort == apart && (cancelled || r.quantity > 0):
			y.made[i] = category
		case cancelled && r.quantity < 0 && r.price > 0:
			if r.customer == 0 {
				y.made[i] = unmatched(sort, NoCustomer)
			}
		case !isDigit(number[0]) || r.price < 0 || r.quantity < 0 && r.price > 0:
			y.made[i] = NotUnderstood
			account.problem(fmt.Sprintf("invoice %s, its row %d: quantity %s at price %s", number, y.line[i], r.quantity,
				r.price))
		case r.quantity < 0:
			y.made[i] = WriteOffs
		default:
			y.made[i] = category
			key := part{r.invoice, r.customer, r.wall / 86_400}
			n, is := known[key]
			if !is {
				n = int32(len(y.orders))
				known[key] = n
				parts[r.invoice]++
				id := number
				if p := parts[r.invoice]; p > 1 {
					id += "~" + strconv.Itoa(p)
				}
				y.orders = append(y.orders, order{id: id})
			}
			o := &y.orders[n]
			o.rows = append(o.rows, int32(i))
			o.charged = o.charged || r.price > 0
			o.listed = o.listed || sort != delivery
			y.orderOf[i] = n
		}
	}
}

// findWhatWasNotSold takes the invoices apart that charge for nothing and name nobody, and marks gifts.
func (y *year) findWhatWasNotSold() {
	for n := range y.orders {
		o := &y.orders[n]
		for _, i := range o.rows {
			switch r := &y.rows[i]; {
			case !o.charged && r.customer == 0:
				y.made[i] = StockFound
				y.orderOf[i] = none
			case r.price == 0 && y.made[i] == SoldGoods:
				y.made[i] = FreeGoods
			}
		}
		if y.orderOf[o.rows[0]] == none {
			o.rows = nil
		}
	}
}

// usualPrices finds the median price of every item that was sold: what a gift or a write-off is valued by. A median,
// since the file has prices that were typed wrongly by a factor of a hundred.
func (y *year) usualPrices() {
	prices := map[uint32][]domain.Decimal{}
	for i := range y.rows {
		if y.made[i] == SoldGoods {
			prices[y.rows[i].code] = append(prices[y.rows[i].code], y.rows[i].price)
		}
	}
	y.usual = make(map[uint32]domain.Decimal, len(prices))
	for code, p := range prices {
		slices.Sort(p)
		y.usual[code] = p[(len(p)-1)/2]
	}
}

// isFee reports whether a row is the delivery fee of its order: postage beside something else. Only a line can be taken
// off an order, so postage that is, as a keying mistake, is a line.
func (y *year) isFee(o *order, i int32) bool {
	return y.made[i] == DeliveryFees && o.listed && !y.keyed[i]
}

// matchCancellations finds for each cancelled row the customer's latest earlier sale of its code that has enough left.
func (y *year) matchCancellations(keying time.Duration) {
	type item struct{ customer, code uint32 }
	type sale struct {
		row  int32
		left domain.Decimal
	}
	sales := map[item][]sale{}
	for i := range y.rows {
		r := &y.rows[i]
		key := item{r.customer, r.code}
		if y.orderOf[i] != none && r.customer != 0 && r.price > 0 {
			sales[key] = append(sales[key], sale{int32(i), r.quantity})
			continue
		}
		if y.made[i] != notYet {
			continue
		}
		sort, _ := meaning(y.names[r.code], true)
		y.made[i] = unmatched(sort, NoEarlierSale)
		earlier := sales[key]
		for n := len(earlier) - 1; n >= 0; n-- {
			s := &earlier[n]
			sold := &y.rows[s.row]
			if s.left < -r.quantity || sort != goods && sold.price != r.price {
				continue
			}
			whole := s.left == sold.quantity && s.left == -r.quantity && sold.price == r.price
			s.left += r.quantity
			y.undoes[int32(i)] = s.row
			switch {
			case whole && time.Duration(r.wall-sold.wall)*time.Second <= keying && keying > 0:
				y.made[i] = KeyingMistakes
				y.keyed[s.row] = true
			case sort == goods:
				y.made[i] = CancelledGoods
			default:
				y.made[i] = CancelledCharges
			}
			break
		}
	}
}

// unmatched keeps goods whose sale isn't found from what is only money: entries by hand are large and follow no
// pattern.
func unmatched(sort thing, ofGoods Category) Category {
	if sort == goods {
		return ofGoods
	}
	return NoEarlierCharge
}

// weighRefunds holds the refunds of every order against what was paid for it and what keying mistakes took off. What a
// refund is above the rest of that is money that was taken off, as far as there is some. So is one of a charge, with
// which no goods come back, where a keying mistake took off as much.
func (y *year) weighRefunds(account *Account) {
	type balance struct {
		paid, off, refunded, back domain.Decimal
		keyed                     []domain.Decimal // what each keying mistake took off, and no refund told
	}
	orders := make([]balance, len(y.orders))
	for i := range y.rows {
		if n := y.orderOf[i]; n != none {
			orders[n].paid += y.rows[i].amount()
		}
		if y.made[i] == KeyingMistakes {
			o := &orders[y.orderOf[y.undoes[int32(i)]]]
			o.off -= y.rows[i].amount()
			o.keyed = append(o.keyed, -y.rows[i].amount())
		}
	}
	for i := range y.rows {
		if y.made[i] != CancelledGoods && y.made[i] != CancelledCharges {
			continue
		}
		o, refund := &orders[y.orderOf[y.undoes[int32(i)]]], -y.rows[i].amount()
		back := min(max(refund-max(o.paid-o.off-o.refunded, 0), 0), o.off-o.back)
		if left := o.off - o.back; y.made[i] == CancelledCharges && left > 0 {
			if k := slices.Index(o.keyed, refund); k >= 0 {
				back, o.keyed = min(refund, left), slices.Delete(o.keyed, k, k+1)
			} else if refund == left {
				back = refund
			}
		}
		o.back += back
		o.refunded += refund - back
		account.TakenOff += back
	}
	for i := range orders {
		if o := &orders[i]; o.off+o.refunded > o.paid {
			account.OverRefunded++
		}
	}
}
