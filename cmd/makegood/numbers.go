package main

import (
	"context"

	"github.com/makegood/makegood/projections/report"
)

func (b books) Summary(ctx context.Context, q report.SummaryQuery) (*report.Summary, error) {
	return report.ReadSummary(ctx, b.store.DB, q, b.now())
}
