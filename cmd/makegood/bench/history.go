package bench

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/makegood/makegood/cmd/makegood/server"
)

var (
	//go:embed sql/ledger_copies.sql
	ledgerCopies string
	//go:embed sql/leakage_copies.sql
	leakageCopies string
)

// yearsBefore are how many years of history there are at most before the simulated one.
const yearsBefore = 3

const longestCopy = 2 * time.Hour

// multiply copies the orders that are in the books, with their cases, under ids of their own until there are about as
// many events as are to be measured. The first copies lie one to three years back; later ones make all years busier.
// What is written is what the projector would write, in a small part of its time.
func (b *bench) multiply(ctx context.Context, a *server.App, have int) (events, ofYears int, err error) {
	const all = 1000
	ctx, cancel := context.WithTimeout(ctx, longestCopy) // a statement without one has 5 minutes
	defer cancel()
	ofYears = 1
	for round := 1; have < b.Events; round++ {
		years, share := 0, all
		if round < yearsBefore {
			years = round
		}
		if b.Events < 2*have {
			share = (b.Events - have) * all / have
		}
		if share == 0 {
			break
		}
		ofYears += years
		named := []any{clickhouse.Named("mark", fmt.Sprintf("~%d", round)), clickhouse.Named("years", years),
			clickhouse.Named("share", share)}
		for _, text := range []string{fmt.Sprintf(ledgerCopies, yearsBack("payload", years)), leakageCopies} {
			if err := a.Store.DB.Exec(ctx, text, named...); err != nil {
				return have, ofYears, fmt.Errorf("copy the history: %w", err)
			}
		}
		have += have * share / all
	}
	return have, ofYears, nil
}

// yearsBack is SQL for a JSON text whose times are so many years earlier.
func yearsBack(column string, years int) string {
	if years == 0 {
		return column
	}
	now := time.Now().UTC().Year()
	for year := now - yearsBefore - 1; year <= now+1; year++ {
		column = fmt.Sprintf(`replaceAll(%s, '"%d-', '"%d-')`, column, year, year-years)
	}
	return column
}
