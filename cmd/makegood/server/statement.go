package server

import (
	"context"

	"github.com/makegood/makegood/projections/report"
)

// Statement reads the account of a store or a vendor. Errors: *report.UnknownNameError.
func (b Books) Statement(ctx context.Context, q report.StatementQuery) (*report.Statement, error) {
	ctx, err := b.settled(ctx, &q.AsOf, "")
	if err != nil {
		return nil, err
	}
	s, err := report.ReadStatement(ctx, b.Store.Reports, q, b.Now())
	if err != nil || len(s.Currencies) > 0 {
		return s, err
	}
	known, err := q.Known(ctx, b.Store.Reports)
	switch {
	case err != nil:
		return nil, err
	case known:
		return s, nil
	case q.Vendor != "":
		return nil, &report.UnknownNameError{What: "vendor", Name: q.Vendor}
	default:
		return nil, &report.UnknownNameError{What: "store", Name: q.Store}
	}
}
