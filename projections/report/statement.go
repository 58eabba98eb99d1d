package report

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/sql"
)

// StatementQuery asks for the account of one store, or of one vendor, over a month.
type StatementQuery struct {
	Period domain.Period
	Store  string // exactly one of the two
	Vendor string // of the cases, as last classified
	// PeriodBy is posting (empty is the same): what is posted in the month; or occurred: what happened in it, whenever it
	// came and wherever it is posted.
	PeriodBy string
	AsOf     AsOf
}

// Validate says what is wrong with the question.
func (q *StatementQuery) Validate() error {
	if (q.Store == "") == (q.Vendor == "") {
		return &Invalid{Code: StoreOrVendor}
	}
	if q.PeriodBy == "" {
		return nil
	}
	return oneOf("period_by", q.PeriodBy, "posting", "occurred")
}

// Statement is opening, movements and closing by account, and the cases behind them, in each currency by itself.
type Statement struct {
	Period     string              `json:"period"`              // YYYY-MM, of posting unless PeriodBy says otherwise
	PeriodBy   string              `json:"period_by,omitempty"` // occurred, where that was asked for
	Store      string              `json:"store,omitempty"`
	Vendor     string              `json:"vendor,omitempty"`
	AsOf       time.Time           `json:"as_of"`
	Currencies []StatementCurrency `json:"currencies"`
}

// StatementCurrency is the part of it in one currency. Nothing of it is ever added to another's.
type StatementCurrency struct {
	Currency   string             `json:"currency"`
	Accounts   []StatementAccount `json:"accounts"`
	Debit      string             `json:"debit"` // Σ over the accounts: what was moved balances
	Credit     string             `json:"credit"`
	Cases      []StatementCase    `json:"cases"`
	Gross      string             `json:"gross"` // of the founded cases, and of orders that the business itself cancelled
	Recoveries string             `json:"recoveries"`
	Net        string             `json:"net"`

	// In none of the three: what cases without a failure cost, and what customers brought a store by changing their
	// orders.
	ChangedMind     string `json:"changed_mind"`
	Unfounded       string `json:"unfounded"`
	CustomerChanges string `json:"customer_changes"`
}

// StatementAccount: Opening + Debit − Credit = Closing. Balance-sheet accounts open with all that was posted, or
// happened, before; from 4000 on an account begins every month with nothing.
type StatementAccount struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Opening string `json:"opening"`
	Debit   string `json:"debit"`
	Credit  string `json:"credit"`
	Closing string `json:"closing"`
}

// StatementCase is a case, or an order that the business itself cancelled, with leakage of the month.
type StatementCase struct {
	ErrorID      string `json:"error_id"` // empty for a cancelled order
	OrderID      string `json:"order_id"`
	Kind         string `json:"kind"`
	RootCause    string `json:"root_cause"`
	PartyAtFault string `json:"party_at_fault"`
	VendorID     string `json:"vendor_id"`
	Founded      bool   `json:"founded"`
	Gross        string `json:"gross"`
	Recoveries   string `json:"recoveries"`
	Net          string `json:"net"`
	// source and id of every event of the case up to the end of the month, by time; those with money in the currency alone
	Evidence []string `json:"evidence"`

	failedNobody bool // not founded; of one that is no case any more, as it was known last
}

// UnknownNameError says that no event that the books may know names such a store or vendor.
type UnknownNameError struct{ What, Name string }

func (e *UnknownNameError) Error() string {
	return fmt.Sprintf("the books know no %s %q", e.What, e.Name)
}

// ReadStatement makes it. A vendor's accounts are moved by the events of the vendor's cases alone.
func ReadStatement(ctx context.Context, db driver.Conn, q StatementQuery, now time.Time) (*Statement, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	s := &Statement{Period: q.Period.String(), Store: q.Store, Vendor: q.Vendor, AsOf: q.AsOf.Moment(now),
		Currencies: []StatementCurrency{}}
	if q.PeriodBy == "occurred" {
		s.PeriodBy = q.PeriodBy
	}
	if err := q.readAccounts(ctx, db, s); err != nil {
		return nil, err
	}
	if err := q.readCases(ctx, db, s); err != nil {
		return nil, err
	}
	if err := q.readChanges(ctx, db, s); err != nil {
		return nil, err
	}
	for i := range s.Currencies {
		if err := s.Currencies[i].total(); err != nil {
			return nil, fmt.Errorf("sum the statement: %w", err)
		}
	}
	return s, nil
}

// Known reports whether any event that the books may know names the store or vendor: what nobody has heard of isn't the
// same as what had a quiet month. Vendors are named by cases, and by the lines of orders.
func (q *StatementQuery) Known(ctx context.Context, db driver.Conn) (bool, error) {
	for _, question := range q.known() {
		var n uint64
		if err := question.Row(ctx, db).Scan(&n); err != nil {
			return false, fmt.Errorf("ask whether %s%s is known: %w", q.Store, q.Vendor, err)
		}
		if n > 0 {
			return true, nil
		}
	}
	return false, nil
}

// statementData is what the statements of a StatementQuery are made of.
type statementData struct {
	Sources
	Cases  string // what is known of the cases of events, as common table expressions
	Month  string // the column of the month that a row counts in
	Vendor bool   // it is of a vendor
}

