package onlineretail

import (
	"fmt"
	"strings"

	"github.com/makegood/makegood/domain"
)

// Category is what was made of a row. Every row has exactly one.
type Category uint8

// The categories: what is booked first, then what is reported apart.
const (
	notYet Category = iota
	SoldGoods
	FreeGoods
	DeliveryFees
	OtherCharges
	CancelledGoods
	CancelledCharges
	KeyingMistakes
	WriteOffs
	DuplicateRows
	NoCustomer
	NoEarlierSale
	NoEarlierCharge
	Discounts
	Samples
	MarketplaceFees
	BankCharges
	CharityCommission
	BadDebt
	GiftVouchers
	StockFound
	NotUnderstood
	categoryCount
)

var categoryWords = [categoryCount]string{
	SoldGoods:         "goods sold: lines of orders",
	FreeGoods:         "goods given free with an order: lines at price zero",
	DeliveryFees:      "postage and carriage: delivery fee of their order, or a line where there is nothing else",
	OtherCharges:      "charges typed by hand, samples sold, recharges: lines without cost",
	CancelledGoods:    "goods cancelled, sale found: cases with refund and return",
	CancelledCharges:  "charges cancelled, sale found: cases with refund",
	KeyingMistakes:    "keying mistakes undone: order.cancelled, no case",
	WriteOffs:         "stock written off: cases found before delivery, goods scrapped",
	DuplicateRows:     "exact duplicates of another row: the same line again",
	NoCustomer:        "goods cancelled, but no customer is named, so no sale is found",
	NoEarlierSale:     "goods cancelled, but the customer has no earlier sale in the file with enough left",
	NoEarlierCharge:   "charges and entries by hand credited, but no charge of that price is found for a customer",
	Discounts:         "discounts on credit notes (D): they name no order",
	Samples:           "samples given away (S): they name no customer",
	MarketplaceFees:   "fees of Amazon and their corrections: no order",
	BankCharges:       "bank charges: no order",
	CharityCommission: "commission to a charity (CRUK): no order",
	BadDebt:           "bad debt adjusted (B): no order",
	GiftVouchers:      "gift vouchers: a liability, neither sale nor failure",
	StockFound:        "price zero and nobody bought: stock found, adjustments, tests",
	NotUnderstood:     "not understood: see the problems",
}

// String says in words what the category is.
func (c Category) String() string {
	if c == notYet || c >= categoryCount {
		return "no category"
	}
	return categoryWords[c]
}

// Booked reports whether rows of the category became part of an event. The others are only reported.
func (c Category) Booked() bool { return c >= SoldGoods && c <= WriteOffs }

// Categories lists them all.
func Categories() []Category {
	all := make([]Category, 0, categoryCount-1)
	for c := notYet + 1; c < categoryCount; c++ {
		all = append(all, c)
	}
	return all
}

// Count is the rows of one category: their quantities and Σ quantity × price, both with their sign.
type Count struct {
	Rows             int
	Quantity, Amount domain.Decimal
}

func (c *Count) add(r *row) {
	c.Rows++
	c.Quantity += r.quantity
	c.Amount += r.amount()
}

// Account states what was made of the file.
type Account struct {
	// Rows is how many data rows were read; the Rows of all categories add up to it.
	Rows int
	made [categoryCount]Count

	// What the file is, before anything is left out: the sale invoices (numbers without a letter), their rows that
	// charge something, the cancellations (C…), the write-offs, those of them with a reason typed, and the rows without
	// a customer.
	SaleInvoices, CancellationInvoices int
	Sales, Cancellations, WrittenOff   Count
	WriteOffReasons, WithoutCustomer   int

	// What came of it. Cases are those of customers, StockCases the write-offs, WriteOffCost what those had cost.
	Orders, Cases, StockCases, Events int
	WriteOffCost                      domain.Decimal
	// Unpriced is how many gifts and write-offs are of an item that was never sold: their cost is unknown, and the books
	// say so until an item_cost is set.
	Unpriced int

	// TakenOff is what of the refunds gives back money that keying mistakes had taken off the same order: the books count
	// that once. OverRefunded is how many orders gave back more than was paid for them.
	TakenOff     domain.Decimal
	OverRefunded int

	// Problems says of the first rows that were not understood where they are and why.
	Problems []string
}

// Of is what fell into a category.
func (a *Account) Of(c Category) Count {
	if c >= categoryCount {
		return Count{}
	}
	return a.made[c]
}

// Accounted is the sum of the rows of all categories: Rows, or a row was lost.
func (a *Account) Accounted() int {
	sum := 0
	for _, c := range Categories() {
		sum += a.made[c].Rows
	}
	return sum
}

// String is the account as a table for people.
func (a *Account) String() string {
	var b strings.Builder
	part := func(title string, booked bool) {
		fmt.Fprintf(&b, "%s\n", title)
		for _, c := range Categories() {
			if n := a.made[c]; c.Booked() == booked && (n.Rows > 0 || c != NotUnderstood) {
				fmt.Fprintf(&b, "%9d  %17s %s  %s\n", n.Rows, cents(n.Amount), Currency, c)
			}
		}
	}
	part("Booked", true)
	part("Reported apart, not booked", false)
	fmt.Fprintf(&b, "%9d  rows accounted for, of %d\n", a.Accounted(), a.Rows)
	fmt.Fprintf(&b, "%d events: %d orders, %d cases of customers, %d stock cases that had cost %s %s",
		a.Events, a.Orders, a.Cases, a.StockCases, cents(a.WriteOffCost), Currency)
	if a.Unpriced > 0 {
		fmt.Fprintf(&b, "; %d gifts and write-offs of unknown cost", a.Unpriced)
	}
	b.WriteByte('\n')
	if a.OverRefunded > 0 {
		fmt.Fprintf(&b, "%d orders gave back more than was paid; %s %s of the refunds was taken off before\n", a.OverRefunded,
			cents(a.TakenOff), Currency)
	}
	for _, p := range a.Problems {
		fmt.Fprintf(&b, "not understood: %s\n", p)
	}
	return b.String()
}

// cents writes an amount with two decimals, or more where it has them.
func cents(d domain.Decimal) string {
	text := d.String()
	for point := strings.IndexByte(text, '.'); ; {
		switch {
		case point < 0:
			return text + ".00"
		case len(text)-point < 3:
			text += "0"
		default:
			return text
		}
	}
}
