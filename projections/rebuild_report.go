package projections

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/makegood/makegood/domain"
)

// RebuildReport is what a rebuild changes. Amounts have 4 decimals, debit +, credit −.
type RebuildReport struct {
	Events         uint64              `json:"events"`          // that come out otherwise
	Mended         uint64              `json:"mended"`          // rows kept from the ledger that did not agree with it
	UnpricedBefore uint64              `json:"unpriced_before"` // events with a line that no rate can price
	UnpricedAfter  uint64              `json:"unpriced_after"`
	Accounts       []AccountDifference `json:"accounts"` // only those that change
	Left           []LeftPeriod        `json:"left"`     // closed months whose events would come out otherwise and stay
	NotPosted      uint64              `json:"not_posted"`
	// NotPostedEvents are the first of them: events that today's rules refuse. They stay as they are.
	NotPostedEvents []NotPosted `json:"not_posted_events"`
}

// Nothing says that the books are as a rebuild would make them.
func (d *RebuildReport) Nothing() bool { return d.Events == 0 && d.Mended == 0 }

// AccountDifference is what an account holds of a posting period in a store, before and after.
type AccountDifference struct {
	Period   string `json:"period"`
	Account  string `json:"account"`
	Name     string `json:"name"`
	Store    string `json:"store"`
	Currency string `json:"currency"`
	Before   string `json:"before"`
	After    string `json:"after"`
	Delta    string `json:"delta"`
}

// LeftPeriod is a closed month, and how many events stay as they are for its sake. Named are some of them.
type LeftPeriod struct {
	Period string       `json:"period"`
	Events uint64       `json:"events"`
	Named  []NamedEvent `json:"named"`
}

// NamedEvent is an event by its identity.
type NamedEvent struct {
	Source string `json:"source"`
	ID     string `json:"id"`
}

// NotPosted is an event that could not be posted anew, and why.
type NotPosted struct {
	Source string `json:"source"`
	ID     string `json:"id"`
	Why    string `json:"why"`
}

// maxNamed bounds lists of events that are counted as well.
const maxNamed = 100

// report holds the shadow against the books.
func (s *shadow) report(ctx context.Context) (*RebuildReport, error) {
	d := &RebuildReport{Accounts: []AccountDifference{}, Left: []LeftPeriod{}, NotPosted: s.bad, NotPostedEvents: s.kept}
	if d.NotPostedEvents == nil {
		d.NotPostedEvents = []NotPosted{}
	}
	for _, period := range sortedPeriods(s.left) {
		d.Left = append(d.Left, *s.left[period])
	}
	const key = `order_id, source, event_id, content`
	ledger := s.table("ledger")
	both := func(columns string) string {
		return `(SELECT ` + columns + `, false AS fresh FROM ` + s.table(replaced) + ` FINAL UNION ALL SELECT ` + columns + `, true AS fresh FROM ` + ledger + ` FINAL)`
	}
	const posted = `account, element, basis, amount, unpriced, posting_period, origin_period, day, recorded_at`
	if err := s.db.QueryRow(ctx, `
SELECT (SELECT count() FROM (SELECT `+key+` FROM `+both(key+", "+posted)+` GROUP BY `+key+` HAVING uniqExact(`+posted+`) > 1)),
       (SELECT count() FROM `+s.table("failures")+` WHERE (`+key+`) NOT IN (SELECT `+key+` FROM `+ledger+`))
         + (SELECT count() FROM `+s.table("unpriced")+` WHERE (source, event_id, content) NOT IN (SELECT source, event_id, content FROM `+ledger+`)),
       (SELECT count() FROM unpriced FINAL WHERE notEmpty(missing)),
       (SELECT count() FROM unpriced FINAL WHERE notEmpty(missing) AND (source, event_id, content) NOT IN (SELECT source, event_id, content FROM `+s.table("unpriced")+`))
         + (SELECT count() FROM `+s.table("unpriced")+` FINAL WHERE notEmpty(missing))`).
		Scan(&d.Events, &d.Mended, &d.UnpricedBefore, &d.UnpricedAfter); err != nil {
		return nil, fmt.Errorf("count what a rebuild changes: %w", err)
	}
	if d.Nothing() {
		// Buckets of the roll-up that differ though their events do not.
		if err := s.db.QueryRow(ctx, "SELECT count() FROM "+s.table("leakage_daily")).Scan(&d.Mended); err != nil {
			return nil, fmt.Errorf("count what a rebuild mends: %w", err)
		}
	}
	if d.Events == 0 {
		return d, nil
	}
	rows, err := s.db.Query(ctx, `
SELECT posting_period, a, store_id, currency, toDecimalString(sum(if(fresh, CAST(x AS Decimal(38, 4)), -CAST(x AS Decimal(38, 4)))) AS delta, 4)
FROM `+both("posting_period, store_id, currency, account, amount")+` ARRAY JOIN account AS a, amount AS x
GROUP BY posting_period, a, store_id, currency HAVING delta != 0 ORDER BY posting_period, a, store_id, currency`)
	if err != nil {
		return nil, fmt.Errorf("sum up what a rebuild changes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a AccountDifference
		var account uint16
		var month time.Time
		if err := rows.Scan(&month, &account, &a.Store, &a.Currency, &a.Delta); err != nil {
			return nil, fmt.Errorf("sum up what a rebuild changes: %w", err)
		}
		period := domain.PeriodOf(month, time.UTC)
		a.Period, a.Account, a.Name = period.String(), fmt.Sprint(account), domain.Account(account).Name()
		if a.Before, a.After, err = s.sums.moved(period, domain.Account(account), a.Store, a.Currency, a.Delta); err != nil {
			return nil, fmt.Errorf("sum up what a rebuild changes: %w", err)
		}
		d.Accounts = append(d.Accounts, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sum up what a rebuild changes: %w", err)
	}
	return d, nil
}

func sortedPeriods(of map[domain.Period]*LeftPeriod) []domain.Period {
	all := make([]domain.Period, 0, len(of))
	for p := range of {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}
