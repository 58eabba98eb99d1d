package audit

import (
	"context"

	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
)

// Payout is one line of a payment processor's report: money that came in (+) or went out (−).
type Payout struct {
	Day    time.Time
	ID     string // of the order, the refund, dispute, charge or concession, or of the event itself
	Amount domain.Amount
	Line   int // of the file, for people
}

// maxPayouts bounds a report; a processor's busiest month is far below.
const maxPayouts = 2_000_000

// ReadPayouts reads a processor's report: CSV with a header that names date (YYYY-MM-DD, or a time that begins so), id
// and amount; other columns are passed over.
func ReadPayouts(in io.Reader) ([]Payout, error) {
	r := csv.NewReader(in)
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("read the header of the payouts: %w", err)
	}
	column := map[string]int{}
	for i, name := range header {
		column[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, name := range []string{"date", "id", "amount"} {
		if _, ok := column[name]; !ok {
			return nil, fmt.Errorf("the payouts have no column %s", name)
		}
	}
	var all []Payout
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the payouts: %w", err)
		}
		line, _ := r.FieldPos(0)
		p := Payout{Line: line}
		date := strings.TrimSpace(fields[column["date"]])
		if p.Day, err = time.Parse(time.DateOnly, date[:min(len(date), len(time.DateOnly))]); err != nil {
			return nil, fmt.Errorf("payouts, line %d: %q is no day of the form YYYY-MM-DD", line, date)
		}
		// A copy: it would keep its whole line.
		if p.ID = strings.Clone(strings.TrimSpace(fields[column["id"]])); p.ID == "" {
			return nil, fmt.Errorf("payouts, line %d: no id", line)
		}
		if p.Amount, err = domain.ParseAmount(strings.TrimSpace(fields[column["amount"]])); err != nil {
			return nil, fmt.Errorf("payouts, line %d: amount: %w", line, err)
		}
		if all = append(all, p); len(all) > maxPayouts {
			return nil, fmt.Errorf("more than %d payouts: compare them month by month", maxPayouts)
		}
	}
}

// PayoutSummary is how the processor's account compares with clearing, in one currency.
type PayoutSummary struct {
	From      string `json:"from"` // first and last day of the report
	To        string `json:"to"`
	Currency  string `json:"currency"`
	Payouts   string `json:"payouts"`    // Σ of the report
	Clearing  string `json:"clearing"`   // Σ on 1010 of what goes through a processor, in those days
	InTransit string `json:"in_transit"` // of that: booked in the last days, and not in the report yet
	Matched   uint64 `json:"matched"`    // references whose sums agree
}

// ErrNoPayouts says that there is nothing to compare.
var ErrNoPayouts = errors.New("the payouts are empty")

// clearingLine is what one event moved on 1010.
type clearingLine struct {
	day                      time.Time
	reference, order, source string
	id                       string
	amount                   domain.Amount
}

// ComparePayouts holds clearing against a processor's report, reference by reference: what the processor calls by the
// id of the refund, dispute, charge, concession or event is compared with that, the rest with its order. What was
// booked within lag before the report's end may be paid later: it is in transit, no difference. Where the sums of a
// reference differ, its rows and events are paired by amount, so that what is named is what the difference is made of.
func (r *Reconciliation) ComparePayouts(ctx context.Context, db driver.Conn, payouts []Payout, currency string,
	lag time.Duration) error {
	if len(payouts) == 0 {
		return ErrNoPayouts
	}
	paid, total := paidByReference(payouts)
	byDay := func(a, b Payout) int { return a.Day.Compare(b.Day) }
	first, last := slices.MinFunc(payouts, byDay).Day, slices.MaxFunc(payouts, byDay).Day
	lines, err := readClearing(ctx, db, first.Add(-lag), last, currency)
	if err != nil {
		return err
	}
	s := &PayoutSummary{From: first.Format(time.DateOnly), To: last.Format(time.DateOnly), Currency: currency,
		Payouts: total.String()}
	booked := map[string]*bookedLines{}
	var clearing, transit domain.Amount
	for i := range lines {
		l := &lines[i]
		key := l.paidAs(paid)
		_, known := paid[key]
		if l.day.Before(first) && !known {
			continue // paid before the report began
		}
		if key == "" {
			key = l.id
		}
		g := booked[key]
		if g == nil {
			g = &bookedLines{}
			booked[key] = g
		}
		g.add(l)
		if !l.day.Before(first) {
			clearing += l.amount
		}
	}
	keys := slices.Concat(slices.Collect(maps.Keys(paid)), slices.Collect(maps.Keys(booked)))
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		g, rows := booked[key], paid[key]
		r.check(checkPayouts).Compared++
		switch {
		case g == nil:
			r.differ(Difference{Check: checkPayouts, Currency: currency, What: "paid, but not on clearing: " + key,
				Expected: "0.0000",
				Actual:   rows.sum.String()})
		case rows != nil && g.sum == rows.sum:
			s.Matched++
		case rows == nil && g.latest.After(last.Add(-lag)):
			transit += g.sum
		case rows == nil:
			r.differ(Difference{Check: checkPayouts, Currency: currency, What: "on clearing, but not in the payouts: " + key,
				Expected: g.sum.String(), Actual: "0.0000", Events: named(g.lines)})
		default:
			d, later := compareRows(key, rows, g, last.Add(-lag))
			transit += later
			if d == nil {
				s.Matched++
			} else {
				d.Currency = currency
				r.differ(*d)
			}
		}
	}
	s.Clearing, s.InTransit = clearing.String(), transit.String()
	r.Payouts = s
	return nil
}

// paidAs is what the processor calls the line: its reference or its event, where the report has one of these, else its
// order.
func (l *clearingLine) paidAs(paid map[string]*paidRows) string {
	for _, k := range []string{l.reference, l.id} {
		if _, ok := paid[k]; ok && k != "" {
			return k
		}
	}
	return l.order
}

// paidByReference are the rows of a processor's report by what it calls them, and their sum.
func paidByReference(payouts []Payout) (map[string]*paidRows, domain.Amount) {
	paid := map[string]*paidRows{}
	var total domain.Amount
	for _, p := range payouts {
		if paid[p.ID] == nil {
			paid[p.ID] = &paidRows{}
		}
		paid[p.ID].add(p)
		total += p.Amount
	}
	return paid, total
}

// readClearing reads what moved on 1010 between two days, both inclusive, through a processor: not what a supplier, a
// scrap dealer or a voucher paid.
func readClearing(ctx context.Context, db driver.Conn, from, to time.Time, currency string) ([]clearingLine, error) {
	rows, err := statements.Make("clearing", nil, sql.Named("from", from), sql.Named("to", to),
		sql.Named("currency", currency)).Rows(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("read clearing: %w", err)
	}
	defer rows.Close()
	var all []clearingLine
	for rows.Next() {
		var l clearingLine
		var amount string
		if err := rows.Scan(&l.day, &l.reference, &l.order, &l.source, &l.id, &amount); err != nil {
			return nil, fmt.Errorf("read clearing: %w", err)
		}
		if l.amount, err = domain.ParseAmount(amount); err != nil {
			return nil, fmt.Errorf("read clearing: %s: %w", amount, err)
		}
		all = append(all, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read clearing: %w", err)
	}
	return all, nil
}
