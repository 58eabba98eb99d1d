package report

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
)

// AgedBalance is what an account of things still to come holds for one reference, and since when. Debit positive: what
// others owe us; credit negative: what we owe.
type AgedBalance struct {
	Account   string    `json:"account" ch:"number"`
	Name      string    `json:"name" ch:"-"`
	Reference string    `json:"reference" ch:"reference"` // case, claim, dispute, voucher; of accrued costs the month
	StoreID   string    `json:"store_id" ch:"store"`
	Currency  string    `json:"currency" ch:"currency"`
	Balance   string    `json:"balance" ch:"balance"`
	Since     time.Time `json:"since" ch:"since"` // the oldest event that it is made of
	AgeDays   int       `json:"age_days" ch:"-"`
	Events    []string  `json:"events" ch:"events"` // source and id, at most 20
}

// maxOpen bounds the list of open balances; the oldest come first.
const maxOpen = 10_000

// BalancesAt is the moment to which the age of balances is counted: that of asOf, or now; of a close the end of its month on
// the calendar of zone, or its own where that came first.
func (a AsOf) BalancesAt(now time.Time, zone *time.Location) time.Time {
	switch {
	case a.Close != nil:
		first := (a.Close.Period + 1).First()
		end := time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, zone).UTC()
		if at := a.Close.Mark.Time.UTC(); at.Before(end) {
			return at
		}
		return end
	case !a.Time.IsZero():
		return a.Time.UTC()
	default:
		return now.UTC()
	}
}

// ReadAgedBalances lists them: return assets by case, claims, disputes and vouchers by their own ids, accrued costs by
// store and month, since no event of the contract pays them one by one. As of a close they are the balances at the end of its
// month: what was posted in that month or before, and stood before the close. Their age counts to at.
func ReadAgedBalances(ctx context.Context, db driver.Conn, asOf AsOf, at time.Time) ([]AgedBalance, error) {
	open := []AgedBalance{}
	known, _ := asOf.recorded()
	if asOf.Close != nil {
		known += " AND posting_period <= toDate('" + asOf.Close.Period.First().Format(time.DateOnly) + "')"
	}
	// A void carries the whole event that it takes back.
	said := func(field string) string {
		return `if(voids_id = '', JSONExtractString(payload, '` + field + `'), JSONExtractString(payload, 'original', 'data', '` + field + `'))`
	}
	if err := db.Select(ctx, &open, `
SELECT toString(a) AS number, multiIf(a = 1210, error_id, a = 1300, `+said("claim_id")+`, a = 1310, `+said("dispute_id")+`,
           a = 2300, `+said("concession_id")+`, formatDateTime(posting_period, '%Y-%m')) AS reference,
       argMin(store_id, (occurred_at, source, event_id)) AS store, currency,
       toDecimalString(sum(CAST(x AS Decimal(38, 4))), 4) AS balance, min(occurred_at) AS since,
       arraySlice(arrayMap(e -> concat(e.2, ' ', e.3), arraySort(groupArray((occurred_at, source, event_id)))), 1, 20) AS events
FROM ledger FINAL ARRAY JOIN account AS a, amount AS x
WHERE refused = '' AND `+known+` AND hasAny(account, [1210, 1300, 1310, 2300, 2400]) AND a IN (1210, 1300, 1310, 2300, 2400)
GROUP BY a, reference, currency, if(a = 2400, store_id, '')
HAVING sum(CAST(x AS Decimal(38, 4))) != 0
ORDER BY since, number, reference, currency LIMIT `+fmt.Sprint(maxOpen)); err != nil {
		return nil, fmt.Errorf("list the open balances: %w", err)
	}
	names := map[string]string{}
	for _, c := range domain.Chart() {
		names[fmt.Sprint(uint16(c.Account))] = c.Name
	}
	for i := range open {
		b := &open[i]
		b.Name, b.Since = names[b.Account], b.Since.UTC()
		b.AgeDays = int(at.Sub(b.Since).Hours() / 24)
	}
	return open, nil
}
