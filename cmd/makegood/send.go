package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// sender posts events in batches, several at once. Events of the books stream keep their place: all that was added
// before one is acknowledged before it is sent, and it before what follows, so that a rate is in force for the events
// after it.
type sender struct {
	client *client
	group  *errgroup.Group
	ctx    context.Context

	body   []byte
	places []string
	books  bool

	mu       sync.Mutex
	accepted int
	refused  int
	refusals []string // the first of them, for people
	progress func(accepted int)
}

const (
	sendEvents   = 500
	sendBytes    = 2 << 20
	sendAtOnce   = 4
	showRefusals = 20
)

func newSender(ctx context.Context, c *client, progress func(accepted int)) *sender {
	s := &sender{client: c, progress: progress}
	s.begin(ctx)
	return s
}

func (s *sender) begin(ctx context.Context) {
	s.group, s.ctx = errgroup.WithContext(ctx)
	s.group.SetLimit(sendAtOnce)
}

// add sends an event, in structured mode. place says where it came from, should it be refused.
func (s *sender) add(ctx context.Context, event []byte, books bool, place string) error {
	if books != s.books && len(s.places) > 0 {
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
	s.books = books
	if len(s.places) == 0 {
		s.body = append(s.body[:0:0], '[')
	} else {
		s.body = append(s.body, ',')
	}
	s.body = append(s.body, event...)
	s.places = append(s.places, place)
	if len(s.places) >= sendEvents || len(s.body) >= sendBytes {
		return s.flush()
	}
	return nil
}

// flush sends what has gathered.
func (s *sender) flush() error {
	if len(s.places) == 0 {
		return s.ctx.Err()
	}
	body, places := append(s.body, ']'), s.places
	s.body, s.places = nil, nil
	if err := s.ctx.Err(); err != nil {
		return s.group.Wait()
	}
	s.group.Go(func() error { return s.send(body, places) })
	return nil
}

// wait sends what has gathered and waits until all of it is acknowledged.
func (s *sender) wait(ctx context.Context) error {
	ferr := s.flush()
	err := s.group.Wait()
	if err == nil {
		err = ferr
	}
	s.begin(ctx)
	return err
}

// send posts one batch, again and again while the gateway says that it is busy.
func (s *sender) send(body []byte, places []string) error {
	var answer struct {
		Accepted int `json:"accepted"`
	}
	for try, pause := 0, 100*time.Millisecond; ; try, pause = try+1, min(2*pause, 5*time.Second) {
		err := s.client.post(s.ctx, "/v1/events", "application/cloudevents-batch+json", bytes.NewReader(body), &answer)
		var p *problem
		switch {
		case err == nil:
			s.count(answer.Accepted, nil)
			return nil
		case errors.As(err, &p) && p.Status == http.StatusUnprocessableEntity:
			var refused []string
			for _, e := range p.Errors {
				place := ""
				if e.Index >= 0 && e.Index < len(places) {
					place = places[e.Index]
				}
				refused = append(refused, fmt.Sprintf("%s: %s at %q: %s", place, e.Code, e.Pointer, e.Detail))
			}
			s.count(p.Accepted, refused)
			return nil
		case errors.As(err, &p) && (p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests) &&
			try < 20:
			// Nothing doubles when all of it is sent again.
		default:
			return err
		}
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (s *sender) count(accepted int, refused []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted += accepted
	s.refuse(refused...)
	if s.progress != nil {
		s.progress(s.accepted)
	}
}

// refuse counts events that won't be sent; callers hold mu or are alone.
func (s *sender) refuse(reasons ...string) {
	s.refused += len(reasons)
	s.refusals = append(s.refusals, reasons[:min(len(reasons), showRefusals-min(len(s.refusals), showRefusals))]...)
}
