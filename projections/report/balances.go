package report

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
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

// BalancesAt is the moment to which the age of balances is counted: that of asOf, or now; of a close the end of its
// month on the calendar of zone, or its own where that came first.
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

// ProvisionalAccounts are those that clear themselves in time: goods not yet returned, claims not yet settled, disputes
// not yet decided, vouchers not yet used, costs not yet billed.
func ProvisionalAccounts() []domain.Account {
	return []domain.Account{domain.ReturnAsset, domain.ClaimsReceivable, domain.DisputeReceivable, domain.VoucherLiability,
		domain.AccruedCosts, domain.GoodsOwed}
}

// agedBalances asks for the open balances.
func agedBalances(asOf AsOf) sql.Statement {
	args := []any{sql.Named("limit", maxOpen)}
	if asOf.Close != nil {
		args = append(args, sql.Named("month", asOf.Close.Period.First()))
	}
	return statements.Make("balances", struct {
		Sources
		Close    *Close
		Accounts []domain.Account
	}{asOf.Sources(), asOf.Close, ProvisionalAccounts()}, args...)
}

// ReadAgedBalances lists them: return assets and goods owed by case, claims, disputes and vouchers by their own ids,
// accrued costs by store and month, since no event of the contract pays them one by one. As of a close they are the
// balances at the end of its month: what was posted in that month or before, and stood before the close. Their age
// counts to at.
func ReadAgedBalances(ctx context.Context, db driver.Conn, asOf AsOf, at time.Time) ([]AgedBalance, error) {
	open := []AgedBalance{}
	if err := agedBalances(asOf).Select(ctx, db, &open); err != nil {
		return nil, fmt.Errorf("list the open balances: %w", err)
	}
	for i := range open {
		b := &open[i]
		n, err := strconv.ParseUint(b.Account, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("list the open balances: %w", err)
		}
		b.Name, b.Since = domain.Account(n).Name(), b.Since.UTC()
		b.AgeDays = int(at.Sub(b.Since).Hours() / 24)
	}
	return open, nil
}
