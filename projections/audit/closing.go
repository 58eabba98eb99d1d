package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/sql"
)

// PeriodState is what is to be known of a month before it is closed, and after.
type PeriodState struct {
	Period   string     `json:"period"`
	Closed   bool       `json:"closed"`
	ClosedAt *time.Time `json:"closed_at"` // of the last close; null where there was none
	ClosedBy *ClosedBy  `json:"closed_by"` // whose event that close is; null where there was none
	Seal     *SealSaid  `json:"seal"`      // of the last close; null until it is written, soon after the close
	Over     bool       `json:"over"`      // by the calendar of the books' time zone
	// Settled: everything that stood before the last close is booked, and none of it waits for the conflict check. Where
	// the month is open, the same of everything that is there now. Unsettled says what is missing to that.
	Settled bool `json:"settled"`
	Unsettled

	Events   uint64 `json:"events"`   // posted in the month
	Unpriced uint64 `json:"unpriced"` // of them, with a line that no rate could price
	// open, of any month: what isn't in the books can't say which it belongs to
	DeadLetters uint64        `json:"dead_letters"`
	Open        []OpenBalance `json:"open"`
}

// OpenBalance is what an account that should come to nothing in the end holds at the end of a month: claims not yet
// settled, disputes not yet decided, goods not yet returned, vouchers not yet used, costs not yet billed.
type OpenBalance struct {
	Account  string `json:"account"`
	Name     string `json:"name"`
	Currency string `json:"currency"`
	Amount   string `json:"amount"` // debit +, credit −, 4 decimals
	Orders   uint64 `json:"orders"` // orders, or cases without one, whose balance is not zero
}

// ClosedBy is the event by which a month was closed, and who sent it. Of two that want to close the same month the
// first does: whoever sent the other finds here that it was not theirs.
type ClosedBy struct {
	Source string `json:"source"`
	ID     string `json:"id"`
	Actor  string `json:"actor"` // empty where the event doesn't say, or isn't booked yet
	Reason string `json:"reason"`
}

// ReadClosedBy asks the books who sent the event of that identity.
func ReadClosedBy(ctx context.Context, db driver.Conn, source, id string) (*ClosedBy, error) {
	by := &ClosedBy{Source: source, ID: id}
	var payloads []string
	if err := db.QueryRow(ctx, `SELECT groupArray(payload) FROM ledger FINAL
WHERE order_id = '' AND stream = 'books' AND source = ? AND event_id = ? AND refused = ''`, source,
		id).Scan(&payloads); err != nil {
		return nil, fmt.Errorf("ask who closed: %w", err)
	}
	if len(payloads) > 0 {
		e := AuditEntry{}
		e.read([]byte(payloads[0]), voidedName{})
		by.Actor, by.Reason = e.Actor, e.Reason
	}
	return by, nil
}

// Unsettled is what isn't certain yet though it is recorded.
type Unsettled struct {
	Unbooked int64 `json:"unbooked"` // records that stand in the log and are not booked yet
	// identities that are booked with two contents, until the conflict check takes one out
	Conflicts uint64 `json:"conflicts"`
	Doubles   uint64 `json:"doubles"` // orders that several events place, until the same check settles them
}

// UnsettledError says that what is closed can't be quoted as final yet. That passes by itself.
type UnsettledError struct{ Unsettled }

func (e *UnsettledError) Error() string {
	return "what came before the close is not settled yet, so nothing of it is final: " + e.String() + "; ask again"
}

// String says it for people; nothing where there is nothing.
func (u Unsettled) String() string {
	var parts []string
	if u.Unbooked > 0 {
		parts = append(parts, fmt.Sprintf("%d records are not booked yet", u.Unbooked))
	}
	if u.Conflicts > 0 {
		parts = append(parts, fmt.Sprintf("%d events, each of one identity with two contents, wait for the conflict check",
			u.Conflicts))
	}
	if u.Doubles > 0 {
		parts = append(parts, fmt.Sprintf("%d orders that several events place wait for the same check", u.Doubles))
	}
	return strings.Join(parts, ", and ")
}

// provisionalAccounts are those that clear themselves in time.
var provisionalAccounts = []domain.Account{domain.ReturnAsset, domain.ClaimsReceivable, domain.DisputeReceivable,
	domain.VoucherLiability, domain.AccruedCosts, domain.GoodsOwed}

// ReadPeriod reads what is provisional in a month. Closed, ClosedAt, Over, Settled and Unsettled are the caller's to
// fill in: log and clock know them.
func ReadPeriod(ctx context.Context, db driver.Conn, period domain.Period) (*PeriodState, error) {
	s := &PeriodState{Period: period.String(), Open: []OpenBalance{}}
	first := period.First().Format(time.DateOnly)
	if err := db.QueryRow(ctx, `
SELECT count(), countIf(notEmpty(unpriced)), (SELECT count() FROM `+deadletter.Open+`)
FROM ledger FINAL WHERE refused = '' AND posting_period = toDate(?)`, first).Scan(&s.Events, &s.Unpriced,
		&s.DeadLetters); err != nil {
		return nil, fmt.Errorf("count the events of %s: %w", period, err)
	}
	accounts := make([]uint16, len(provisionalAccounts))
	for i, a := range provisionalAccounts {
		accounts[i] = uint16(a)
	}
	rows, err := db.Query(ctx, `
SELECT a, of_currency, toDecimalString(sum(balance), 4), countIf(balance != 0) FROM (
    SELECT a, l_currency AS of_currency, order_id, if(order_id = '', error_id, '') AS case_id,
        sum(CAST(x AS Decimal(38, 4))) AS balance
    FROM ledger FINAL ARRAY JOIN account AS a, amount AS x, `+sql.LineCurrency+` AS l_currency
    WHERE refused = '' AND posting_period <= toDate(?) AND a IN (?)
    GROUP BY a, of_currency, order_id, case_id)
GROUP BY a, of_currency HAVING sum(balance) != 0 OR countIf(balance != 0) > 0 ORDER BY a, of_currency`, first, accounts)
	if err != nil {
		return nil, fmt.Errorf("read what is open in %s: %w", period, err)
	}
	defer rows.Close()
	for rows.Next() {
		var o OpenBalance
		var account uint16
		if err := rows.Scan(&account, &o.Currency, &o.Amount, &o.Orders); err != nil {
			return nil, fmt.Errorf("read what is open in %s: %w", period, err)
		}
		o.Account, o.Name = fmt.Sprint(account), domain.Account(account).Name()
		s.Open = append(s.Open, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read what is open in %s: %w", period, err)
	}
	return s, nil
}
