package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// background does all of works until Close, which ends them together and waits for them. What ends by itself with an
// error ends the process; an error of one that Close has ended is logged.
func (a *App) background(ctx context.Context, works ...func(context.Context) error) {
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	for _, work := range works {
		done.Go(func() {
			switch err := work(working); {
			case err == nil || errors.Is(err, context.Canceled) && working.Err() != nil:
			case working.Err() == nil:
				a.fail(err)
			default:
				a.logger.Warn("while stopping", "error", err)
			}
		})
	}
	a.OnClose(func() error {
		stop()
		done.Wait()
		return nil
	})
}

// often is work done at once and then every so often.
func often(every time.Duration, work func(context.Context)) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			work(ctx)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(every):
			}
		}
	}
}

// withoutError is work that has no error to tell.
func withoutError(work func(context.Context)) func(context.Context) error {
	return func(ctx context.Context) error {
		work(ctx)
		return nil
	}
}

// named is work whose error says what ended.
func named(what string, work func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := work(ctx); err != nil {
			return fmt.Errorf("%s ended: %w", what, err)
		}
		return nil
	}
}
