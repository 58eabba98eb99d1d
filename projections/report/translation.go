package report

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
)

// A translation shows lines of several currencies in one. It is made when a report is read, and nothing in the books
// knows of it: each line is multiplied by the rate that is in force on its day, exactly, and only what is shown is
// rounded.

// Translation says that the amounts of a report were translated, into which currency, and at which rates: those that
// were used, and no others.
type Translation struct {
	Currency string            `json:"currency"`
	Rates    []TranslationRate `json:"rates"` // by From and EffectiveFrom
}

// TranslationRate is how many units of the translation's currency one unit of From is worth, and the event that says
// so.
type TranslationRate struct {
	From          string    `json:"from"`
	Rate          string    `json:"rate"`
	EffectiveFrom time.Time `json:"effective_from"` // a day, as midnight UTC
	Source        string    `json:"source"`
	ID            string    `json:"id"`
}

// RateMissingError says that a report can't be translated, and from where on each currency has no rate.
type RateMissingError struct {
	Into    string
	Missing []MissingRate // by currency
}

// MissingRate is a currency with lines in view that no rate translates, and the first day of such a line.
type MissingRate struct {
	Currency string `json:"currency"`
	Day      string `json:"day"` // YYYY-MM-DD
}

func (e *RateMissingError) Error() string {
	var all []string
	for _, m := range e.Missing {
		all = append(all, m.Currency+" on "+m.Day)
	}
	return fmt.Sprintf("the report can't be translated into %s: no exchange_rate is known that is in force for %s", e.Into,
		strings.Join(all, ", "))
}

// Exchange gathers the rates into a currency that a report may know: those recorded by its time, or those that stand
// before its close in the books stream, whatever any clock says.
func (a AsOf) Exchange(terms *domain.Terms, into string) *domain.Exchange {
	return terms.Exchange(into, func(m *domain.Mark) bool {
		switch {
		case a.Close != nil:
			return m.Offset < a.Close.Mark.Offset
		case a.Time.IsZero():
			return true
		default:
			// As the ledger has it, to the millisecond.
			recorded := terms.Periods.RecordedAt(domain.Position{Stream: domain.Books, Offset: m.Offset, Time: m.Time})
			return !recorded.Truncate(time.Millisecond).After(a.Time.Truncate(time.Millisecond))
		}
	})
}

const exactDecimals = 10 // an amount's 4, and a rate's 6

// translate finds the rate of every currency and day in view, and lets statements know them as a table. The lines are
// read again afterwards: those of a currency and day that came meanwhile are left out of the whole report, as if it had
// been asked for a moment before. Its error may be *RateMissingError.
func (q *LeakageQuery) translate(ctx context.Context, db driver.Conn,
	x *domain.Exchange) (context.Context, *Translation, error) {
	if x.Into() != q.TranslateTo {
		return nil, nil, fmt.Errorf("the rates translate into %q, and the report is wanted in %q", x.Into(), q.TranslateTo)
	}
	table, err := ext.NewTable("exchange", ext.Column("currency", "String"), ext.Column("day", "Date"),
		ext.Column("rate", "String"),
		ext.Column("number", "UInt32"))
	if err != nil {
		return nil, nil, fmt.Errorf("name the exchange rates: %w", err)
	}
	rows, err := q.Days().Rows(ctx, db)
	if err != nil {
		return nil, nil, fmt.Errorf("list the days to translate: %w", err)
	}
	defer rows.Close()
	t := &Translation{Currency: x.Into(), Rates: []TranslationRate{}}
	missing := &RateMissingError{Into: x.Into()}
	for rows.Next() {
		var currency string
		var day time.Time
		if err := rows.Scan(&currency, &day); err != nil {
			return nil, nil, fmt.Errorf("list the days to translate: %w", err)
		}
		rate, number := "1", 0
		if currency != x.Into() {
			set, found := x.On(currency, time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC))
			if !found {
				missing.add(currency, day)
				continue
			}
			rate, number = set.Value.String(), t.use(set)
		}
		if err := table.Append(currency, day, rate, uint32(number)); err != nil {
			return nil, nil, fmt.Errorf("name the exchange rates: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("list the days to translate: %w", err)
	}
	if len(missing.Missing) > 0 {
		return nil, nil, missing
	}
	return q.AsOf.with(ctx, table), t, nil
}

// add notes a day without a rate, where it is the currency's first. They come by currency and day.
func (e *RateMissingError) add(currency string, day time.Time) {
	if n := len(e.Missing); n == 0 || e.Missing[n-1].Currency != currency {
		e.Missing = append(e.Missing, MissingRate{currency, day.Format(time.DateOnly)})
	}
}

// use notes that a rate is used, and says its number, from 1 on. They come by currency and day.
func (t *Translation) use(s domain.SetRate) int {
	used := TranslationRate{From: s.Key, Rate: s.Value.String(), EffectiveFrom: s.EffectiveFrom.UTC(), Source: s.Source,
		ID: s.ID}
	if n := len(t.Rates); n == 0 || t.Rates[n-1] != used {
		t.Rates = append(t.Rates, used)
	}
	return len(t.Rates)
}

// Of are the rates of a row, in order.
func (t *Translation) Of(r *LeakageRow) []TranslationRate {
	var rates []TranslationRate
	for _, n := range r.rates {
		rates = append(rates, t.Rates[n-1])
	}
	return rates
}

// round rounds exact figures to 4 decimals, half to even. What is shown must tie, so gross and net are those of the
// figures that they are made of as they are shown: a unit of the last decimal may be between them and the exact sum.
func (f *LeakageFigures) round() error {
	parts := []*string{&f.Booked, &f.Hidden, &f.Recoveries}
	for _, p := range parts {
		if err := roundAmount(p); err != nil {
			return err
		}
	}
	a, err := amounts(f.Booked, f.Hidden, f.Recoveries)
	if err != nil {
		return err
	}
	gross := new(big.Rat).Add(a[0], a[1])
	f.Gross, f.Net = gross.FloatString(4), new(big.Rat).Sub(gross, a[2]).FloatString(4)
	return nil
}

func roundAmount(text *string) error {
	a, err := amounts(*text)
	if err != nil {
		return err
	}
	*text = rounded(a[0], 4)
	return nil
}

// round rounds all that an answer shows.
func (l *Leakage) round() error {
	err := l.Totals.round()
	for i := range l.Rows {
		err = errors.Join(err, l.Rows[i].round())
	}
	for key, amount := range l.Apart {
		err = errors.Join(err, roundAmount(&amount))
		l.Apart[key] = amount
	}
	return err
}
