package server

import (
	"context"
	"time"

	"github.com/makegood/makegood/projections/insight"
)

// Ask answers one of the owner's questions.
func (b Books) Ask(ctx context.Context, question *insight.Question, q insight.Query) (*insight.Answer, error) {
	zone, err := time.LoadLocation(b.Config.Zone)
	if err != nil {
		return nil, err
	}
	if ctx, err = b.settled(ctx, &q.AsOf, ""); err != nil {
		return nil, err
	}
	return question.Ask(ctx, b.Store.Reports, q, zone, b.Now())
}
