package gateway

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// Finance is what those ask who close months and keep the general ledger.
type Finance interface {
	// Period says what is provisional in a month, and whether it is closed.
	Period(context.Context, domain.Period) (*audit.PeriodState, error)
	// Periods are the months that were ever closed.
	Periods(context.Context) ([]PeriodClose, error)
	// Changes lists what was recorded after a close and touches its month, at most limit events.
	Changes(ctx context.Context, c report.Close, limit int) (*report.Changes, error)
	// Journal writes entries for the general ledger. Errors: *report.OpenPeriodsError, *audit.UnsettledError,
	// *report.UnmappedAccountsError.
	Journal(context.Context, JournalRequest) (*Document, error)
	// Rates lists the rates in force at a time (zero: now), or all that were ever set, and says which time.
	Rates(ctx context.Context, at time.Time, all bool) ([]Rate, time.Time, error)
}

// PeriodClose is a month that was closed, and may have been reopened since.
type PeriodClose struct {
	Period   string    `json:"period"`
	Closed   bool      `json:"closed"`
	ClosedAt time.Time `json:"closed_at"` // the last time
}

// handler answers a question, or says why it can't.
type handler func(http.ResponseWriter, *http.Request) error

// financeRoutes adds what finance asks to the routes.
func financeRoutes(b Books, handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	for pattern, f := range map[string]handler{
		"GET /v1/periods": plain(func(w http.ResponseWriter, r *http.Request) error {
			periods, err := b.Periods(r.Context())
			return answer(w, map[string]any{"periods": periods}, err)
		}),
		"GET /v1/periods/{period}": plain(func(w http.ResponseWriter, r *http.Request) error {
			period, err := domain.ParsePeriod(r.PathValue("period"))
			if err != nil {
				return &badQuery{err.Error()}
			}
			state, err := b.Period(r.Context(), period)
			return answer(w, state, err)
		}),
		"GET /v1/journal":         func(w http.ResponseWriter, r *http.Request) error { return journal(w, r, b) },
		"GET /v1/rates":           func(w http.ResponseWriter, r *http.Request) error { return rates(w, r, b) },
		"GET /v1/reports/changes": func(w http.ResponseWriter, r *http.Request) error { return changes(w, r, b) },
	} {
		handle(pattern, f)
	}
}

// maxChanges bounds the list of changes; its totals are of all.
const maxChanges = 100_000

func changes(w http.ResponseWriter, r *http.Request, b Books) error {
	q := r.URL.Query()
	if err := onlyParameters(q, "since_close", "format"); err != nil {
		return err
	}
	format, err := formatOf(q)
	if err != nil {
		return err
	}
	if q.Get("since_close") == "" {
		return &report.Invalid{Code: report.CloseWanted, Parameter: "since_close"}
	}
	since, err := findClose(r.Context(), "since_close", q.Get("since_close"), b)
	if err != nil {
		return err
	}
	found, err := b.Changes(r.Context(), *since, maxChanges)
	if err != nil {
		return err
	}
	return answerAs(w, format, found, "changes", func() *table { return changesTable(found) })
}

func changesTable(c *report.Changes) *table {
	t := &table{columns: slices.Concat(texts("recorded_at", "occurred_at", "source", "id", "type", "order_id", "error_id",
		"store", "touches", "origin_period", "posting_period"), numbers("net", "profit", "cash"), texts("currency"))}
	for i := range c.Changes {
		e := &c.Changes[i]
		t.rows = append(t.rows, []string{e.RecordedAt.Format(time.RFC3339Nano), e.OccurredAt.Format(time.RFC3339Nano),
			e.Source, e.ID, e.Type, e.OrderID, e.ErrorID,
			e.StoreID, e.Touches, e.OriginPeriod, e.PostingPeriod, e.Net, e.Profit, e.Cash, e.Currency})
	}
	return t
}

func unpricedTable(events []report.UnpricedEvent) *table {
	t := &table{columns: texts("source", "id", "type", "order_id", "error_id", "lacks")}
	for _, e := range events {
		t.rows = append(t.rows, []string{e.Source, e.EventID, e.Type, e.OrderID, e.ErrorID, strings.Join(e.Missing, "; ")})
	}
	return t
}

// onlyParameters refuses parameters that would otherwise be passed over in silence.
func onlyParameters(q url.Values, known ...string) error {
next:
	for name := range q {
		for _, k := range known {
			if name == k {
				continue next
			}
		}
		return &report.Invalid{Code: report.UnknownParameter, Value: name}
	}
	return nil
}
