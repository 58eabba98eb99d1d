package main

import (
	"context"

	"github.com/makegood/makegood/projections"
)

func (b books) Summary(ctx context.Context, q projections.SummaryQuery) (*projections.Summary, error) {
	return projections.ReadSummary(ctx, b.store.DB, q, b.now())
}
