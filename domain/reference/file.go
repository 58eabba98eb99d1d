package reference

import (
	"cmp"
	"math/big"
	"slices"
)

// file is an order with its cases, or a case without an order, while its position is worked out.
type file struct {
	view   *view
	order  string
	home   string   // the order, also of a case whose order nobody has named yet
	events []*event // what counts of it, in the sequence
	sale   *sale
	cases  []*facts // as they come up in the sequence
	merged []*facts // that are part of others
	wholes map[Identity]bool

	refunded  map[*facts]totals   // net refunds that post, and lost disputes less tax, by currency
	wentBack  map[*facts]bool     // money went the other way in the case
	rounded   map[roundedIn]int   // how many those are that aren't zero
	refundPut totals              // by currency: refunds that post, with tax
	posted    map[string][]*event // by currency: refunds that post and lost disputes
	lost      totals              // by currency: lost disputes
	used      totals              // by currency: refunds that are what was taken off going back
	moved     totals              // by currency: what of that went back otherwise than in cash
	backWhole map[Identity]bool   // refunds that are nothing but that
}

// roundedIn is where a till rounds what it gives back.
type roundedIn struct {
	of       *facts
	currency string
}

func newFile(v *view, name string) *file {
	f := &file{view: v, sale: newSale(), refunded: map[*facts]totals{}, rounded: map[roundedIn]int{},
		posted: map[string][]*event{}, wentBack: map[*facts]bool{}, refundPut: totals{},
		lost: totals{}, used: totals{}, moved: totals{},
		backWhole: map[Identity]bool{}}
	for _, e := range v.counted {
		if v.groupOf(e) == name {
			f.events = append(f.events, e)
			f.order = v.orderFor(e)
			f.home = cmp.Or(f.order, v.homes[v.caseOf(e.named())], v.homes[""])
		}
	}
	return f
}

// book works the position out.
func (f *file) book() {
	f.bookSale()
	if f.order != "" {
		f.view.sales[f.order] = f.sale
	}
	f.gatherCases()
	f.bookRefunds()
	f.bookDisputes()
	f.bookVouchers()
	f.bookClaims()
	for _, e := range f.events {
		f.bookAlone(e)
	}
	f.bookGoods()
	f.judgeRefunds()
	f.nameVendors()
}

// caseOf is the case of an event: as it says, or, for a refund or dispute that doesn't say, "the order's case if it
// has exactly one, else a case of its own (its error_id is the refund_id)".
func (f *file) caseOf(e *event) *facts {
	if e.named() != "" {
		return f.caseNamed(f.view.caseOf(e.named()))
	}
	own := map[string]string{"refund.issued": "refund_id", "dispute.opened": "dispute_id", "dispute.won": "dispute_id",
		"dispute.lost": "dispute_id"}[e.kind]
	if own == "" || e.data.str(own) == "" {
		return nil
	}
	id := e.data.str(own)
	if named := f.namedCases(); len(named) == 1 {
		id = named[0]
	}
	c := f.caseNamed(f.view.caseOf(id))
	if !slices.Contains(c.events, e) {
		c.fixedBy(e)
		f.learnOwn(c, id, e)
	}
	return c
}

// namedCases are the cases that events make. A report or a fix of a case that is part of another makes that.
func (f *file) namedCases() []string {
	names := map[string]bool{}
	for _, e := range f.events {
		if makesACase(e) {
			names[f.view.caseOf(e.named())] = true
		}
	}
	return slices.Sorted(mapKeys(names))
}

// isFix tells what is done about a case from what is said of it.
func isFix(e *event) bool {
	return e.kind != "error.reported" && e.kind != "error.classified" && e.kind != "error.rejected"
}

func (f *file) caseNamed(id string) *facts {
	for _, c := range f.cases {
		if c.id == id {
			return c
		}
	}
	c := &facts{id: id, order: f.home, founded: true}
	f.cases = append(f.cases, c)
	f.view.cases[caseKey{f.home, id}] = c
	return c
}

func (f *file) at(e *event, step string) place {
	at := place{currency: e.currency(), step: step, store: e.store()}
	if c := f.caseOf(e); c != nil {
		at.caseID = c.id
	}
	return at
}

// rounded is an amount of an event as it enters the books.
func rounded(x *big.Rat) *big.Rat { return RoundHalfEven(x) }

// bookAlone books what an event posts whatever else happened.
func (f *file) bookAlone(e *event) {
	if posts := kindOf(e.kind).posts; posts != nil {
		posts(f, e)
	}
}