// Sum sums, of a group of lines, the amounts of the month whose element k meets a condition.
func (d statementData) Sum(condition string) string {
	return fmt.Sprintf("sumIf(%s, %s AND in_month = toDate(@month))", sql.Money("x"), condition)
}

func (q *StatementQuery) of(name string) sql.Statement {
	d := statementData{Sources: q.AsOf.Sources(), Cases: ledger.CaseFacts, Month: "posting_period", Vendor: q.Vendor != ""}
	if q.PeriodBy == "occurred" {
		d.Month = "origin_period"
	}
	return statements.Make(name, d, sql.Named("month", q.Period.First()), sql.Named("store", q.Store),
		sql.Named("vendor", q.Vendor))
}

// known asks, one after the other, whether anything names the store or the vendor.
func (q *StatementQuery) known() []sql.Statement {
	if q.Vendor == "" {
		return []sql.Statement{q.of("store_known")}
	}
	return []sql.Statement{q.of("vendor_of_a_case"), q.of("vendor_of_an_order")}
}

// accounts asks for opening, movements and closing by currency and account.
func (q *StatementQuery) accounts() sql.Statement { return q.of("statement_accounts") }

// cases asks for the cases by currency.
func (q *StatementQuery) cases() sql.Statement { return q.of("statement_cases") }

func (q *StatementQuery) readAccounts(ctx context.Context, db driver.Conn, s *Statement) error {
	rows, err := q.accounts().Rows(ctx, db)
	if err != nil {
		return fmt.Errorf("read the accounts of the statement: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var currency string
		var account uint16
		var a StatementAccount
		if err := rows.Scan(&currency, &account, &a.Opening, &a.Debit, &a.Credit, &a.Closing); err != nil {
			return fmt.Errorf("read the accounts of the statement: %w", err)
		}
		a.Account, a.Name = fmt.Sprint(account), domain.Account(account).Name()
		c := s.currency(currency)
		c.Accounts = append(c.Accounts, a)
	}
	return rows.Err()
}

func (q *StatementQuery) readCases(ctx context.Context, db driver.Conn, s *Statement) error {
	rows, err := q.cases().Rows(ctx, db)
	if err != nil {
		return fmt.Errorf("list the cases of the statement: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var currency string
		var c StatementCase
		if err := rows.Scan(&currency, &c.ErrorID, &c.OrderID, &c.Kind, &c.RootCause, &c.PartyAtFault, &c.VendorID,
			&c.Founded, &c.failedNobody, &c.Gross, &c.Recoveries, &c.Net, &c.Evidence); err != nil {
			return fmt.Errorf("list the cases of the statement: %w", err)
		}
		part := s.currency(currency)
		part.Cases = append(part.Cases, c)
	}
	return rows.Err()
}

// changes asks what customers brought by changing their orders, by currency. No vendor's cases have such lines.
func (q *StatementQuery) changes() sql.Statement { return q.of("statement_changes") }

func (q *StatementQuery) readChanges(ctx context.Context, db driver.Conn, s *Statement) error {
	if q.Vendor != "" {
		return nil
	}
	rows, err := q.changes().Rows(ctx, db)
	if err != nil {
		return fmt.Errorf("read what customers changed: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var currency, amount string
		if err := rows.Scan(&currency, &amount); err != nil {
			return fmt.Errorf("read what customers changed: %w", err)
		}
		s.currency(currency).CustomerChanges = amount
	}
	return rows.Err()
}

func (s *Statement) currency(code string) *StatementCurrency {
	for i := range s.Currencies {
		if s.Currencies[i].Currency == code {
			return &s.Currencies[i]
		}
	}
	s.Currencies = append(s.Currencies, StatementCurrency{Currency: code, Accounts: []StatementAccount{},
		Cases: []StatementCase{}})
	return &s.Currencies[len(s.Currencies)-1]
}

func (c *StatementCurrency) total() error {
	gross, recoveries, net, changed, unfounded := new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)
	for i := range c.Cases {
		k := &c.Cases[i]
		a, err := amounts(k.Gross, k.Recoveries, k.Net)
		if err != nil {
			return err
		}
		switch {
		case !domain.IsFailure(k.Kind):
			changed.Add(changed, a[2])
		case k.failedNobody:
			unfounded.Add(unfounded, a[2])
		default:
			gross.Add(gross, a[0])
			recoveries.Add(recoveries, a[1])
			net.Add(net, a[2])
		}
	}
	debit, credit := new(big.Rat), new(big.Rat)
	for i := range c.Accounts {
		a, err := amounts(c.Accounts[i].Debit, c.Accounts[i].Credit)
		if err != nil {
			return err
		}
		debit.Add(debit, a[0])
		credit.Add(credit, a[1])
	}
	c.Debit, c.Credit = debit.FloatString(4), credit.FloatString(4)
	c.Gross, c.Recoveries, c.Net = gross.FloatString(4), recoveries.FloatString(4), net.FloatString(4)
	c.ChangedMind, c.Unfounded = changed.FloatString(4), unfounded.FloatString(4)
	if c.CustomerChanges == "" {
		c.CustomerChanges = new(big.Rat).FloatString(4)
	}
	return nil
}
