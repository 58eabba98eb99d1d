package gateway

import (
	"net/http"
	"time"

	"github.com/makegood/makegood/projections/report"
)

// Rate is a rate as somebody set it. Value is money per hour, kilometre or piece, or a fraction for voucher_redemption.
type Rate struct {
	Rate          string    `json:"rate"`
	Key           string    `json:"key"`
	Value         string    `json:"value"`
	Currency      string    `json:"currency"`
	EffectiveFrom time.Time `json:"effective_from"`
	RecordedAt    time.Time `json:"recorded_at"`
	Source        string    `json:"source"`
	ID            string    `json:"id"`
	Voided        bool      `json:"voided"`
}

// rates answers which rates are in force at a time, or with all=true which were ever set.
func rates(w http.ResponseWriter, r *http.Request, b Books) error {
	q := r.URL.Query()
	if err := onlyParameters(q, "at", "all"); err != nil {
		return err
	}
	var at time.Time // zero: now
	if text := q.Get("at"); text != "" {
		var err error
		if at, err = time.Parse(time.DateOnly, text); err != nil {
			if at, err = time.Parse(time.RFC3339Nano, text); err != nil {
				return &report.Invalid{Code: report.NotATime, Parameter: "at", Value: text}
			}
		}
	}
	all := q.Get("all")
	if all != "" && all != "true" && all != "false" {
		return &report.Invalid{Code: report.NotAFlag, Parameter: "all", Value: all}
	}
	found, at, err := b.Rates(r.Context(), at, all == "true")
	return answer(w, map[string]any{"at": at.UTC(), "rates": found}, err)
}
