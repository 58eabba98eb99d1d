package report

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/sql"
)

// SummaryQuery asks how well a business served, what its failures cost, and what it spent on having fewer.
type SummaryQuery struct {
	From, To time.Time // days in the books' zone; To is exclusive
	Store    string    // empty: all
	Currency string    // ISO 4217; empty where there is one only
	// PeriodBy is occurred (empty is the same) or posting: then money counts in the month in which it is posted.
	// Deliveries and customers who come back post nothing, and count when they happened.
	PeriodBy string
	AsOf     AsOf
	Brief    bool // without the two views and the returning customers, which take most of the time
}

// Validate says what is wrong with the question.
func (q *SummaryQuery) Validate() error {
	if q.From.IsZero() || q.To.IsZero() || !q.From.Before(q.To) {
		return &Invalid{Code: EmptySpan}
	}
	if q.PeriodBy == "" {
		return nil
	}
	return oneOf("period_by", q.PeriodBy, "occurred", "posting")
}

// Summary is the answer: every number with what it was divided by, so that whoever doubts it can count.
type Summary struct {
	From     string    `json:"from"`
	To       string    `json:"to"` // exclusive
	Store    string    `json:"store,omitempty"`
	Currency string    `json:"currency"` // empty where no money moved
	PeriodBy string    `json:"period_by"`
	AsOf     time.Time `json:"as_of"`

	// Of the orders whose last delivery falls in the period, in orders.
	RightFirstTime Ratio `json:"right_first_time"` // the promise kept and no founded case
	PerfectOrder   Ratio `json:"perfect_order"`    // SCOR RL.1.1: on time, in full, undamaged, right items and documents
	OnTime         Ratio `json:"on_time"`          // no later than the last promise agreed ÷ with one
	InFull         Ratio `json:"in_full"`          // every promised line
	SilentFailures Ratio `json:"silent_failures"`  // the promise broken, and nobody reported an error
	Promised       Ratio `json:"with_a_time_promised"`

	// Of the redeliveries dispatched in the period with a time promised: those that were completed by then.
	FixPromiseKept Ratio `json:"fix_promise_kept"`

	// Money, in Currency. Leakage is net of recoveries unless it says gross; what stands apart is in none of it.
	// leakage of founded cases: marked avoidable ÷ marked at all, and without that mark ÷ all of it
	AvoidableShare Ratio `json:"avoidable_share"`
	Unmarked       Ratio `json:"avoidable_unmarked"`
	HiddenShare    Ratio `json:"hidden_share"` // imputed ÷ gross leakage
	// leakage ÷ what account 4000 took, net of tax and cancellations
	LeakageShareOfNetSales Ratio `json:"leakage_share_of_net_sales"`
	CostPerCase            Ratio `json:"cost_per_case"` // leakage of founded cases ÷ those with a leakage line
	// of the orders placed in the period ÷ those orders, without those that their customers cancelled whole
	PerfectContribution Ratio `json:"perfect_contribution"`
	OrdersToEarnBack    Ratio `json:"orders_to_earn_back"` // cost per case ÷ mean perfect contribution
	// prevention, appraisal, internal and external failure
	PAF                PAF         `json:"paf"`
	CashAndProfit      Views       `json:"cash_and_profit"`     // the same fixes, seen twice
	ReturningCustomers []Returning `json:"returning_customers"` // within 30 and 90 days

	// Apart is what is no leakage and stands beside it, by the keys of Leakage.Apart.
	Apart map[string]string `json:"apart"`
}

// Ratio is a number with its two halves. Money has 4 decimals, counts none; Value has 6, rounded half to even, and is
// null where there is nothing to divide by.
type Ratio struct {
	Numerator   string  `json:"numerator"`
	Denominator string  `json:"denominator"`
	Value       *string `json:"value"`
}

// PAF is the cost of quality by prevention, appraisal and failure (ASQ): each with its share of the whole.
type PAF struct {
	Prevention Ratio       `json:"prevention"`
	Appraisal  Ratio       `json:"appraisal"`
	Internal   Ratio       `json:"internal"` // found before delivery
	External   Ratio       `json:"external"`
	Periods    []PAFPeriod `json:"periods"` // months in which anything was spent
}

// PAFPeriod is one month of it, in money.
type PAFPeriod struct {
	Period     string `json:"period"` // YYYY-MM
	Prevention string `json:"prevention"`
	Appraisal  string `json:"appraisal"`
	Internal   string `json:"internal"`
	External   string `json:"external"`
	Total      string `json:"total"`
}

// Views are what the fixes of the period did to the bank account and to the profit: what left or never came is
// negative.
type Views struct {
	Cash       string `json:"cash"`       // Σ on 1010, taxes included
	Profit     string `json:"profit"`     // −Σ on 4xxx and 5xxx
	Difference string `json:"difference"` // Cash − Profit
}

