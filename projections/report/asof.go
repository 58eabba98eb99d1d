package report

import (
	"fmt"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// AsOf is what a report may know: what was recorded by Time, or what stood before a period's close in the log. The zero
// value is now.
type AsOf struct {
	Time  time.Time
	Close *Close
}

// Close is a period's close as a place in the log: what stood before Ends belongs to it.
type Close struct {
	Period domain.Period
	Mark   domain.Mark
	Number int // which of the period's closes; 1 is the first
}

// FindClose finds the close that is meant by YYYY-MM, the period's last, or YYYY-MM/N, its Nth. closes are those of a
// period, as the log has them. Its error may be *Invalid, without a parameter.
func FindClose(text string, closes func(domain.Period) ([]domain.Closing, error)) (Close, error) {
	period, n, err := domain.ParseClose(text)
	if err != nil {
		return Close{}, &Invalid{Code: NotAClose, Value: text, Of: []string{err.Error()}}
	}
	all, err := closes(period)
	switch {
	case err != nil:
		return Close{}, err
	case len(all) == 0:
		return Close{}, &Invalid{Code: NeverClosed, Value: period.String()}
	case n > len(all):
		return Close{}, &Invalid{Code: ClosedLessOften, Value: fmt.Sprintf("%s/%d", period, n),
			Of: []string{fmt.Sprint(len(all))}}
	case n == 0:
		n = len(all)
	}
	return Close{Period: period, Mark: all[n-1].Mark, Number: n}, nil
}

// StoodBefore is the condition on rows that belong to the close: what stood before it in the log.
func (c *Close) StoodBefore() string { return ledger.StoodBefore(&c.Mark) }

// Bounded reports whether a report may not know everything.
func (a AsOf) Bounded() bool { return !a.Time.IsZero() || a.Close != nil }

// known is the condition on rows that a report may know.
func (a AsOf) known() string {
	switch {
	case a.Close != nil:
		return a.Close.StoodBefore()
	case a.Time.IsZero():
		return "true"
	}
	return fmt.Sprintf("recorded_at <= toDateTime64('%s', 3, 'UTC')", a.Time.UTC().Format("2006-01-02 15:04:05.000"))
}

// moment is the time that a report speaks of: now where it may know everything.
func (a AsOf) moment(now time.Time) time.Time {
	switch {
	case a.Close != nil:
		return a.Close.Mark.Time.UTC()
	case a.Time.IsZero():
		return now.UTC()
	}
	return a.Time.UTC()
}
