package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// Payouts are what a payment processor reports for one currency; none where the books are only held against the log.
type Payouts struct {
	Lines    []audit.Payout
	Currency string        // ISO 4217
	Lag      time.Duration // how long the processor takes to pay
}

// reconcilePattern is its route.
const reconcilePattern = "POST /v1/reconcile"

// maxPayoutBytes bounds the report that is sent along.
const maxPayoutBytes = 64 << 20

// reconcile takes the processor's report as CSV in the body, or nothing.
func reconcile(w http.ResponseWriter, r *http.Request, b Books) error {
	if err := onlyParameters(r.URL.Query(), "currency", "lag_days", "as_of"); err != nil {
		return err
	}
	p := Payouts{Currency: r.URL.Query().Get("currency"), Lag: 7 * 24 * time.Hour}
	if text := r.URL.Query().Get("lag_days"); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 0 || days > 366 {
			return &report.Invalid{Code: report.NotADelay, Parameter: "lag_days", Value: text, Of: []string{"0", "366"}}
		}
		p.Lag = time.Duration(days) * 24 * time.Hour
	}
	if err := csvAlone(r); err != nil {
		return err
	}
	at, err := asOf(r.Context(), r.URL.Query().Get("as_of"), b)
	if err != nil {
		return err
	}
	body := http.MaxBytesReader(w, r.Body, maxPayoutBytes)
	if r.ContentLength != 0 {
		lines, err := audit.ReadPayouts(body)
		switch {
		case errors.Is(err, io.EOF): // nothing was sent after all
		case err != nil:
			return &badQuery{err.Error()}
		case p.Currency == "":
			return &report.Invalid{Code: report.CurrencyWanted, Parameter: "currency"}
		case len(lines) == 0:
			return &badQuery{audit.ErrNoPayouts.Error()}
		default:
			p.Lines = lines
		}
	}
	// All of the log and of the ledger are read: that takes longer than other answers may.
	if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil &&
		!errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("reconcile: %w", err)
	}
	found, err := b.Reconcile(r.Context(), at, p)
	return answer(w, found, err)
}