// ReadSummary answers from the months of the period and from what its orders, cases and customers need besides.
func ReadSummary(ctx context.Context, db driver.Conn, q SummaryQuery, now time.Time) (*Summary, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	s := &Summary{From: q.From.Format(time.DateOnly), To: q.To.Format(time.DateOnly), Store: q.Store,
		PeriodBy: cmp.Or(q.PeriodBy, "occurred"), AsOf: q.AsOf.Moment(now)}
	var err error
	if q.Currency == "" {
		if q.Currency, err = OnlyCurrency(ctx, db, q.currencies()); err != nil {
			return nil, err
		}
	}
	s.Currency = q.Currency
	served, err := readDeliveries(ctx, db, &q)
	if err != nil {
		return nil, err
	}
	s.RightFirstTime, s.PerfectOrder = counts(served.Right, served.Delivered), counts(served.Kept, served.Delivered)
	s.OnTime, s.InFull = counts(served.OnTime, served.Promised), counts(served.InFull, served.Delivered)
	s.SilentFailures, s.Promised = counts(served.Silent, served.Delivered), counts(served.Promised, served.Delivered)

	fixes, err := readFixPromises(ctx, db, &q)
	if err != nil {
		return nil, err
	}
	s.FixPromiseKept = counts(fixes.Kept, fixes.Promised)

	if err := s.readMoney(ctx, db, &q); err != nil || q.Brief {
		return s, err
	}
	if s.CashAndProfit, err = readViews(ctx, db, &q); err != nil {
		return nil, err
	}
	s.ReturningCustomers, err = readReturning(ctx, db, &q, s.AsOf)
	return s, err
}

// readMoney fills in what is money, but for the two views.
func (s *Summary) readMoney(ctx context.Context, db driver.Conn, q *SummaryQuery) error {
	trade, err := readTrade(ctx, db, q)
	if err != nil {
		return err
	}
	cost, err := readFailureCost(ctx, db, q)
	if err != nil {
		return err
	}
	s.AvoidableShare, s.Unmarked = ratio(cost.avoidable, cost.known), ratio(cost.unmarked, cost.ofCases)
	s.HiddenShare = ratio(cost.hidden, cost.gross)
	s.LeakageShareOfNetSales = ratio(cost.net, trade.sales)
	s.CostPerCase = perUnit(cost.ofCases, cost.cases)
	s.PerfectContribution = perUnit(trade.perfect, trade.orders)
	s.OrdersToEarnBack = earnBack(cost, trade)
	s.PAF = paf(trade.months, cost.months)
	s.Apart, err = readApart(ctx, db, q.apart())
	return err
}

// summaryData is what the statements of a SummaryQuery are made of.
type summaryData struct {
	Sources
	Posting bool   // money counts in the month in which it is posted
	Cases   string // what is known of the cases of events, as common table expressions
	Day     string // its column of the day on which a line counts
	Views   bool   // the ledger is a view, of which no column can be read first
}

func (q *SummaryQuery) data() summaryData {
	d := summaryData{Posting: q.PeriodBy == "posting", Sources: q.AsOf.Sources(),
		Cases: ledger.CaseFacts,
		Day:   "day"}
	if d.Posting {
		d.Day = "posting_day"
	}
	return d
}

func (q *SummaryQuery) of(name string, args ...any) sql.Statement {
	return statements.Make(name, q.data(), append([]any{sql.Named("from", q.From), sql.Named("to", q.To),
		sql.Named("store", q.Store),
		sql.Named("currency", q.Currency)}, args...)...)
}

// currencies asks in which currencies money moved.
func (q *SummaryQuery) currencies() sql.Statement { return q.of("summary_currencies") }

func counts(numerator, denominator uint64) Ratio {
	return ratioOf(new(big.Rat).SetUint64(numerator), new(big.Rat).SetUint64(denominator), 0, 0)
}

func ratio(numerator, denominator *big.Rat) Ratio { return ratioOf(numerator, denominator, 4, 4) }

func perUnit(amount *big.Rat, n uint64) Ratio {
	return ratioOf(amount, new(big.Rat).SetUint64(n), 4, 0)
}

func ratioOf(numerator, denominator *big.Rat, decimalsAbove, decimalsBelow int) Ratio {
	r := Ratio{Numerator: numerator.FloatString(decimalsAbove), Denominator: denominator.FloatString(decimalsBelow)}
	if denominator.Sign() != 0 {
		value := rounded(new(big.Rat).Quo(numerator, denominator), 6)
		r.Value = &value
	}
	return r
}

// earnBack divides two means. They are shown rounded, but divided as they are.
func earnBack(cost *failureCost, trade *trade) Ratio {
	mean := func(sum *big.Rat, n uint64) *big.Rat {
		if n == 0 {
			return new(big.Rat)
		}
		return new(big.Rat).Quo(sum, new(big.Rat).SetUint64(n))
	}
	r := ratioOf(mean(cost.ofCases, cost.cases), mean(trade.perfect, trade.orders), 4, 4)
	if cost.cases == 0 {
		r.Value = nil
	}
	return r
}

// rounded writes r with that many decimals, half to even, as all of makegood rounds. (big.Rat rounds half away from
// zero.)
func rounded(r *big.Rat, decimals int) string {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	scaled := new(big.Rat).Mul(r, new(big.Rat).SetInt(scale))
	negative := scaled.Sign() < 0
	scaled.Abs(scaled)
	whole, rest := new(big.Int).QuoRem(scaled.Num(), scaled.Denom(), new(big.Int))
	if c := rest.Lsh(rest, 1).Cmp(scaled.Denom()); c > 0 || c == 0 && whole.Bit(0) == 1 {
		whole.Add(whole, big.NewInt(1))
	}
	text := new(big.Rat).SetFrac(whole, scale).FloatString(decimals)
	if negative && strings.Trim(text, "0.") != "" {
		text = "-" + text
	}
	return text
}

// amounts reads decimals as ClickHouse writes them.
func amounts(texts ...string) ([]*big.Rat, error) {
	all := make([]*big.Rat, len(texts))
	for i, text := range texts {
		r, ok := new(big.Rat).SetString(text)
		if !ok {
			return nil, fmt.Errorf("%q is no amount", text)
		}
		all[i] = r
	}
	return all, nil
}
