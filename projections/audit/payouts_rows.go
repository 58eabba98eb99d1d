package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
)

// paidRows are the rows that a processor's report has for one reference.
type paidRows struct {
	sum  domain.Amount
	rows []Payout
}

func (p *paidRows) add(row Payout) {
	p.sum += row.Amount
	p.rows = append(p.rows, row)
}

// bookedLines are what the events of one reference moved on clearing.
type bookedLines struct {
	sum    domain.Amount
	lines  []*clearingLine
	latest time.Time
}

func (b *bookedLines) add(l *clearingLine) {
	b.sum += l.amount
	b.lines = append(b.lines, l)
	if l.day.After(b.latest) {
		b.latest = l.day
	}
}

func named(lines []*clearingLine) []string {
	var events []string
	for _, l := range lines {
		events = append(events, l.source+" "+l.id)
	}
	return events
}

// compareRows says what the difference between the rows and the events of a reference is made of: a row too many,
// events that have no row, or amounts that differ. Events after cutoff that have no row are in transit: later is their
// sum, and there is no difference where they are all that is missing.
func compareRows(key string, paid *paidRows, booked *bookedLines,
	cutoff time.Time) (d *Difference, later domain.Amount) {
	rows, events := unpaired(paid.rows, booked.lines)
	if len(rows) == 0 {
		events = slices.DeleteFunc(events, func(l *clearingLine) bool {
			if l.day.After(cutoff) {
				later += l.amount
				return true
			}
			return false
		})
		if len(events) == 0 {
			return nil, later
		}
	}
	var what []string
	again := repeated(paid.rows, rows)
	if again != "" {
		what = append(what, again)
	}
	switch {
	case again == "" && len(rows) > 0:
		what = append(what, "another amount")
	case len(events) > 0:
		var amounts []string
		for _, l := range events {
			amounts = append(amounts, l.amount.String())
		}
		what = append(what, "no row of "+strings.Join(amounts, ", "))
	}
	if len(events) == 0 {
		events = booked.lines
	}
	return &Difference{Check: checkPayouts, What: strings.Join(what, "; ") + ": " + key,
		Expected: (booked.sum - later).String(), Actual: paid.sum.String(), Events: named(events)}, later
}

// unpaired takes away rows and events of the same amount, one for one, and events that take each other back, and
// returns what is left of both.
func unpaired(rows []Payout, lines []*clearingLine) (restRows []Payout, restLines []*clearingLine) {
	free := map[domain.Amount]int{}
	for _, r := range rows {
		free[r.Amount]++
	}
	open := map[domain.Amount]int{} // events without a row
	for _, l := range lines {
		if free[l.amount] > 0 {
			free[l.amount]--
			continue
		}
		restLines = append(restLines, l)
		open[l.amount]++
	}
	cancel := map[domain.Amount]int{}
	for a, n := range open {
		cancel[a] = min(n, open[-a]) // nothing moved is 0, and takes itself back
	}
	restLines = slices.DeleteFunc(restLines, func(l *clearingLine) bool {
		if cancel[l.amount] > 0 {
			cancel[l.amount]--
			return true
		}
		return false
	})
	for _, r := range slices.Backward(rows) { // the first rows are those that were paired
		if free[r.Amount] > 0 && r.Amount != 0 {
			free[r.Amount]--
			restRows = append(restRows, r)
		}
	}
	return restRows, restLines
}

// repeated says which rows stand more often than events of their amount do, where that is what all that are left do.
func repeated(all, left []Payout) string {
	leftOver := map[domain.Amount]int{}
	for _, r := range left {
		leftOver[r.Amount]++
	}
	lines := map[domain.Amount][]string{}
	var amounts []domain.Amount
	for _, r := range all {
		if leftOver[r.Amount] > 0 {
			if lines[r.Amount] == nil {
				amounts = append(amounts, r.Amount)
			}
			lines[r.Amount] = append(lines[r.Amount], fmt.Sprint(r.Line))
		}
	}
	var said []string
	for _, a := range amounts {
		n := len(lines[a])
		if n == 1 || n == leftOver[a] {
			return "" // no event has this amount: it is another one, not one too many
		}
		times := "twice"
		if n > 2 {
			times = fmt.Sprintf("%d times", n)
		}
		said = append(said, fmt.Sprintf("a row of %s stands %s, on lines %s and %s", a, times,
			strings.Join(lines[a][:n-1], ", "), lines[a][n-1]))
	}
	return strings.Join(said, "; ")
}
