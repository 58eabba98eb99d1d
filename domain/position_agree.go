package domain

import (
	"reflect"
	"time"
)

// This file compares what two events say of one business fact. Store, people, text and time don't matter, and what
// one leaves out doesn't contradict the other.

// agree reports whether two statements of one fact, of the same type, say the same wherever both say something.
func (v *view) agree(i, j int32) bool {
	a, b := &v.u.statements[i], &v.u.statements[j]
	ca, cb := v.stances[i].errorID, v.stances[j].errorID
	if ca != 0 && cb != 0 && v.root(ca) != v.root(cb) || a.currency != 0 && b.currency != 0 && a.currency != b.currency {
		return false
	}
	switch x := a.Data.(type) {
	case *RefundIssued:
		y, is := b.Data.(*RefundIssued)
		return is && agreeRefunds(x, y)
	case *DisputeOpened:
		y, is := b.Data.(*DisputeOpened)
		return is && x.Amount == y.Amount && same(x.Fee, y.Fee)
	case *DisputeWon:
		y, is := b.Data.(*DisputeWon)
		return is && same(x.Amount, y.Amount) && same(x.FeeReturned, y.FeeReturned)
	case *DisputeLost:
		y, is := b.Data.(*DisputeLost)
		return is && x.Amount == y.Amount && same(x.Tax, y.Tax)
	case *ConcessionGranted:
		y, is := b.Data.(*ConcessionGranted)
		return is && x.Kind == y.Kind && x.Amount == y.Amount && same(x.Tax, y.Tax)
	case *VoucherRedeemed:
		y, is := b.Data.(*VoucherRedeemed)
		return is && x.ConcessionID == y.ConcessionID && x.Amount == y.Amount
	case *VoucherExpired:
		y, is := b.Data.(*VoucherExpired)
		return is && x.ConcessionID == y.ConcessionID && x.Amount == y.Amount
	case *ClaimFiled:
		y, is := b.Data.(*ClaimFiled)
		return is && x.Amount == y.Amount && agreeGoods(x.Lines, y.Lines)
	case *ClaimAccepted:
		y, is := b.Data.(*ClaimAccepted)
		return is && x.Amount == y.Amount
	case *ClaimSettled:
		y, is := b.Data.(*ClaimSettled)
		return is && x.ClaimID == y.ClaimID && x.Amount == y.Amount
	case *ClaimClosed:
		_, is := b.Data.(*ClaimClosed)
		return is
	case *MarketplaceCharged:
		y, is := b.Data.(*MarketplaceCharged)
		return is && x.Amount == y.Amount && same(x.Tax, y.Tax)
	case *SalvageSold:
		y, is := b.Data.(*SalvageSold)
		return is && x.Amount == y.Amount
	case *QualitySpent:
		y, is := b.Data.(*QualitySpent)
		return is && x.Category == y.Category && x.Amount == y.Amount
	}
	return agreeOrders(a.Data, b.Data)
}

// agreeOrders compares what is about goods.
func agreeOrders(a, b Data) bool {
	switch x := a.(type) {
	case *OrderPlaced:
		y, is := b.(*OrderPlaced)
		return is && agreeSales(x, y)
	case *OrderChanged:
		y, is := b.(*OrderChanged)
		return is && sameText(x.By, y.By) && agreeLines(x.LinesAdded, y.LinesAdded) && agreeRemoved(x.LinesRemoved,
			y.LinesRemoved)
	case *OrderCancelled:
		y, is := b.(*OrderCancelled)
		return is && sameText(x.By, y.By) && sameSome(x.Net, y.Net) && sameSome(x.Tax, y.Tax) && sameSome(x.Cost, y.Cost) &&
			agreeRemoved(x.Lines, y.Lines)
	case *OrderCharged:
		y, is := b.(*OrderCharged)
		return is && x.Kind == y.Kind && x.Amount == y.Amount && x.Credit == y.Credit
	case *ErrorReported:
		y, is := b.(*ErrorReported)
		return is && (sameText(x.Kind, y.Kind) || x.Kind == KindUnspecified || y.Kind == KindUnspecified) &&
			sameText(x.Found, y.Found) &&
			pairUp(len(x.Lines), len(y.Lines), func(i, j int) bool { return agreeErrorLines(&x.Lines[i], &y.Lines[j]) })
	case *GoodsScrapped:
		y, is := b.(*GoodsScrapped)
		return is && agreeGoods(x.Lines, y.Lines)
	case *RedeliveryDispatched:
		y, is := b.(*RedeliveryDispatched)
		return is && agreeGoods(x.Lines, y.Lines) && same(x.CarrierCharge, y.CarrierCharge)
	case *RedeliveryCompleted:
		y, is := b.(*RedeliveryCompleted)
		return is && x.RedeliveryID == y.RedeliveryID && x.Succeeded == y.Succeeded && same(x.DriveMinutes, y.DriveMinutes) &&
			same(x.SiteMinutes, y.SiteMinutes) && same(x.WaitMinutes, y.WaitMinutes) && same(x.DistanceKM, y.DistanceKM) &&
			(x.Stops <= 1 || y.Stops <= 1 || x.Stops == y.Stops) && same(x.CarrierCharge, y.CarrierCharge)
	case *LabourSpent:
		y, is := b.(*LabourSpent)
		return is && x.Minutes == y.Minutes
	case *ReturnReceived:
		y, is := b.(*ReturnReceived)
		return is && same(x.FreightCharge, y.FreightCharge) && same(x.InspectMinutes, y.InspectMinutes) &&
			pairUp(len(x.Lines), len(y.Lines), func(i, j int) bool {
				k, l := &x.Lines[i], &y.Lines[j]
				return agreeGoodsLine(&k.GoodsLine, &l.GoodsLine) && sameText(k.Was, l.Was) && sameText(k.Grade, l.Grade) &&
					sameSome(k.NRV, l.NRV)
			})
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b) && agreeMembers(reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem())
}

