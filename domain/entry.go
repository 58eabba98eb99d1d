package domain

// posting is one event on its way to its entry.
type posting struct {
	*Entry
	event *Event
	rates *Rates
	at    Position
}

// draftLine is a line before rounding: exact/divisor, or the one that makes the entry zero.
type draftLine struct {
	Line
	exact    exact
	divisor  int64
	credit   bool
	balances bool
}

// of is a sum that begins with d.
func of(d Decimal) *exact {
	e := new(exact)
	e.add(d)
	return e
}

func (p *posting) debit(a Account, element Element, b Basis, amount *exact) {
	p.draft = append(p.draft, draftLine{Line: Line{Account: a, Element: element, Basis: b}, exact: *amount, divisor: 1})
}

func (p *posting) credit(a Account, element Element, b Basis, amount *exact) {
	p.draft = append(p.draft, draftLine{Line: Line{Account: a, Element: element, Basis: b}, exact: *amount, divisor: 1,
		credit: true})
}

// balance adds the line that makes the whole entry zero after the others are rounded.
func (p *posting) balance(a Account, b Basis) {
	p.draft = append(p.draft, draftLine{Line: Line{Account: a, Element: NoElement, Basis: b}, balances: true})
}

// move posts one amount from one account to another.
func (p *posting) move(debit Account, debitElement Element, credit Account, creditElement Element, b Basis, d Decimal) {
	p.debit(debit, debitElement, b, of(d))
	p.credit(credit, creditElement, b, of(d))
}

// owed posts a cost that somebody will bill.
func (p *posting) owed(a Account, element Element, d Decimal) {
	p.move(a, element, AccruedCosts, NoElement, Accrued, d)
}

// absorb posts a cost that the general ledger has already, in its wages or its fleet.
func (p *posting) absorb(a Account, element Element, absorbed Account, amount *exact, divisor int64) {
	p.draft = append(p.draft,
		draftLine{Line: Line{Account: a, Element: element, Basis: Imputed}, exact: *amount, divisor: divisor},
		draftLine{Line: Line{Account: absorbed, Element: NoElement, Basis: Imputed}, exact: *amount, divisor: divisor,
			credit: true})
}

// close rounds each line once, half to even, lets the balancing line take the rest, and leaves out what is zero.
func (n *Entry) close() error {
	var sum Amount
	for i := range n.draft {
		d := &n.draft[i]
		if d.balances {
			continue
		}
		amount, err := d.exact.round(d.divisor)
		if err != nil {
			return err
		}
		if d.credit {
			amount = -amount
		}
		d.Amount = amount
		sum += amount
	}
	for i := range n.draft {
		d := &n.draft[i]
		if d.balances {
			d.Amount, sum = -sum, 0
		}
		if d.Amount != 0 {
			n.Lines = append(n.Lines, d.Line)
		}
	}
	if sum != 0 || !n.Balanced() {
		// Not an error of the input: a row of the table itself would be wrong.
		panic("domain: a posting rule doesn't balance")
	}
	return nil
}
