package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// retry does something again while it fails in ways that pass by themselves,
// as long as ctx allows.
func retry(ctx context.Context, do func() error) error {
	var last error
	for n := 1; ; n++ {
		err := do()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			if last == nil || errors.Is(err, last) {
				return err
			}
			return fmt.Errorf("%w (last failure: %w)", err, last)
		}
		if !retriable(err) {
			return err
		}
		last = err
		if _, bounded := ctx.Deadline(); !bounded && n >= maxUnboundedTries {
			return err
		}
		pause(ctx, backoff(n, 50*time.Millisecond, time.Second))
	}
}

// maxUnboundedTries is how often a question is asked whose context has no end:
// some ten seconds.
const maxUnboundedTries = 15

// retriable says whether an error may pass by itself. What isn't Kafka's own
// verdict is the network's, and networks recover, save for what no waiting
// mends.
func retriable(err error) bool {
	if _, ok := errors.AsType[*permanentError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*RemadeError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return false
	}
	var code kafkago.Error
	if errors.As(err, &code) {
		return code.Temporary() || code == kafkago.BrokerNotAvailable || code == kafkago.ReplicaNotAvailable
	}
	if errors.Is(err, ErrClosed) || errors.Is(err, context.Canceled) || errors.Is(err, errCorrupt) {
		return false
	}
	return true
}

// Permanent reports whether no waiting mends an error of this package.
func Permanent(err error) bool {
	return err != nil && !retriable(err) && !errors.Is(err, context.Canceled)
}

// permanentError stops a retry.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// backoff is the wait before the n-th attempt after a failure (n from 1).
func backoff(n int, least, most time.Duration) time.Duration {
	d := least
	for ; n > 1 && d < most; n-- {
		d *= 2
	}
	return min(d, most)
}

// pause waits, but not longer than ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
