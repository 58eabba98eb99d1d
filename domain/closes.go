package domain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Closing is a close of a period that counted. To close what is closed counts for nothing.
type Closing struct {
	Mark
	Source, ID string // the event's identity
	Reopened   *Mark  // nil where it stands
}

// Closes are the period's closes that counted, the first at first.
func (p *Periods) Closes(period Period) []Closing {
	var all []Closing
	for i := range p.changes {
		c := &p.changes[i]
		switch { // a close and a reopening take turns: others change nothing, and aren't kept
		case c.period != period:
		case c.closed:
			all = append(all, Closing{Mark: c.mark, Source: c.id.source, ID: c.id.id})
		default:
			reopened := c.mark
			all[len(all)-1].Reopened = &reopened
		}
	}
	return all
}

// Changed reports whether the event of that identity closed or opened a month. One that closes what is closed
// already, or opens what is open, changes nothing.
func (p *Periods) Changed(source, id string) bool {
	return slices.ContainsFunc(p.changes, func(c periodChange) bool { return c.id == identity{source, id} })
}

// ParseClose reads which close is meant: YYYY-MM, that period's last (0), or YYYY-MM/N, its Nth, counted from 1.
func ParseClose(text string) (period Period, n int, err error) {
	month, number, numbered := strings.Cut(text, "/")
	if period, err = ParsePeriod(month); err != nil || !numbered {
		return period, 0, err
	}
	if n, err = strconv.Atoi(number); err != nil || n < 1 || strconv.Itoa(n) != number {
		return period, 0, fmt.Errorf("%q: which of the closes of %s is a number from 1 on", text, period)
	}
	return period, n, nil
}