// agreeMembers compares data that has no rule of its own: numbers, yes or no, and lists.
func agreeMembers(x, y reflect.Value) bool {
	for i := range x.NumField() {
		switch a := x.Field(i).Interface().(type) {
		case Decimal:
			if !same(a, y.Field(i).Interface().(Decimal)) {
				return false
			}
		case Optional:
			if !sameSome(a, y.Field(i).Interface().(Optional)) {
				return false
			}
		case bool:
			if a != y.Field(i).Bool() {
				return false
			}
		default:
			l, r := x.Field(i), y.Field(i)
			if l.Kind() == reflect.Slice && l.Len() > 0 && r.Len() > 0 && !reflect.DeepEqual(a, r.Interface()) {
				return false
			}
		}
	}
	return true
}

// agreeRefunds: of one net amount, or of one total where one doesn't split off its tax; by the same way.
func agreeRefunds(x, y *RefundIssued) bool {
	oneTotal := x.Net+x.Tax == y.Net+y.Tax && (x.Tax == 0 || y.Tax == 0)
	if x.Net != y.Net && !oneTotal || !same(x.Tax, y.Tax) || !same(x.FeeReturned, y.FeeReturned) {
		return false
	}
	return x.Method == "" || y.Method == "" || creditOf(x.Method) == creditOf(y.Method)
}

func agreeSales(x, y *OrderPlaced) bool {
	return agreeLines(x.Lines, y.Lines) && same(x.DeliveryFee, y.DeliveryFee) && same(x.DeliveryTax, y.DeliveryTax) &&
		same(x.PaymentFee, y.PaymentFee) &&
		same(x.DeliveryCost, y.DeliveryCost) &&
		same(x.Commission, y.Commission) &&
		pairUp(len(x.Tenders), len(y.Tenders), func(i, j int) bool { return x.Tenders[i] == y.Tenders[j] })
}

func agreeLines(x, y []OrderLine) bool {
	return pairUp(len(x), len(y), func(i, j int) bool {
		a, b := &x[i], &y[j]
		return a.SKU == b.SKU && kindOf(a) == kindOf(b) && a.Quantity == b.Quantity && a.UnitPrice == b.UnitPrice &&
			same(a.Discount, b.Discount) &&
			same(a.Tax, b.Tax) &&
			sameSome(a.UnitCost, b.UnitCost)
	})
}

func agreeRemoved(x, y []RemovedLine) bool {
	return pairUp(len(x), len(y), func(i, j int) bool {
		return sameText(x[i].LineID, y[j].LineID) && sameText(x[i].SKU, y[j].SKU) && x[i].Quantity == y[j].Quantity
	})
}

func agreeGoods(x, y []GoodsLine) bool {
	return pairUp(len(x), len(y), func(i, j int) bool { return agreeGoodsLine(&x[i], &y[j]) })
}

func agreeGoodsLine(a, b *GoodsLine) bool {
	return a.SKU == b.SKU && a.Quantity == b.Quantity && sameSome(a.UnitCost, b.UnitCost)
}

func agreeErrorLines(a, b *ErrorLine) bool {
	return a.SKU == b.SKU && a.Quantity == b.Quantity && sameSome(a.UnitCost, b.UnitCost) && sameText(a.ReceivedSKU,
		b.ReceivedSKU) &&
		sameSome(a.ReceivedQuantity, b.ReceivedQuantity) &&
		sameSome(a.ReceivedUnitCost, b.ReceivedUnitCost)
}

// pairUp finds for each of n lines another one of m that agrees with it. No lines are not said.
func pairUp(n, m int, agree func(i, j int) bool) bool {
	if n == 0 || m == 0 {
		return true
	}
	if n != m {
		return false
	}
	taken := make([]bool, m)
next:
	for i := range n {
		for j := range m {
			if !taken[j] && agree(i, j) {
				taken[j] = true
				continue next
			}
		}
		return false
	}
	return true
}

func same(a, b Decimal) bool      { return a == b || a == 0 || b == 0 }
func sameSome(a, b Optional) bool { return !a.Set || !b.Set || a.Value == b.Value }
func sameText(a, b string) bool   { return a == b || a == "" || b == "" }

// saysMore reports whether one double says more than another: its case, then its tax, then the number of its fields.
func (v *view) saysMore(i, than int32) bool {
	a, b := &v.stances[i], &v.stances[than]
	if (a.errorID != 0) != (b.errorID != 0) {
		return a.errorID != 0
	}
	if (a.tax != 0) != (b.tax != 0) {
		return a.tax != 0
	}
	return fields(reflect.ValueOf(v.u.statements[i].Data)) > fields(reflect.ValueOf(v.u.statements[than].Data))
}

// fields counts what is said in a value: the fields that aren't empty, those of its lines among them.
func fields(x reflect.Value) int {
	switch x.Kind() {
	case reflect.Pointer:
		return fields(x.Elem())
	case reflect.Struct:
		switch f := x.Interface().(type) {
		case Optional:
			return said(f.Set)
		case time.Time:
			return said(!f.IsZero())
		}
		n := 0
		for i := range x.NumField() {
			if x.Type().Field(i).IsExported() {
				n += fields(x.Field(i))
			}
		}
		return n
	case reflect.Slice:
		n := 0
		for i := range x.Len() {
			n += fields(x.Index(i))
		}
		return n
	}
	return said(!x.IsZero())
}

func said(is bool) int {
	if is {
		return 1
	}
	return 0
}
