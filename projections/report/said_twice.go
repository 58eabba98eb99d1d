package report

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// SaidTwice is an event that says what another one says (a double), or says otherwise (a contradiction). It posts
// nothing.
type SaidTwice struct {
	Standing   string    `json:"standing" ch:"standing"` // double or waits
	Source     string    `json:"source" ch:"source"`
	ID         string    `json:"id" ch:"event_id"`
	Type       string    `json:"type" ch:"event_type"`
	OrderID    string    `json:"order_id" ch:"order_id"`
	ErrorID    string    `json:"error_id" ch:"error_id"`
	StoreID    string    `json:"store_id" ch:"store_id"`
	Currency   string    `json:"currency" ch:"currency"`
	Time       time.Time `json:"time" ch:"occurred_at"`
	RecordedAt time.Time `json:"recorded_at" ch:"recorded_at"`
	OfSource   string    `json:"of_source" ch:"of_source"` // the event that counts in its place
	OfID       string    `json:"of_id" ch:"of_id"`
}

// Flagged is something that can't be right, booked as far as it is known: see domain.FlagCodes for the codes.
type Flagged struct {
	Code     string `json:"code" ch:"code"`
	OrderID  string `json:"order_id" ch:"order_id"`
	ErrorID  string `json:"error_id" ch:"error_id"` // empty where it is about no case
	Source   string `json:"source" ch:"source"`
	ID       string `json:"id" ch:"event_id"`
	Currency string `json:"currency" ch:"currency"` // empty where Amount has none
	// Amount has 4 decimals: by how much it can't be right; zero where that is no amount.
	Amount string `json:"amount" ch:"amount"`
}

// Doubt counts what is said twice, what voids nothing, and what can't be right.
type Doubt struct {
	Doubles, Contradictions, VoidsNothing, Flagged uint64
}

// doubtful are the rows of failures that may be in doubt. Few are: their keys are found in any version of the rows, so
// that only they are folded.
const doubtful = `failures FINAL WHERE (unit, source, event_id, content) IN (
    SELECT unit, source, event_id, content FROM failures
    WHERE standing IN ('double', 'waits', 'voids_nothing') OR notEmpty(flag_code)) AND refused = ''`

// CountDoubt counts the events in doubt, and the flags.
func CountDoubt(ctx context.Context, db driver.Conn) (Doubt, error) {
	var d Doubt
	err := db.QueryRow(ctx, `
SELECT countIf(standing = 'double'), countIf(standing = 'waits'), countIf(standing = 'voids_nothing'),
       sum(length(flag_code)) FROM `+doubtful).Scan(&d.Doubles, &d.Contradictions, &d.VoidsNothing, &d.Flagged)
	if err != nil {
		return d, fmt.Errorf("count what is said twice or can't be right: %w", err)
	}
	return d, nil
}

// ListSaidTwice lists the doubles and the contradictions, at most limit of each, the oldest first.
func ListSaidTwice(ctx context.Context, db driver.Conn, limit int) (doubles, contradictions []SaidTwice, err error) {
	for _, of := range []struct {
		standing string
		into     *[]SaidTwice
	}{{"double", &doubles}, {"waits", &contradictions}} {
		*of.into = []SaidTwice{}
		if err := db.Select(ctx, of.into, `
SELECT standing, source, event_id, event_type, order_id, error_id, store_id, currency, occurred_at, recorded_at,
       of_source, of_id
FROM `+doubtful+` AND standing = ? ORDER BY occurred_at, source, event_id LIMIT ?`, of.standing, limit); err != nil {
			return nil, nil, fmt.Errorf("list what is said twice: %w", err)
		}
	}
	return doubles, contradictions, nil
}

// ListFlagged lists the flags, at most limit, those of the oldest events first.
func ListFlagged(ctx context.Context, db driver.Conn, limit int) ([]Flagged, error) {
	flags := []Flagged{}
	if err := db.Select(ctx, &flags, `
SELECT code, order_id, case_id AS error_id, source, event_id, of_currency AS currency,
       toDecimalString(of_amount, 4) AS amount
FROM (SELECT order_id, source, event_id, occurred_at, flag_code, flag_case, flag_currency, flag_amount
      FROM `+doubtful+`)
ARRAY JOIN flag_code AS code, flag_case AS case_id, flag_currency AS of_currency, flag_amount AS of_amount
ORDER BY occurred_at, source, event_id, code LIMIT ?`, limit); err != nil {
		return nil, fmt.Errorf("list what can't be right: %w", err)
	}
	return flags, nil
}
