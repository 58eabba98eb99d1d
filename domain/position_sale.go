package domain

// This file posts sales and their changes: order.placed, order.charged, order.changed, order.cancelled. See
// domain/README.md, "Sale" and "Changes".

// order is what is known of an order of the set.
type order struct {
	name     name
	sale     int32 // the statement that placed it; none
	currency name
	lines    []soldLine
	whole    bool   // cancelled whole
	booked   booked // less what was taken off
	tills    []till
	articles []article
	bySKU    map[string]int32 // the numbers of its articles; only of many
}

// soldLine is a line that was placed or added, with the quantity that is left of it.
type soldLine struct {
	by    int32 // the statement that booked it
	line  *OrderLine
	left  Decimal
	added bool

	takenNet, takenTax, takenCost Amount // by parts of it that were taken before
}

// till is the money of an order in one currency.
type till struct {
	currency    name
	cash, gift  Amount // what of it was paid by gift card, or not, and is not taken off
	paid, taken Amount // with what added lines brought; what went back for lines taken off
	back        Amount // of what was taken off: given back by refunds
	inCash      Amount // of what was taken off: gone back in cash, and not yet told by a refund
	refunded    Amount // by refunds that post
	lost        Amount // in disputes
	last        int32  // the last refund, lost dispute or change that took something off; none
	given       int    // how many of those there are
	takenLines  int    // how many lines were taken off
	changes     []taking
}

// taking is what one change took off, of how many lines, and of that the tax; told where a refund of that amount gives
// it back.
type taking struct {
	total, tax Amount
	lines      int
	told       bool
}

// booked is what lines brought and cost by the account that it is on, as it was rounded when it was booked.
type booked struct{ sales, gift, tips, deposits, tax, cost Amount }

// orderOf is the order of a name, made where there is none yet; nil for no name.
func (v *view) orderOf(n name) *order {
	if n == 0 {
		return nil
	}
	for i := range v.orders {
		if v.orders[i].name == n {
			return &v.orders[i]
		}
	}
	if len(v.orders) < cap(v.orders) {
		v.orders = v.orders[:len(v.orders)+1]
	} else {
		v.orders = append(v.orders, order{})
	}
	o := &v.orders[len(v.orders)-1]
	*o = order{name: n, sale: none, lines: o.lines[:0], tills: o.tills[:0], articles: o.articles[:0], bySKU: o.bySKU}
	clear(o.bySKU)
	return o
}

func (o *order) till(currency name) *till {
	for i := range o.tills {
		if o.tills[i].currency == currency {
			return &o.tills[i]
		}
	}
	o.tills = append(o.tills, till{currency: currency, last: none})
	return &o.tills[len(o.tills)-1]
}

// sales posts the orders placed, then what changed them, each by time. Cancellations that may be of the whole order are
// looked at once before, without posting: those that are, are one fact.
func (v *view) sales() {
	if len(v.u.wholes) > 1 {
		v.silent = true
		v.walkSales()
		v.wholeFacts()
		v.position.clear()
		v.orders, v.silent = v.orders[:0], false
	}
	v.walkSales()
}

// wholeFacts deals with the cancellations of whole orders, one fact an order.
func (v *view) wholeFacts() {
	for n, i := range v.u.wholes {
		if int(i) >= v.n || !v.stances[i].whole || v.stances[i].standing != Counts {
			continue
		}
		group := []int32{i}
		for _, j := range v.u.wholes[n+1:] {
			if int(j) < v.n && v.stances[j].whole && v.stances[j].standing == Counts &&
				v.stances[j].order == v.stances[i].order {
				group = append(group, j)
			}
		}
		if len(group) > 1 {
			v.choose(group)
		}
	}
}

