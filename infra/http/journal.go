package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// Document is a file that is ready to be sent.
type Document struct {
	Name, ContentType string
	Body              []byte
}

// JournalRequest is what the journal is asked for.
type JournalRequest struct {
	Query  report.JournalQuery
	Format string // json, csv, xlsx or quickbooks
	// DefaultChart keeps makegood's account numbers where the server knows the company's codes.
	DefaultChart bool
}

// journalRequest reads what is asked for.
func journalRequest(r *http.Request, b Books) (JournalRequest, error) {
	q := r.URL.Query()
	if err := onlyParameters(q, "from", "to", "period_by", "every", "detail", "currency", "as_of", "final", "accounts",
		"format"); err != nil {
		return JournalRequest{}, err
	}
	request := JournalRequest{Format: q.Get("format"), DefaultChart: q.Get("accounts") == "default",
		Query: report.JournalQuery{PeriodBy: "posting", Every: "month", Detail: "aggregated", Currency: q.Get("currency")}}
	var err error
	if request.Query.From, request.Query.To, err = days(q); err != nil {
		return request, err
	}
	for name, value := range map[string]*string{"period_by": &request.Query.PeriodBy, "every": &request.Query.Every,
		"detail": &request.Query.Detail} {
		if text := q.Get(name); text != "" {
			*value = text
		}
	}
	if request.Query.AsOf, err = asOf(r.Context(), q.Get("as_of"), b); err != nil {
		return request, err
	}
	switch q.Get("final") {
	case "", "false":
	case "true":
		request.Query.Final = true
		if q.Get("from") == "" || q.Get("to") == "" {
			return request, &report.Invalid{Code: report.SpanWanted, Parameter: "final"}
		}
	default:
		return request, &report.Invalid{Code: report.NotAFlag, Parameter: "final", Value: q.Get("final")}
	}
	if a := q.Get("accounts"); a != "" && a != "default" {
		return request, &badQuery{fmt.Sprintf("accounts: %q; default keeps makegood's own numbers, and nothing takes the "+
			"codes that "+
			"the server was given", a)}
	}
	switch request.Format {
	case "":
		request.Format = "json"
	case "json", "csv", "xlsx", "quickbooks":
	default:
		return request, notOneOf("format", request.Format, "json", "csv", "xlsx", "quickbooks")
	}
	if err := request.Query.Validate(); err != nil {
		return request, err
	}
	return request, nil
}

// journal answers with entries for the general ledger.
func journal(w http.ResponseWriter, r *http.Request, b Books) error {
	request, err := journalRequest(r, b)
	if err != nil {
		return err
	}
	document, err := b.Journal(r.Context(), request)
	var open *report.OpenPeriodsError
	var unmapped *report.UnmappedAccountsError
	var unsettled *audit.UnsettledError
	switch {
	case errors.As(err, &unsettled):
		WriteProblem(w, &Problem{Code: ProblemNotSettled, Status: http.StatusServiceUnavailable, Detail: unsettled.Error(),
			RetryAfter: time.Second, More: map[string]any{"unbooked": unsettled.Unbooked, "conflicts": unsettled.Conflicts,
				"doubles": unsettled.Doubles}})
		return nil
	case errors.As(err, &open):
		writeProblem(w, r, http.StatusConflict, ProblemPeriodOpen, open.Error(), map[string]any{"periods": open.Periods})
		return nil
	case errors.As(err, &unmapped):
		writeProblem(w, r, http.StatusConflict, ProblemUnmapped, unmapped.Error(),
			map[string]any{"accounts": unmapped.Accounts})
		return nil
	case errors.Is(err, report.ErrJournalTooLong):
		return &badQuery{err.Error()}
	case err != nil:
		return err
	}
	w.Header().Set("Content-Type", document.ContentType)
	w.Header().Set("Cache-Control", "no-store")
	if request.Format != "json" {
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", document.Name))
	}
	_, _ = w.Write(document.Body) // a reader that went away can't be told
	return nil
}
