package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// Numbers are the questions of people who steer and of those who audit.
type Numbers interface {
	Summary(context.Context, report.SummaryQuery) (*report.Summary, error)
	Statement(context.Context, report.StatementQuery) (*report.Statement, error)
	// Reconcile holds the books against the log and themselves, and clearing against payouts where there are any. Its open
	// balances are those of then.
	Reconcile(context.Context, report.AsOf, Payouts) (*audit.Reconciliation, error)
}

// numberRoutes adds their routes.
func numberRoutes(b Books, handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	handle("GET /v1/summary", func(w http.ResponseWriter, r *http.Request) error {
		q, err := summaryQuery(r, b)
		if err != nil {
			return err
		}
		summary, err := b.Summary(r.Context(), q)
		return answer(w, summary, err)
	})
	handle("GET /v1/statement", func(w http.ResponseWriter, r *http.Request) error { return statement(w, r, b) })
}

func summaryQuery(r *http.Request, b Books) (q report.SummaryQuery, err error) {
	if err := onlyParameters(r.URL.Query(), "from", "to", "store", "currency", "period_by", "as_of"); err != nil {
		return q, err
	}
	values := r.URL.Query()
	q.Store, q.Currency, q.PeriodBy = values.Get("store"), values.Get("currency"), values.Get("period_by")
	if q.From, q.To, err = span(r); err != nil {
		return q, err
	}
	if q.AsOf, err = asOf(r.Context(), values.Get("as_of"), b); err != nil {
		return q, err
	}
	if err := q.Validate(); err != nil {
		return q, err
	}
	return q, nil
}

// span reads from and to, which must both be given: these questions are about a time.
func span(r *http.Request) (from, to time.Time, err error) {
	values := r.URL.Query()
	for _, name := range []string{"from", "to"} {
		if values.Get(name) == "" {
			return from, to, &report.Invalid{Code: report.DayWanted, Value: name}
		}
	}
	return days(values)
}
