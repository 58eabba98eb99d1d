package server

import (
	"context"

	"github.com/makegood/makegood/projections/report"
)

func (b Books) Summary(ctx context.Context, q report.SummaryQuery) (*report.Summary, error) {
	ctx, err := b.settled(ctx, &q.AsOf, "")
	if err != nil {
		return nil, err
	}
	return report.ReadSummary(ctx, b.Store.Reports, q, b.Now())
}
