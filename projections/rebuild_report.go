package projections

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
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
	d := &RebuildReport{Events: s.events, Mended: s.mended, UnpricedBefore: s.listed, UnpricedAfter: uint64(max(int(s.lacking)+s.unpriced, 0)), Accounts: []AccountDifference{}, Left: []LeftPeriod{}, NotPosted: s.bad, NotPostedEvents: s.kept}
	if d.NotPostedEvents == nil {
		d.NotPostedEvents = []NotPosted{}
	}
	for _, period := range sortedPeriods(s.left) {
		d.Left = append(d.Left, *s.left[period])
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
	var err error
	d.Accounts, err = s.accounts(ctx)
	return d, err
}

// accounts are those that move.
func (s *shadow) accounts(ctx context.Context) ([]AccountDifference, error) {
	all := []AccountDifference{}
	held, err := s.held(ctx)
	if err != nil {
		return nil, fmt.Errorf("sum up what a rebuild changes: %w", err)
	}
	for k, accounts := range s.sums {
		for account, delta := range accounts {
			d := delta.units()
			if d.Sign() == 0 {
				continue
			}
			before := new(big.Int)
			if b := held[k][account]; b != nil {
				before = b.units()
			}
			all = append(all, AccountDifference{Period: k.period.String(), Account: fmt.Sprint(account), Name: account.Name(), Store: k.store, Currency: k.currency,
				Before: fourDecimals(before), After: fourDecimals(new(big.Int).Add(before, d)), Delta: fourDecimals(d)})
		}
	}
	slices.SortFunc(all, func(a, b AccountDifference) int {
		return slices.Compare([]string{a.Period, a.Account, a.Store, a.Currency}, []string{b.Period, b.Account, b.Store, b.Currency})
	})
	return all, nil
}

// held is what the accounts of the months and stores that move hold now.
func (s *shadow) held(ctx context.Context) (balances, error) {
	if len(s.sums) == 0 {
		return nil, nil
	}
	var months, stores []string
	var last domain.Period
	for k := range s.sums {
		months, stores, last = append(months, k.period.First().Format(time.DateOnly)), append(stores, k.store), max(last, k.period)
	}
	slices.Sort(months)
	slices.Sort(stores)
	months, stores = slices.Compact(months), slices.Compact(stores)
	// Nothing is posted to a month before it happened; two days beside it, for the zone of the books.
	rows, err := s.db.Query(ctx, `
SELECT posting_period, store_id, currency, a, toDecimalString(sum(CAST(x AS Decimal(38, 4))), 4)
FROM ledger FINAL ARRAY JOIN account AS a, amount AS x
WHERE refused = '' AND occurred_at < ? AND posting_period IN (?) AND store_id IN (?)
GROUP BY posting_period, store_id, currency, a`, (last+1).First().AddDate(0, 0, 2), months, stores)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	held := balances{}
	for rows.Next() {
		var month time.Time
		var k balanceKey
		var account uint16
		var text string
		if err := rows.Scan(&month, &k.store, &k.currency, &account, &text); err != nil {
			return nil, err
		}
		units, ok := new(big.Int).SetString(strings.Replace(text, ".", "", 1), 10)
		if !ok {
			return nil, fmt.Errorf("%q is no amount of 4 decimals", text)
		}
		k.period = domain.PeriodOf(month, time.UTC)
		held.of(k)[domain.Account(account)] = &balance{high: units}
	}
	return held, rows.Err()
}

func fourDecimals(units *big.Int) string {
	return new(big.Rat).SetFrac(units, big.NewInt(10_000)).FloatString(4)
}

func sortedPeriods(of map[domain.Period]*LeftPeriod) []domain.Period {
	all := make([]domain.Period, 0, len(of))
	for p := range of {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}
