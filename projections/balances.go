package projections

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

// ReadAgedBalances lists them: return assets by case, claims, disputes and vouchers by their own ids, accrued costs by
// store and month, since no event of the contract pays them one by one.
func ReadAgedBalances(ctx context.Context, db driver.Conn, now time.Time) ([]AgedBalance, error) {
	open := []AgedBalance{}
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
WHERE refused = '' AND hasAny(account, [1210, 1300, 1310, 2300, 2400]) AND a IN (1210, 1300, 1310, 2300, 2400)
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
		b.AgeDays = int(now.Sub(b.Since).Hours() / 24)
	}
	return open, nil
}
