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

// bucketSum is what a bucket sums up.
type bucketSum struct {
	amount domain.Amount
	lines  uint64
}

// orderLeakage is what leakage_daily is to hold of one order.
type orderLeakage struct {
	order, soldBy string
	sums          map[bucket]bucketSum
	cases         map[string]domain.CaseFacts // as known last
	version       uint64
}

// after gives the leakage its version, which is on the scale of ledger.RollUpVersion, as that of every recount. was is
// what it takes the place of: a bucket that was fills, and this doesn't, is overwritten with nothing.
func (o *orderLeakage) after(was *orderLeakage, version uint64) {
	o.version = version
	if was == nil {
		return
	}
	for b := range was.sums {
		if _, is := o.sums[b]; !is {
			o.sums[b] = bucketSum{}
		}
	}
}

// leakageOf is the leakage of an order of which these are all rows, whose lines are complete; false where that takes
// more than its own rows, or more room than an amount has.
func leakageOf(order string, rows []ledger.Stored) (*orderLeakage, bool) {
	all := &orderLeakage{order: order, sums: map[bucket]bucketSum{}, cases: map[string]domain.CaseFacts{}}
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
			all.cases[r.Facts[k].Case] = r.Facts[k]
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
			if !all.add(bucket{l.Case, r.Day, posting, l.Currency, l.Store, l.Account, l.Element, l.Basis}, l.Amount) {
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
func (o *orderLeakage) add(to bucket, amount domain.Amount) bool {
	sum := o.sums[to]
	total := sum.amount + amount
	if (total > sum.amount) != (amount > 0) && amount != 0 {
		return false
	}
	sum.amount = total
	if amount != 0 {
		sum.lines++
	}
	o.sums[to] = sum
	return true
}

// bucketFacts are ledger.LeakageFacts of a bucket, but for the order.
type bucketFacts struct {
	part, vendor, kind, cause, party, employee, avoidable, category, founded string
}

func (o *orderLeakage) facts(of *bucket) bucketFacts {
	f := bucketFacts{part: "leakage", category: "external"}
	known, isCase := o.cases[of.errorID]
	if isCase {
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
	case isCase && !known.Founded:
		f.part = "unfounded"
	}
	return f
}
