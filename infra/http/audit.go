package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// Trail is what auditors ask: who changed what, and what an event did.
type Trail interface {
	// Audit lists the changes that were recorded on days from one on and before another, in the books' zone, the last at
	// most limit of them.
	Audit(ctx context.Context, from, to time.Time, limit int) (*audit.Audit, error)
	// Event finds an event by its identity. Errors: ledger.ErrNotFound.
	Event(ctx context.Context, source, id string) (*report.BookedEvent, error)
}

// auditRoutes adds their routes.
func auditRoutes(b Books, handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	handle("GET /v1/audit", func(w http.ResponseWriter, r *http.Request) error { return answerAudit(w, r, b) })
	handle("GET /v1/events", func(w http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		if err := onlyParameters(q, "source", "id"); err != nil {
			return err
		}
		if q.Get("source") == "" || q.Get("id") == "" {
			return &badQuery{"an event is found by its source and its id"}
		}
		event, err := b.Event(r.Context(), q.Get("source"), q.Get("id"))
		return answer(w, event, err)
	})
}

// maxAudit bounds the list; what it leaves out is counted.
const maxAudit = 100_000

func answerAudit(w http.ResponseWriter, r *http.Request, b Books) error {
	q := r.URL.Query()
	if err := onlyParameters(q, "from", "to", "format"); err != nil {
		return err
	}
	format, err := formatOf(q)
	if err != nil {
		return err
	}
	from, to, err := days(q)
	if err != nil {
		return err
	}
	found, err := b.Audit(r.Context(), from, to, maxAudit)
	if err != nil {
		return err
	}
	return answerAs(w, format, found, "audit", func() *table { return auditTable(found) })
}

func auditTable(a *audit.Audit) *table {
	t := &table{header: []string{"recorded_at", "time", "type", "actor", "token", "reason", "change", "source", "id"},
		numeric: make([]bool, 9)}
	for _, e := range a.Entries {
		t.rows = append(t.rows, []string{e.RecordedAt.Format(time.RFC3339Nano), e.Time.Format(time.RFC3339Nano), e.Type,
			e.Actor, e.Token, e.Reason, e.Change, e.Source, e.ID})
	}
	return t
}
