package insight

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// DueClaim is what a vendor's terms cover and nobody has claimed yet. Amounts are floats, for alerts; the question
// recoverable has the exact ones.
type DueClaim struct {
	Vendor, Currency string
	Amount           float64
	Ends             time.Time // the end of the last day of the first window that ends
}

// dueBack is how far back monitoring looks for costs that can still be claimed, in days.
const dueBack = 400

// ReadDueClaims reads them as of now, whose location is the time zone of the books: of the costs of the last 400 days,
// by vendor and currency, where there is something to file. It reads what recoverable reads: not for every scrape.
func ReadDueClaims(ctx context.Context, db driver.Conn, now time.Time) ([]DueClaim, error) {
	today := day(now, now.Location())
	q := Query{From: today.AddDate(0, 0, -dueBack), To: today.AddDate(0, 0, 1), Now: now}
	var currencies []string
	if err := q.make("vendor_currencies").Row(ctx, db).Scan(&currencies); err != nil {
		return nil, fmt.Errorf("list the currencies of what vendors caused: %w", err)
	}
	var due []DueClaim
	for _, currency := range currencies {
		q.Currency = currency
		cases, err := readVendorCases(ctx, db, &q)
		if err != nil {
			return nil, err
		}
		for vendor, v := range byVendor(cases, today) {
			if v.toFile == 0 {
				continue
			}
			amount, _ := v.by[statusToFile].Float64()
			y, m, d := v.lastDay.AddDate(0, 0, 1).Date()
			due = append(due, DueClaim{Vendor: vendor, Currency: currency, Amount: amount,
				Ends: time.Date(y, m, d, 0, 0, 0, 0, now.Location())})
		}
	}
	return due, nil
}
