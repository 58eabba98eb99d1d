package report

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
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
		return errors.New("a statement is of one store or of one vendor")
	}
	if !slices.Contains([]string{"", "posting", "occurred"}, q.PeriodBy) {
		return fmt.Errorf("period_by: %q is none of posting, occurred", q.PeriodBy)
	}
	return nil
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
	Gross      string             `json:"gross"` // of the cases, without changed_mind
	Recoveries string             `json:"recoveries"`
	Net        string             `json:"net"`
	Apart      string             `json:"changed_mind"`
}

// StatementAccount: Opening + Debit − Credit = Closing. Balance-sheet accounts open with all that was posted, or happened, before;
// from 4000 on an account begins every month with nothing.
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
	ErrorID      string   `json:"error_id"` // empty for a cancelled order
	OrderID      string   `json:"order_id"`
	Kind         string   `json:"kind"`
	RootCause    string   `json:"root_cause"`
	PartyAtFault string   `json:"party_at_fault"`
	VendorID     string   `json:"vendor_id"`
	Founded      bool     `json:"founded"`
	Gross        string   `json:"gross"`
	Recoveries   string   `json:"recoveries"`
	Net          string   `json:"net"`
	Evidence     []string `json:"evidence"` // source and id of every event of the case up to the end of the month, by time; those with money in the currency alone
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
	s := &Statement{Period: q.Period.String(), Store: q.Store, Vendor: q.Vendor, AsOf: now.UTC(), Currencies: []StatementCurrency{}}
	if q.PeriodBy == "occurred" {
		s.PeriodBy = q.PeriodBy
	}
	if q.bounded() {
		_, s.AsOf = q.AsOf.filter()
	}
	if err := q.readAccounts(ctx, db, s); err != nil {
		return nil, err
	}
	if err := q.readCases(ctx, db, s); err != nil {
		return nil, err
	}
	for i := range s.Currencies {
		if err := s.Currencies[i].total(); err != nil {
			return nil, fmt.Errorf("sum the statement: %w", err)
		}
	}
	return s, nil
}

// Known reports whether any event that the books may know names the store or vendor: what nobody has heard of isn't the same
// as what had a quiet month. Vendors are named by cases, and by the lines of orders.
func (q *StatementQuery) Known(ctx context.Context, db driver.Conn) (bool, error) {
	questions := []string{`SELECT count() FROM (SELECT 1 FROM ledger FINAL WHERE store_id = @store AND refused = '' AND ` + q.recorded() + ` LIMIT 1)`}
	if q.Vendor != "" {
		questions = []string{`SELECT count() FROM (SELECT 1 FROM failures FINAL WHERE vendor_id = @vendor AND refused = '' AND ` + q.recorded() + ` LIMIT 1)`,
			`SELECT count() FROM (SELECT 1 FROM ledger FINAL WHERE event_type = 'makegood.order.placed.v1' AND refused = '' AND ` + q.recorded() + `
    AND has(JSONExtract(payload, 'lines', 'Array(Tuple(vendor_id String))').vendor_id, @vendor) LIMIT 1)`}
	}
	for _, question := range questions {
		var n uint64
		if err := db.QueryRow(ctx, question, q.named()...).Scan(&n); err != nil {
			return false, fmt.Errorf("ask whether %s%s is known: %w", q.Store, q.Vendor, err)
		}
		if n > 0 {
			return true, nil
		}
	}
	return false, nil
}

func (q *StatementQuery) bounded() bool { return !q.AsOf.Time.IsZero() || q.AsOf.Close != nil }

// period is the column of the month that a row counts in.
func (q *StatementQuery) period() string {
	if q.PeriodBy == "occurred" {
		return "origin_period"
	}
	return "posting_period"
}

func (q *StatementQuery) recorded() string {
	if !q.bounded() {
		return "true"
	}
	filter, _ := q.AsOf.filter()
	return filter
}

func (q *StatementQuery) named() []any {
	return []any{clickhouse.Named("month", q.Period.First().Format(time.DateOnly)), clickhouse.Named("store", q.Store), clickhouse.Named("vendor", q.Vendor)}
}

// cases is what is known of all cases that the books may know.
func (q *StatementQuery) cases() string {
	return `WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND ` + q.recorded() + `), ` + ledger.CaseFacts
}

