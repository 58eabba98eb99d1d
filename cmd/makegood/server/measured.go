package server

import (
	"context"
	"time"

	"github.com/makegood/makegood/infra/kafka"
)

// Booked waits until so many rows are booked.
func (a *App) Booked(ctx context.Context, events int64) error {
	for a.Projector.Stats().Booked.Load() < events {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-a.Failed():
			return err
		case <-time.After(2 * time.Millisecond):
		}
	}
	return nil
}

// Subscriber is the projector's.
func (a *App) Subscriber() (*kafka.Subscriber, error) {
	return kafka.NewSubscriber(a.subscriberConfig())
}

// TillsMapped waits until all that tills sent is mapped.
func (a *App) TillsMapped(ctx context.Context) error {
	for {
		waiting, err := a.tillsWaiting(ctx)
		if err != nil || waiting == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-a.Failed():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}