func (v *view) walkSales() {
	for _, i := range v.u.byTime {
		if d, is := v.u.statements[i].Data.(*OrderPlaced); is && int(i) < v.n && v.stances[i].standing == Counts {
			v.placed(i, d)
		}
	}
	for _, i := range v.u.byTime {
		if int(i) >= v.n || v.stances[i].standing != Counts {
			continue
		}
		switch d := v.u.statements[i].Data.(type) {
		case *OrderChanged:
			v.changed(i, d)
		case *OrderCancelled:
			v.cancelled(i, d)
		}
	}
	for i := range v.orders {
		v.stock(&v.orders[i])
	}
}

// booking is what lines bring and cost, by the account that it is of.
type booking struct {
	sales, gift, tips, deposits, tax, cost sum
	lines                                  int // how many they are
}

// kindOf is the kind of a line.
func kindOf(l *OrderLine) string {
	if l.Kind == "" {
		return LineGoods
	}
	return l.Kind
}

// account is where the price of a line is counted.
func (b *booking) account(l *OrderLine) *sum {
	switch l.Kind {
	case LineGiftCard:
		return &b.gift
	case LineTip:
		return &b.tips
	case LineDeposit:
		return &b.deposits
	}
	return &b.sales
}

// netOf is the price of a whole line.
func netOf(l *OrderLine) sum {
	var s sum
	l.addNet(&s.exact)
	return s
}

// adds counts a line that is placed or added.
func (v *view) adds(b *booking, i int32, l *OrderLine) {
	b.lines++
	net := netOf(l) // what is taken off before may have no end
	b.account(l).plus(&net)
	b.tax.add(l.Tax)
	if c, ok := v.soldCost(i, l); ok {
		b.cost.pieces(l.Quantity, &c)
	}
}

// soldCost is the cost at which a line was booked; false where it has none, or isn't goods.
func (v *view) soldCost(i int32, l *OrderLine) (cost, bool) {
	if kindOf(l) != LineGoods || l.Quantity == 0 {
		return cost{}, false
	}
	return v.costOf(i, l.SKU, l.UnitCost, v.stances[i].currency)
}

// placed posts an order.
func (v *view) placed(i int32, d *OrderPlaced) {
	s := &v.u.statements[i]
	o := v.orderOf(s.order)
	to := v.ofCase(Perfect, i)
	var b booking
	b.sales.add(d.DeliveryFee)
	b.tax.add(d.DeliveryTax)
	for n := range d.Lines {
		v.adds(&b, i, &d.Lines[n])
		if o != nil {
			o.lines = append(o.lines, soldLine{by: i, line: &d.Lines[n], left: d.Lines[n].Quantity})
		}
	}
	total := v.book(to, &b, o, false)
	paidByCard := Amount(0)
	for _, t := range d.Tenders {
		if t.Method == MethodGiftCard {
			paidByCard += v.money(t.Amount)
		}
	}
	v.post(to, Clearing, NoElement, total-paidByCard)
	v.post(to, GiftCardLiability, NoElement, paidByCard)
	v.move(to, PaymentFees, NoElement, Clearing, v.money(d.PaymentFee))
	v.move(to, DeliveryCosts, NoElement, AccruedCosts, v.money(d.DeliveryCost))
	v.move(to, Commissions, NoElement, Clearing, v.money(d.Commission))
	if o == nil {
		return
	}
	if o.sale == none {
		o.sale, o.currency = i, s.currency
	}
	t := o.till(s.currency)
	t.paid += total
	t.cash += total - paidByCard
	t.gift += paidByCard
}

// book posts what lines bring and cost, but for the money, and says how much money that is.
func (v *view) book(to on, b *booking, o *order, failure bool) Amount {
	refund, goods := NoElement, NoElement
	if failure {
		refund, goods = Refund, Goods
	}
	sales, gift, tips, deposits := v.round(&b.sales), v.round(&b.gift), v.round(&b.tips), v.round(&b.deposits)
	tax, cost := v.round(&b.tax), v.round(&b.cost)
	v.post(to, Sales, refund, -sales)
	v.post(to, GiftCardLiability, NoElement, -gift)
	v.post(to, TipsPayable, NoElement, -tips)
	v.post(to, Deposits, NoElement, -deposits)
	v.post(to, Tax, NoElement, -tax)
	v.move(to, CostOfGoods, goods, Inventory, cost)
	if o != nil {
		k := &o.booked
		*k = booked{k.sales + sales, k.gift + gift, k.tips + tips, k.deposits + deposits, k.tax + tax, k.cost + cost}
	}
	return sales + gift + tips + deposits + tax
}

