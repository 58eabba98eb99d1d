package post

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// What leakage_daily is to hold of an order is a function of its rows: ledger.FailureLines has it as a statement, which
// reads the rows back. Of an order whose rows are at hand it is worked out here, and reconcile compares what is there
// with what the statement gives.

// bucket is a row of leakage_daily without what it sums up: ledger.LeakageKey but for the unit.
type bucket struct {
	errorID         string
	day, posting    time.Time
	currency, store string
	account         domain.Account
	element         domain.Element
	basis           domain.Basis
}

// bucketSum is a row with what it sums up.
type bucketSum struct {
	bucket
	amount domain.Amount
	lines  uint64
}

// orderLeakage is what leakage_daily is to hold of one order. Both lists are short: of some thousand orders that are
// remembered, maps would take most of the memory.
type orderLeakage struct {
	order, soldBy string
	sums          []bucketSum        // each bucket once
	cases         []domain.CaseFacts // each case once, as known last
	version       uint64
}

// in is the sum of a bucket, a new one where there is none yet.
func (o *orderLeakage) in(b *bucket) *bucketSum {
	for i := range o.sums {
		if o.sums[i].bucket == *b {
			return &o.sums[i]
		}
	}
	o.sums = append(o.sums, bucketSum{bucket: *b})
	return &o.sums[len(o.sums)-1]
}

// known is what is known of a case; nil where nothing is.
func (o *orderLeakage) known(errorID string) *domain.CaseFacts {
	for i := range o.cases {
		if o.cases[i].Case == errorID {
			return &o.cases[i]
		}
	}
	return nil
}

// after gives the leakage its version, which is on the scale of ledger.RollUpVersion, as that of every recount. was is
// what it takes the place of: a bucket that was fills, and this doesn't, is overwritten with nothing.
func (o *orderLeakage) after(was *orderLeakage, version uint64) {
	o.version = version
	if was == nil {
		return
	}
	for i := range was.sums {
		o.in(&was.sums[i].bucket)
	}
}

// leakageOf is the leakage of an order of which these are all rows, whose lines are complete; false where that takes
// more than its own rows, or more room than an amount has.
func leakageOf(order string, rows []ledger.Stored) (*orderLeakage, bool) {
	all := &orderLeakage{order: order}
	var said []*ledger.Stored // those that the table of failures has
	for i := range rows {
		r := &rows[i]
		if r.Unit() != order || r.Refused != "" || r.Day.Unix() < 0 {
			return nil, false
		}
		if r.Event.ErrorID != "" || r.Settled {
			said = append(said, r)
		}
	}
	slices.SortFunc(said, inSequence)
	for _, r := range said {
		if r.SoldBy != "" || !r.PostsAlone() {
			all.soldBy = r.SoldBy
		}
		for k := range r.Facts {
			if r.Facts[k].Order != "" && r.Facts[k].Order != order {
				return nil, false
			}
			if known := all.known(r.Facts[k].Case); known != nil {
				*known = r.Facts[k]
			} else {
				all.cases = append(all.cases, r.Facts[k])
			}
		}
		posting := r.Posting.First()
		if r.Day.After(posting) {
			posting = r.Day
		}
		for k := range r.Lines {
			l := &r.Lines[k]
			if l.Order != "" && l.Order != order || l.Currency == "" {
				return nil, false
			}
			if l.Element == domain.NoElement && !(l.Step == domain.Change && l.Account.ProfitAndLoss()) {
				continue
			}
			sum := all.in(&bucket{l.Case, r.Day, posting, l.Currency, l.Store, l.Account, l.Element, l.Basis})
			if !sum.add(l.Amount) {
				return nil, false
			}
		}
	}
	return all, true
}

// inSequence orders rows as events stand in the sequence of their unit, by what the books keep of their times.
func inSequence(a, b *ledger.Stored) int {
	return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Event.Time.UnixMicro(), b.Event.Time.UnixMicro()),
		strings.Compare(a.Event.Source, b.Event.Source), strings.Compare(a.Event.ID, b.Event.ID))
}

// add adds a line; false where the sum has no room.
func (s *bucketSum) add(amount domain.Amount) bool {
	total := s.amount + amount
	if (total > s.amount) != (amount > 0) && amount != 0 {
		return false
	}
	s.amount = total
	if amount != 0 {
		s.lines++
	}
	return true
}

// bucketFacts are ledger.LeakageFacts of a bucket, but for the order.
type bucketFacts struct {
	part, vendor, kind, cause, party, employee, avoidable, category, founded string
}

func (o *orderLeakage) facts(of *bucket) bucketFacts {
	f := bucketFacts{part: "leakage", category: "external"}
	known := o.known(of.errorID)
	if known != nil {
		f.vendor, f.kind, f.cause, f.party, f.employee = known.VendorID, known.Kind, known.RootCause, known.PartyAtFault,
			known.EmployeeID
		f.avoidable = [...]string{"", "true", "false"}[known.Avoidable]
		if known.Internal {
			f.category = "internal"
		}
		switch {
		case known.Gone:
		case known.Founded:
			f.founded = "yes"
		default:
			f.founded = "no"
		}
	}
	switch {
	case of.element == domain.NoElement:
		f.part = "customer_changes"
	case !domain.IsFailure(f.kind):
		f.part = "changed_mind"
	case known != nil && !known.Founded:
		f.part = "unfounded"
	}
	return f
}
