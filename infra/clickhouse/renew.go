package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// A password may be changed while we run: connections that stand go on, new ones are refused. Then the password is read
// again, and where it is another one by now, connections are made with that.

// authenticationFailed is ClickHouse's code for a password that it doesn't know.
const authenticationFailed = 516

// secret is the password as it is known now.
type secret struct {
	read   func() (string, error) // nil: it never changes
	logger *slog.Logger

	mu    sync.Mutex
	value string
}

func (s *secret) now() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value
}

// renew reads the password again where an error says that the one used is not right, and reports whether there is
// another.
func (s *secret) renew(err error, used string) bool {
	refused, is := errors.AsType[*clickhousego.Exception](err)
	if s.read == nil || !is || refused.Code != authenticationFailed {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.value != used {
		return true // somebody has renewed it meanwhile
	}
	value, err := s.read()
	if err != nil {
		s.logger.Warn("the password of clickhouse can't be read again", "error", err)
		return false
	}
	if value == used {
		return false
	}
	s.value = value
	s.logger.Info("clickhouse has another password now: it was read again")
	return true
}

// pool is connections that follow the password. The embedded ones are those that it began with.
type pool struct {
	driver.Conn
	options clickhousego.Options
	secret  *secret

	mu       sync.Mutex
	current  driver.Conn
	password string
	old      []driver.Conn // what still runs there may end
}

func openPool(options clickhousego.Options, s *secret) (*pool, error) {
	p := &pool{options: options, secret: s}
	if err := p.open(); err != nil {
		return nil, err
	}
	p.Conn = p.current
	return p, nil
}

// open makes connections with the password of now. The caller holds mu, or is alone.
func (p *pool) open() error {
	options := p.options // the driver may change what it is given
	options.Settings = maps.Clone(options.Settings)
	options.Auth.Password = p.secret.now()
	conn, err := clickhousego.Open(&options)
	if err != nil {
		return fmt.Errorf("connect to clickhouse at %s: %w", options.Addr, err)
	}
	if p.current != nil {
		p.old = append(p.old, p.current)
	}
	p.current, p.password = conn, options.Auth.Password
	return nil
}

// ask asks, and once more with another password where there is one.
func (p *pool) ask(do func(driver.Conn) error) error {
	p.mu.Lock()
	conn, used := p.current, p.password
	p.mu.Unlock()
	err := do(conn)
	if err == nil || !p.secret.renew(err, used) {
		return err
	}
	p.mu.Lock()
	if p.password == used {
		if opened := p.open(); opened != nil {
			p.mu.Unlock()
			return errors.Join(err, opened)
		}
	}
	conn = p.current
	p.mu.Unlock()
	return do(conn)
}

func (p *pool) Query(ctx context.Context, query string, args ...any) (rows driver.Rows, err error) {
	err = p.ask(func(c driver.Conn) (err error) { rows, err = c.Query(ctx, query, args...); return err })
	return rows, err
}

func (p *pool) QueryRow(ctx context.Context, query string, args ...any) (row driver.Row) {
	_ = p.ask(func(c driver.Conn) error { row = c.QueryRow(ctx, query, args...); return row.Err() }) // the row says it
	return row
}

func (p *pool) Select(ctx context.Context, into any, query string, args ...any) error {
	return p.ask(func(c driver.Conn) error { return c.Select(ctx, into, query, args...) })
}

func (p *pool) Exec(ctx context.Context, query string, args ...any) error {
	return p.ask(func(c driver.Conn) error { return c.Exec(ctx, query, args...) })
}

func (p *pool) PrepareBatch(ctx context.Context, query string,
	opts ...driver.PrepareBatchOption) (b driver.Batch, err error) {
	err = p.ask(func(c driver.Conn) (err error) { b, err = c.PrepareBatch(ctx, query, opts...); return err })
	return b, err
}

func (p *pool) Ping(ctx context.Context) error {
	return p.ask(func(c driver.Conn) error { return c.Ping(ctx) })
}

func (p *pool) Stats() driver.Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current.Stats()
}

// Close closes all that were ever opened.
func (p *pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	errs := []error{p.current.Close()}
	for _, c := range p.old {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
