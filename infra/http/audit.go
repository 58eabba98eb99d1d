package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
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
	// Verify holds closed months against their seals and against the log. Its error may be a *report.Invalid.
	Verify(context.Context, VerifyQuery) (*audit.Verification, error)
	// Seals are those of all closes, in their order.
	Seals(context.Context) ([]PeriodSeal, error)
}

// VerifyQuery says what is verified.
type VerifyQuery struct {
	Period     domain.Period // 0: all that were ever closed
	Close      int           // which of its closes, 1 is the first; 0: each of them
	Root       string        // of the period's last close, or of Close, that somebody kept; empty: none
	LedgerOnly bool          // the roots alone: the log isn't read, and nothing is settled again
}

// PeriodSeal is the seal of a month's close.
type PeriodSeal struct {
	Period string `json:"period"`
	audit.SealSaid
}

// auditRoutes adds their routes.
func auditRoutes(b Books, handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	handle("GET /v1/audit", func(w http.ResponseWriter, r *http.Request) error { return answerAudit(w, r, b) })
	handle(verifyPattern, func(w http.ResponseWriter, r *http.Request) error { return verify(w, r, b) })
	handle("GET /v1/seals", plain(func(w http.ResponseWriter, r *http.Request) error {
		seals, err := b.Seals(r.Context())
		return answer(w, map[string]any{"seals": seals}, err)
	}))
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

// verifyPattern is its route. All of the log is read for it, as to reconcile.
const verifyPattern = "GET /v1/verify"

// verify answers whether closed months are as they were sealed.
func verify(w http.ResponseWriter, r *http.Request, b Books) error {
	values := r.URL.Query()
	if err := onlyParameters(values, "period", "root", "ledger_only"); err != nil {
		return err
	}
	var q VerifyQuery
	var err error
	if text := values.Get("period"); text != "" {
		if q.Period, q.Close, err = domain.ParseClose(text); err != nil {
			return &report.Invalid{Code: report.NotAClose, Parameter: "period", Value: text, Of: []string{err.Error()}}
		}
	}
	if q.Root = values.Get("root"); q.Root != "" {
		if digest, err := hex.DecodeString(q.Root); err != nil || len(digest) != sha256.Size {
			return &report.Invalid{Code: report.NotADigest, Parameter: "root", Value: q.Root}
		}
		if q.Period == 0 {
			return &report.Invalid{Code: report.CloseWanted, Parameter: "period"}
		}
	}
	if text := values.Get("ledger_only"); text != "" {
		if q.LedgerOnly, err = strconv.ParseBool(text); err != nil {
			return &report.Invalid{Code: report.NotAFlag, Parameter: "ledger_only", Value: text}
		}
	}
	found, err := b.Verify(r.Context(), q)
	return answer(w, found, err)
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
	t := &table{columns: texts("recorded_at", "time", "type", "actor", "token", "reason", "change", "source", "id")}
	for _, e := range a.Entries {
		t.rows = append(t.rows, []string{e.RecordedAt.Format(time.RFC3339Nano), e.Time.Format(time.RFC3339Nano), e.Type,
			e.Actor, e.Token, e.Reason, e.Change, e.Source, e.ID})
	}
	return t
}
