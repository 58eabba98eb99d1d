package domain

// DiscountAboveLine reports whether the line's discount is more than what it is taken off: quantity × unit price.
func (l *OrderLine) DiscountAboveLine() bool {
	if l.Discount == 0 {
		return false
	}
	var net exact
	l.addNet(&net)
	return net.high < 0
}

// addNet adds what the line brings, net of tax: quantity × unit price − discount.
func (l *OrderLine) addNet(to *exact) {
	to.product(l.Quantity, l.UnitPrice)
	to.subtract(l.Discount)
}

// Total is what the customer pays, tax and delivery included: net and tax, each rounded once as the journal rounds
// them.
func (o *OrderPlaced) Total() (Amount, error) {
	var net, tax exact
	net.add(o.DeliveryFee)
	tax.add(o.DeliveryTax)
	for i := range o.Lines {
		o.Lines[i].addNet(&net)
		tax.add(o.Lines[i].Tax)
	}
	sales, err := net.round(1)
	if err != nil {
		return 0, err
	}
	taxes, err := tax.round(1)
	if err != nil {
		return 0, err
	}
	return sales + taxes, nil
}
