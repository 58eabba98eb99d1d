package access

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
)

// GuardConfig is what a Guard needs. Zero limits take their defaults.
type GuardConfig struct {
	// File is the access file.
	File string
	// Now is the clock.
	Now func() time.Time
	// Logger takes what an operator should know of: that the file can't be read. No token goes there.
	Logger *slog.Logger

	// Burst is how many failures of an address are answered at once. Default 20.
	Burst int
	// Refill is after which time an address may fail once more. Default 1 s.
	Refill time.Duration
	// Hold is how long an answer beyond the budget is held back. Default 1 s.
	Hold time.Duration
	// MaxHeld bounds the answers that are held back. Default 64.
	MaxHeld int
	// MaxAddresses bounds the addresses that are remembered. Default 8,192.
	MaxAddresses int
}

func (c GuardConfig) withDefaults() GuardConfig {
	orDefault(&c.Burst, 20)
	orDefault(&c.Refill, time.Second)
	orDefault(&c.Hold, time.Second)
	orDefault(&c.MaxHeld, 64)
	orDefault(&c.MaxAddresses, 8192)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func orDefault[T int | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}

// Guard lets in who brings a token of the access file. Its Check is a gateway.Guard.
type Guard struct {
	file *watched[tokens]
	now  func() time.Time
	slow *slowdown
	hold hold

	missing, unknown, scope, slowed atomic.Int64
}

// GuardCounts are what a Guard has refused since it was made.
type GuardCounts struct {
	Missing int64 // requests without a token
	Unknown int64 // requests with a token that isn't in the file
	Scope   int64 // requests whose token doesn't allow what they ask
	Slowed  int64 // requests without a valid token beyond what an address may have
}

// NewGuard reads the access file.
func NewGuard(c GuardConfig) (*Guard, error) {
	c = c.withDefaults()
	if c.File == "" || c.Now == nil {
		return nil, errors.New("access: a file and a clock are required")
	}
	if c.Burst < 0 || c.Refill < 0 || c.Hold < 0 || c.MaxHeld < 0 || c.MaxAddresses < 2 {
		return nil, errors.New("access: a limit is too low")
	}
	parse := func(contents [][]byte) (tokens, error) {
		t, err := parseTokens(contents[0])
		if err == nil && len(t.entries) == 0 {
			c.Logger.Warn("the access file holds no token: nobody is let in", "file", c.File)
		}
		return t, err
	}
	file, err := watch("the access file", []file{{c.File, true}}, parse, c.Now, c.Logger)
	if err != nil {
		return nil, err
	}
	// Half of the addresses in each generation.
	return &Guard{file: file, now: c.Now, slow: newSlowdown(c.Burst, c.Refill, c.MaxAddresses/2),
		hold: newHold(c.MaxHeld, c.Hold)}, nil
}

// Check says who asks, or why they may not.
func (g *Guard) Check(r *http.Request, anyOf ...gateway.Scope) (*gateway.Grant, error) {
	token := tokenOf(r)
	entry := g.file.get().find(token)
	if entry == nil {
		if token == "" {
			g.missing.Add(1)
		} else {
			g.unknown.Add(1)
		}
		return nil, g.refuse(r)
	}
	grant := gateway.Grant(*entry)
	if !grant.Has(anyOf...) {
		g.scope.Add(1)
		return &gateway.Grant{Name: entry.Name}, gateway.ErrForbidden
	}
	return &grant, nil
}

// Find is what the holder of a token may do, for other doors than HTTP; nil where nobody knows the token.
func (g *Guard) Find(token string) *gateway.Grant {
	entry := g.file.get().find(token)
	if entry == nil {
		g.unknown.Add(1)
		return nil
	}
	grant := gateway.Grant(*entry)
	return &grant
}

// refuse slows down an address that fails too often.
func (g *Guard) refuse(r *http.Request) error {
	after := g.slow.failed(r.RemoteAddr, g.now())
	if after == 0 {
		return gateway.ErrUnauthenticated
	}
	g.slowed.Add(1)
	g.hold.wait(r.Context())
	p := gateway.NewProblem(http.StatusTooManyRequests, gateway.ProblemTooManyFailures,
		"too many requests without a valid token came from there")
	p.RetryAfter = after
	return p
}

// Counts says what was refused so far.
func (g *Guard) Counts() GuardCounts {
	return GuardCounts{Missing: g.missing.Load(), Unknown: g.unknown.Load(), Scope: g.scope.Load(),
		Slowed: g.slowed.Load()}
}

// Stale says whether the file holds something that can't be used, so that what it said before is still in force.
func (g *Guard) Stale() bool { return g.file.stale.Load() }

// tokenOf is the token that a request brings. Browsers know no bearer tokens, so for reading, and for nothing else, a
// token may also be the password of basic authentication: they send that along by themselves, also when another site
// makes them ask.
func tokenOf(r *http.Request) string {
	if len(r.Header.Values("Authorization")) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if _, password, ok := r.BasicAuth(); ok && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return password
	}
	return ""
}