func (q *StatementQuery) readAccounts(ctx context.Context, db driver.Conn, s *Statement) error {
	month := q.period()
	with, scope := "", "store_id = @store"
	if q.Vendor != "" {
		with, scope = q.cases(), "error_id != '' AND error_id IN (SELECT error_id FROM cases WHERE vendor_id = @vendor)"
	}
	sum := func(condition string) string { return `sumIf(CAST(x AS Decimal(38, 4)), ` + condition + `)` }
	rows, err := db.Query(ctx, with+`
SELECT currency, a, toDecimalString(opening, 4), toDecimalString(debit, 4), toDecimalString(credit, 4), toDecimalString(opening + debit - credit, 4)
FROM (
    SELECT currency, a, `+sum(month+" < toDate(@month) AND a < 4000")+` AS opening,
           `+sum(month+" = toDate(@month) AND x > 0")+` AS debit, -`+sum(month+" = toDate(@month) AND x < 0")+` AS credit
    FROM ledger FINAL ARRAY JOIN account AS a, amount AS x
    WHERE refused = '' AND `+month+` <= toDate(@month) AND `+q.recorded()+` AND `+scope+`
    GROUP BY currency, a)
WHERE opening != 0 OR debit != 0 OR credit != 0
ORDER BY currency, a`, q.named()...)
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
	month := "e." + q.period()
	scope := "(@store = '' OR e.store_id = @store) AND (@vendor = '' OR e.error_id != '' AND c.vendor_id = @vendor)"
	sum := func(condition string) string {
		return `sum(arraySum(arrayMap((k, x) -> if(` + condition + ` AND ` + month + ` = toDate(@month), CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), e.element, e.amount)))`
	}
	rows, err := db.Query(ctx, q.cases()+`
SELECT e.currency AS currency, e.error_id AS id, anyIf(e.order_id, e.order_id != ''), any(c.kind), any(c.root_cause), any(c.party_at_fault), any(c.vendor_id), toBool(any(c.is_founded)),
       toDecimalString(`+sum("k NOT IN ('', 'RECOVERY', 'SALVAGE')")+`, 4), toDecimalString(-`+sum("k IN ('RECOVERY', 'SALVAGE')")+`, 4),
       toDecimalString(`+sum("k != ''")+`, 4),
       arrayMap(x -> concat(x.2, ' ', x.3), arraySort(arrayConcat(groupArray((e.occurred_at, e.source, e.event_id)), any(s.events)))) AS evidence
FROM events AS e LEFT JOIN cases AS c ON c.error_id = e.error_id LEFT JOIN (
    -- What says something of a case and carries no money: it is of every currency.
    SELECT error_id, groupArray((occurred_at, source, event_id)) AS events FROM events AS e
    WHERE error_id != '' AND currency = '' AND `+month+` <= toDate(@month) GROUP BY error_id) AS s ON s.error_id = e.error_id
WHERE `+month+` <= toDate(@month) AND e.currency != '' AND `+scope+`
GROUP BY currency, id, if(e.error_id = '', e.order_id, '')
HAVING countIf(`+month+` = toDate(@month) AND arrayExists(k -> k != '', e.element)) > 0
ORDER BY currency, id, anyIf(e.order_id, e.order_id != '')`, q.named()...)
	if err != nil {
		return fmt.Errorf("list the cases of the statement: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var currency string
		var c StatementCase
		if err := rows.Scan(&currency, &c.ErrorID, &c.OrderID, &c.Kind, &c.RootCause, &c.PartyAtFault, &c.VendorID, &c.Founded, &c.Gross, &c.Recoveries, &c.Net, &c.Evidence); err != nil {
			return fmt.Errorf("list the cases of the statement: %w", err)
		}
		part := s.currency(currency)
		part.Cases = append(part.Cases, c)
	}
	return rows.Err()
}

func (s *Statement) currency(code string) *StatementCurrency {
	for i := range s.Currencies {
		if s.Currencies[i].Currency == code {
			return &s.Currencies[i]
		}
	}
	s.Currencies = append(s.Currencies, StatementCurrency{Currency: code, Accounts: []StatementAccount{}, Cases: []StatementCase{}})
	return &s.Currencies[len(s.Currencies)-1]
}

func (c *StatementCurrency) total() error {
	gross, recoveries, net, apart := new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)
	for i := range c.Cases {
		a, err := amounts(c.Cases[i].Gross, c.Cases[i].Recoveries, c.Cases[i].Net)
		if err != nil {
			return err
		}
		if c.Cases[i].Kind == "changed_mind" {
			apart.Add(apart, a[2])
			continue
		}
		gross.Add(gross, a[0])
		recoveries.Add(recoveries, a[1])
		net.Add(net, a[2])
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
	c.Gross, c.Recoveries, c.Net, c.Apart = gross.FloatString(4), recoveries.FloatString(4), net.FloatString(4), apart.FloatString(4)
	return nil
}
