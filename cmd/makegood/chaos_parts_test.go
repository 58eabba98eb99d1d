//go:build chaos

package main

import (
	"context"
	"syscall"

	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// part is something that the roles need: a broker or ClickHouse.
type part interface {
	kill() error
	stop() error
	start(context.Context) error
	pause() error
	resume() error
	pid() int
}

type hostPart struct{ *member }

func (h hostPart) kill() error   { h.end(syscall.SIGKILL); return nil }
func (h hostPart) stop() error   { h.end(syscall.SIGTERM); return nil }
func (h hostPart) pause() error  { h.signal(syscall.SIGSTOP); return nil }
func (h hostPart) resume() error { h.signal(syscall.SIGCONT); return nil }
func (h hostPart) start(ctx context.Context) error {
	if err := h.begin(); err != nil {
		return err
	}
	_, err := h.await(ctx)
	return err
}

type kafkaPart struct{ *kafkatest.Real }

func (k kafkaPart) kill() error   { return k.Kill(0) }
func (k kafkaPart) stop() error   { return k.Stop(0) }
func (k kafkaPart) pause() error  { return k.Pause(0) }
func (k kafkaPart) resume() error { return k.Resume(0) }
func (k kafkaPart) pid() int      { return k.PID(0) }
func (k kafkaPart) start(ctx context.Context) error {
	if err := k.Start(0); err != nil {
		return err
	}
	return k.Wait(ctx, 1)
}
