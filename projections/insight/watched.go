package insight

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// The charts that Signal.Chart names.
const (
	ChartCases          = "cases"            // CUSUM of the cases of the time
	ChartMoney          = "money"            // net leakage of the last whole week
	ChartRightFirstTime = "right_first_time" // orders of the last whole week that were not right first time
)

// Signal is what a chart says, for monitoring: the question signals has all of it, exactly.
type Signal struct {
	Chart      string
	Series, Of string // company, store, cause or vendor, and which one; Of is empty for the company
	Currency   string
	Worse      bool    // more than chance explains; what became better is no signal here
	Observed   float64 // cases, an amount in the currency, or orders that were not right first time
	Usual      float64 // the same as the baseline lets expect
}

// watchedWeeks are the whole weeks, Monday to Sunday, that monitoring looks at beside the running one.
const watchedWeeks = 4

// ReadSignals makes the charts of the last four whole weeks and the running one, as of now, whose location is the time
// zone of the books. All charts of all currencies together call falsely once a year: each currency has its part. Charts
// that can't tell are left out. Weeks begin on Monday, so that a week is judged once and not on each day again. It
// reads the orders of a year, and makes each chart: not for every scrape.
func ReadSignals(ctx context.Context, db driver.Conn, now time.Time) ([]Signal, error) {
	today := day(now, now.Location())
	monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
	q := Query{From: monday.AddDate(0, 0, -7*watchedWeeks), To: today.AddDate(0, 0, 1), Now: now}
	before := q
	before.From = q.From.AddDate(0, 0, -baselineDays)
	var currencies []string
	if err := before.make("summary_currencies").Row(ctx, db).Scan(&currencies); err != nil {
		return nil, fmt.Errorf("list the currencies of the signals: %w", err)
	}
	var all []Signal
	for _, currency := range currencies {
		q.Currency = currency
		weekly := q
		weekly.To = monday
		c, err := q.charts(ctx, db, 1/float64(len(currencies)), &weekly)
		if err != nil {
			return nil, fmt.Errorf("make the charts in %s: %w", currency, err)
		}
		found, err := c.signals(currency, monday.AddDate(0, 0, -7).Format(time.DateOnly))
		if err != nil {
			return nil, fmt.Errorf("make the charts in %s: %w", currency, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// signals are what the charts say, of the weekly ones for one week.
func (c *charted) signals(currency, week string) ([]Signal, error) {
	var all []Signal
	add := func(s Signal, row Row, observed, usual string) error {
		called, tells := row["signal"].(bool)
		if !tells || row["week"] != nil && row["week"] != week {
			return nil
		}
		var err error
		if s.Observed, err = figure(row[observed]); err != nil {
			return err
		}
		if s.Usual, err = figure(row[usual]); err != nil {
			return err
		}
		if s.Chart == ChartRightFirstTime { // shares, which others can't be summed with
			delivered := float64(row["delivered"].(uint64))
			s.Observed, s.Usual = delivered*(1-s.Observed), delivered*(1-s.Usual)
		}
		s.Currency, s.Worse = currency, called && (s.Chart == ChartCases || s.Observed > s.Usual)
		all = append(all, s)
		return nil
	}
	for _, row := range c.cases {
		s := Signal{Chart: ChartCases, Series: row["series"].(string), Of: row["of"].(string)}
		if err := add(s, row, "cases", "expected"); err != nil {
			return nil, err
		}
	}
	for _, row := range c.money {
		s := Signal{Chart: ChartMoney, Series: "store", Of: row["store"].(string)}
		if err := add(s, row, "leakage", "usual"); err != nil {
			return nil, err
		}
	}
	for i, rows := range c.rights {
		s := Signal{Chart: ChartRightFirstTime, Series: "store", Of: c.right[i].store}
		if s.Of == allStores {
			s.Series, s.Of = "company", ""
		}
		for _, row := range rows {
			if err := add(s, row, "share", "usual"); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// figure is a figure of a row, as monitoring has it.
func figure(of any) (float64, error) {
	switch of := of.(type) {
	case uint64:
		return float64(of), nil
	case string:
		return strconv.ParseFloat(of, 64)
	}
	return 0, fmt.Errorf("%v is no figure", of)
}

// Source is a till or a store whose habits are known, for monitoring: the question sources has more of it.
type Source struct {
	What, Name, Store string  // what is till or store
	Orders            float64 // of the 56 days before
	Expected          float64 // orders to be expected since the last one
	Silent            bool
}

// ReadSources says of each whether it is silent as of now, whose location is the time zone of the books. It reads the
// orders of 56 days: not for every scrape.
func ReadSources(ctx context.Context, db driver.Conn, now time.Time) ([]Source, error) {
	q := Query{To: day(now, now.Location()).AddDate(0, 0, 1), Now: now}
	rows, _, err := readSources(ctx, db, &q)
	if err != nil {
		return nil, err
	}
	var all []Source
	for _, row := range rows {
		silent, tells := row["silent"].(bool)
		if !tells {
			continue
		}
		s := Source{What: row["what"].(string), Name: row["name"].(string), Store: row["store"].(string), Silent: silent}
		if s.Orders, err = figure(row["orders"]); err != nil {
			return nil, err
		}
		if s.Expected, err = figure(row["expected"]); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}
