package rebuild

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/shadow"
	"github.com/makegood/makegood/projections/sql"
)

// maxNamed bounds lists of events that are counted as well.
const maxNamed = 100

// report holds the shadow against the books.
func (s *computation) report(ctx context.Context) (*shadow.Report, error) {
	d := &shadow.Report{Events: s.events, Mended: s.mended, UnpricedBefore: s.listed,
		UnpricedAfter: uint64(max(int(s.lacking)+s.unpriced, 0)), Accounts: []shadow.AccountDifference{},
		Left: []shadow.LeftPeriod{}, NotPosted: s.bad, NotPostedEvents: s.kept}
	if d.NotPostedEvents == nil {
		d.NotPostedEvents = []shadow.NotPosted{}
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
func (s *computation) accounts(ctx context.Context) ([]shadow.AccountDifference, error) {
	all := []shadow.AccountDifference{}
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
			all = append(all, shadow.AccountDifference{Period: k.period.String(), Account: fmt.Sprint(account),
				Name: account.Name(), Store: k.store, Currency: k.currency,
				Before: fourDecimals(before), After: fourDecimals(new(big.Int).Add(before, d)), Delta: fourDecimals(d)})
		}
	}
	slices.SortFunc(all, func(a, b shadow.AccountDifference) int {
		return slices.Compare([]string{a.Period, a.Account, a.Store, a.Currency},
			[]string{b.Period, b.Account, b.Store, b.Currency})
	})
	return all, nil
}

// held is what the accounts of the months and stores that move hold now.
func (s *computation) held(ctx context.Context) (balances, error) {
	if len(s.sums) == 0 {
		return nil, nil
	}
	var months, stores []string
	var last domain.Period
	for k := range s.sums {
		months, stores, last = append(months, k.period.First().Format(time.DateOnly)), append(stores, k.store),
			max(last, k.period)
	}
	slices.Sort(months)
	slices.Sort(stores)
	months, stores = slices.Compact(months), slices.Compact(stores)
	// Nothing is posted to a month before it happened; two days beside it, for the zone of the books.
	rows, err := s.db.Query(ctx, `
SELECT posting_period, l_store, l_currency, a, toDecimalString(sum(CAST(x AS Decimal(38, 4))), 4)
FROM ledger FINAL ARRAY JOIN account AS a, amount AS x, `+sql.LineStore+` AS l_store, `+sql.LineCurrency+` AS l_currency
WHERE refused = '' AND occurred_at < ? AND posting_period IN (?) AND l_store IN (?)
GROUP BY posting_period, l_store, l_currency, a`, (last+1).First().AddDate(0, 0, 2), months, stores)
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

func sortedPeriods(of map[domain.Period]*shadow.LeftPeriod) []domain.Period {
	all := make([]domain.Period, 0, len(of))
	for p := range of {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}
