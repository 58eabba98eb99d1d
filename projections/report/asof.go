package report

import (
	"fmt"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// Close is a period's close as a place in the log: what stood before Ends belongs to it.
type Close struct {
	Period domain.Period
	Mark   domain.Mark
	Number int // which of the period's closes; 1 is the first
}

// NoCloseError says that there is no such close.
type NoCloseError struct{ Reason string }

func (e *NoCloseError) Error() string { return e.Reason }

// FindClose finds the close that is meant by YYYY-MM, the period's last, or YYYY-MM/N, its Nth. closes are those of a period,
// as the log has them. Errors: *NoCloseError.
func FindClose(text string, closes func(domain.Period) ([]domain.Closing, error)) (Close, error) {
	period, n, err := domain.ParseClose(text)
	if err != nil {
		return Close{}, &NoCloseError{err.Error()}
	}
	all, err := closes(period)
	switch {
	case err != nil:
		return Close{}, err
	case len(all) == 0:
		return Close{}, &NoCloseError{fmt.Sprintf("%s was never closed", period)}
	case n > len(all):
		return Close{}, &NoCloseError{fmt.Sprintf("%s was closed %d times, so there is no %s/%d", period, len(all), period, n)}
	case n == 0:
		n = len(all)
	}
	return Close{Period: period, Mark: all[n-1].Mark, Number: n}, nil
}

// StoodBefore is the condition on rows that belong to the close: what stood before it in the log.
func (c *Close) StoodBefore() string { return ledger.StoodBefore(&c.Mark) }

// filter is the condition on rows that were recorded by then, and the moment to show for it.
func (a AsOf) filter() (string, time.Time) {
	if a.Close == nil {
		return fmt.Sprintf("recorded_at <= toDateTime64('%s', 3, 'UTC')", a.Time.UTC().Format("2006-01-02 15:04:05.000")), a.Time.UTC()
	}
	return a.Close.StoodBefore(), a.Close.Mark.Time.UTC()
}

// recorded is filter, or all rows and no moment where none was asked for.
func (a AsOf) recorded() (string, *time.Time) {
	if a.Time.IsZero() && a.Close == nil {
		return "true", nil
	}
	condition, at := a.filter()
	return condition, &at
}