// takes counts what of a line goes: in proportion, at most what is left of it, each line rounded by itself.
func (v *view) takes(b *booking, l *soldLine, quantity Decimal) {
	if l.left < 0 { // empties brought back go as a whole
		quantity = l.left
	} else {
		quantity = min(quantity, l.left)
	}
	if quantity == 0 {
		return
	}
	b.lines++
	var tax, cost sum
	net := netOf(l.line)
	tax.add(l.line.Tax)
	c, costed := v.soldCost(l.by, l.line)
	if costed {
		cost.pieces(l.line.Quantity, &c)
	}
	rest := quantity == l.left
	net = v.some(net, quantity, l.line.Quantity, rest, &l.takenNet)
	tax = v.some(tax, quantity, l.line.Quantity, rest, &l.takenTax)
	cost = v.some(cost, quantity, l.line.Quantity, rest, &l.takenCost)
	b.account(l.line).minus(&net)
	b.tax.minus(&tax)
	b.cost.minus(&cost)
	l.left -= quantity
}

// some is what a part of a line takes of an amount of it: in proportion, rounded; the rest is what was not taken
// before.
func (v *view) some(of sum, quantity, whole Decimal, rest bool, taken *Amount) sum {
	amount := v.round(&of) - *taken
	if !rest {
		p := part(of, quantity, whole)
		amount = v.round(&p)
	}
	*taken += amount
	return asSum(amount)
}

// removes takes lines off an order.
func (v *view) removes(o *order, b *booking, i int32, lines []RemovedLine) {
	if o == nil {
		return
	}
	for n := range lines {
		left := lines[n].Quantity
		for k := range o.lines {
			l := &o.lines[k]
			if lines[n].LineID != "" && l.line.LineID != lines[n].LineID ||
				lines[n].LineID == "" && l.line.SKU != lines[n].SKU ||
				l.left == 0 ||
				left <= 0 {
				continue
			}
			had := l.left
			v.takes(b, l, left)
			left -= max(had-l.left, l.left-had)
		}
		if left > 0 && o.sale != none {
			v.flag(RemovedTooMuch, i, "", 0, 0)
		}
	}
}

// changed posts an edit of an order.
func (v *view) changed(i int32, d *OrderChanged) {
	o := v.orderOf(v.stances[i].order)
	var removed, added booking
	v.removes(o, &removed, i, d.LinesRemoved)
	for n := range d.LinesAdded {
		v.adds(&added, i, &d.LinesAdded[n])
		if o != nil {
			o.lines = append(o.lines, soldLine{by: i, line: &d.LinesAdded[n], left: d.LinesAdded[n].Quantity, added: true})
		}
	}
	v.change(i, o, v.stances[i].currency, d.By == ByBusiness, &removed, &added)
}

// change posts what a change comes to, and the money that it moves: what is taken off goes back as it was paid. What is
// removed and what is added are rounded each by itself: so what was booked goes back as it was booked.
func (v *view) change(i int32, o *order, currency name, failure bool, bookings ...*booking) {
	s := &v.u.statements[i]
	if currency == 0 && o != nil {
		currency = o.currency
	}
	to := on{Change, v.caseName(v.stances[i].incident), currency, s.store, v.inOrder(i)}
	added, back, tax, lines := Amount(0), Amount(0), Amount(0), 0
	for _, b := range bookings {
		if total := v.book(to, b, o, failure); total > 0 {
			added += total
		} else {
			back -= total
			tax -= v.round(&b.tax)
			lines += b.lines
		}
	}
	card := Amount(0)
	if o != nil {
		t := o.till(currency)
		card = t.change(added, back)
		if back > 0 {
			t.last = v.later(t.last, i)
			t.given++
			t.takenLines += lines
			t.changes = append(t.changes, taking{total: back, tax: tax, lines: lines})
		}
	}
	v.post(to, Clearing, NoElement, added-back+card)
	v.post(to, GiftCardLiability, NoElement, -card)
}

