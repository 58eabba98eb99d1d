package access

import (
	"context"
	"net/netip"
	"sync"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
)

// slowdown gives every remote address a budget of failures that refills with time. It remembers a bounded number of
// addresses; whom it forgets begins again.
type slowdown struct {
	burst int           // failures at once
	every time.Duration // after which one more is allowed
	most  int           // addresses of a generation

	mu sync.Mutex
	// An address has used up its budget so far that it would be whole again at that time. There are two generations: when
	// the younger is full, it becomes the elder, and the elder is forgotten. That bounds memory without ever searching it.
	younger, elder map[netip.Prefix]time.Time
}

func newSlowdown(burst int, every time.Duration, most int) *slowdown {
	return &slowdown{burst: burst, every: every, most: most, younger: map[netip.Prefix]time.Time{}}
}

// failed notes a failure, and says how long that address should wait: 0 while it is within its budget.
func (s *slowdown) failed(remote string, now time.Time) time.Duration {
	from := gateway.Neighbourhood(remote)
	s.mu.Lock()
	defer s.mu.Unlock()
	whole, ok := s.younger[from]
	if !ok {
		whole = s.elder[from]
	}
	if whole.Before(now) {
		whole = now
	}
	whole = whole.Add(s.every)
	if over := whole.Sub(now) - time.Duration(s.burst)*s.every; over > 0 {
		return over // and it owes no more than before
	}
	if !ok && len(s.younger) >= s.most {
		s.elder, s.younger = s.younger, make(map[netip.Prefix]time.Time)
	}
	s.younger[from] = whole
	return 0
}

// remembered is how many addresses there are.
func (s *slowdown) remembered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.younger) + len(s.elder)
}

// hold keeps some who failed too often waiting, a bounded number of them: where all places are taken, the answer comes
// at once, since those who wait also cost.
type hold struct {
	places chan struct{}
	long   time.Duration
}

func newHold(places int, long time.Duration) hold {
	return hold{make(chan struct{}, places), long}
}

func (h hold) wait(ctx context.Context) {
	select {
	case h.places <- struct{}{}:
	default:
		return
	}
	defer func() { <-h.places }()
	timer := time.NewTimer(h.long)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
