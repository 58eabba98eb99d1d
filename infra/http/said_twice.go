package gateway

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/makegood/makegood/projections/report"
)

// Doubts are what the books are asked about events that are said twice or can't be right.
type Doubts interface {
	// SaidTwice are the doubles and the contradictions, at most limit of each.
	SaidTwice(ctx context.Context, limit int) (doubles, contradictions []report.SaidTwice, err error)
	Flagged(ctx context.Context, limit int) ([]report.Flagged, error)
}

func doubtRoutes(b Doubts, handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	handle("GET /v1/doubles", func(w http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		if err := onlyParameters(q, "format"); err != nil {
			return err
		}
		format, err := formatOf(q)
		if err != nil {
			return err
		}
		doubles, contradictions, err := b.SaidTwice(r.Context(), maxListed)
		if err != nil {
			return err
		}
		return answerAs(w, format, map[string]any{"doubles": doubles, "contradictions": contradictions}, "doubles",
			func() *table { return saidTwiceTable(contradictions, doubles) })
	})
	handle("GET /v1/flags", func(w http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		if err := onlyParameters(q, "format"); err != nil {
			return err
		}
		format, err := formatOf(q)
		if err != nil {
			return err
		}
		flags, err := b.Flagged(r.Context(), maxListed)
		if err != nil {
			return err
		}
		return answerAs(w, format, map[string]any{"flags": flags}, "flags", func() *table { return flagsTable(flags) })
	})
}

func saidTwiceTable(lists ...[]report.SaidTwice) *table {
	t := &table{columns: texts("standing", "source", "id", "type", "order_id", "error_id", "store_id", "currency", "time",
		"recorded_at", "of_source", "of_id")}
	for _, list := range lists {
		for i := range list {
			e := &list[i]
			t.rows = append(t.rows, []string{e.Standing, e.Source, e.ID, e.Type, e.OrderID, e.ErrorID, e.StoreID, e.Currency,
				e.Time.Format(time.RFC3339Nano), e.RecordedAt.Format(time.RFC3339Nano), e.OfSource, e.OfID})
		}
	}
	return t
}

func flagsTable(flags []report.Flagged) *table {
	t := &table{columns: slices.Concat(texts("flag", "order_id", "error_id", "source", "id"), numbers("amount"),
		texts("currency"))}
	for i := range flags {
		f := &flags[i]
		t.rows = append(t.rows, []string{f.Code, f.OrderID, f.ErrorID, f.Source, f.ID, f.Amount, f.Currency})
	}
	return t
}