// change counts what is added to an order and what goes back for what is taken off it: cash first, then gift card. It
// returns what goes back to the gift card.
func (t *till) change(added, back Amount) Amount {
	t.paid += added
	t.taken += back
	t.cash += added
	card := min(back-min(back, max(t.cash, 0)), max(t.gift, 0))
	t.cash -= back - card
	t.gift -= card
	t.inCash += back - card
	return card
}

// cancelled posts a cancellation: of lines, of the whole order, or of a part that nobody can place.
func (v *view) cancelled(i int32, d *OrderCancelled) {
	st := &v.stances[i]
	o := v.orderOf(st.order)
	var b booking
	switch {
	case len(d.Lines) > 0 && o != nil && o.sale != none:
		v.removes(o, &b, i, d.Lines)
		if o.isEmpty() {
			o.whole = true
		}
	case st.whole || v.isWhole(o, d):
		st.whole = true
		if o != nil {
			v.all(o, &b)
		}
	default:
		v.flag(PartUnknown, i, "", 0, 0)
	}
	if d.Net.Set { // what is stated is of all accounts: the sales are what the others leave of it
		b.sales = asSum(-v.money(d.Net.Value) - v.round(&b.gift) - v.round(&b.tips) - v.round(&b.deposits))
	}
	if d.Tax.Set || st.tax != 0 { // a double may say it
		b.tax = sum{}
		b.tax.subtract(st.tax)
	}
	if d.Cost.Set {
		b.cost = sum{}
		b.cost.subtract(d.Cost.Value)
	}
	v.change(i, o, st.currency, d.By == ByBusiness, &b)
	if st.whole && o != nil {
		o.booked = booked{} // more or less than was booked is stated: that is all the same
	}
}

// isWhole reports whether a cancellation without lines is of the whole order: its net is at or above what the lines
// that are left bring, fees and what tills round aside, or isn't said, or nobody knows the order.
func (v *view) isWhole(o *order, d *OrderCancelled) bool {
	if !d.Net.Set || o == nil || o.sale == none || o.whole {
		return true
	}
	var left sum
	lines := 0
	for n := range o.lines {
		if l := &o.lines[n]; l.left != 0 {
			lines++
			net, taken := netOf(l.line), asSum(l.takenNet)
			net.minus(&taken)
			left.plus(&net)
		}
	}
	return v.money(d.Net.Value)+v.slack(o.currency, lines) > v.round(&left)
}

func (o *order) isEmpty() bool {
	for n := range o.lines {
		if o.lines[n].left > 0 {
			return false
		}
	}
	return true
}

// all takes everything off an order that is booked of it: what is left of its lines, and the fee of its delivery.
func (v *view) all(o *order, b *booking) {
	lines := 0
	for n := range o.lines {
		if o.lines[n].left != 0 {
			lines++
		}
		o.lines[n].left = 0
	}
	k := &o.booked
	*b = booking{asSum(-k.sales), asSum(-k.gift), asSum(-k.tips), asSum(-k.deposits), asSum(-k.tax), asSum(-k.cost),
		lines}
	o.whole = true
}

// charged posts what an order costs beside its goods.
func (v *view) charged(i int32, d *OrderCharged) {
	amount := v.money(d.Amount)
	if d.Credit {
		amount = -amount
	}
	debit, credit := OtherOrderCosts, Clearing
	switch d.Kind {
	case ChargeDelivery:
		debit, credit = DeliveryCosts, AccruedCosts
	case ChargeCommission:
		debit = Commissions
	case ChargePaymentFee:
		debit = PaymentFees
	case ChargePackaging:
		debit, credit = Packaging, AccruedCosts
	}
	v.move(v.ofCase(Perfect, i), debit, NoElement, credit, amount)
}
