package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// A password may be changed while we run: connections that stand go on, new ones are refused. Then the password is read
// again, and where it is another one by now, connections are made with that. A server may also go while another one has
// the same books: then connections are made to that one.

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

// pool is connections that follow the password and the server. The embedded ones are those that it began with.
type pool struct {
	driver.Conn
	options clickhousego.Options
	store   *Store
	books   bool // a server is asked only once it has all that others have acknowledged

	mu      sync.Mutex
	current driver.Conn
	at      connected
	old     []driver.Conn // what still runs there may end
}

// connected says what connections were made to: the server of a turn of the hosts, with a password.
type connected struct {
	addr, password string
	turn           uint64
}

// mostOld bounds the pools of before that are left open: what was asked there may still run.
const mostOld = 4

func openPool(options clickhousego.Options, s *Store, books bool) (*pool, error) {
	p := &pool{options: options, store: s, books: books}
	if err := p.open(); err != nil {
		return nil, err
	}
	p.Conn = p.current
	return p, nil
}

// open makes connections to the current server with the current password. The caller holds mu, or is alone.
func (p *pool) open() error {
	options := p.options // the driver may change what it is given
	options.Settings = maps.Clone(options.Settings)
	options.Auth.Password = p.store.secret.now()
	addr, turn := p.store.hosts.now()
	options.Addr = []string{addr}
	conn, err := clickhousego.Open(&options)
	if err != nil {
		return fmt.Errorf("connect to clickhouse at %s: %w", options.Addr, err)
	}
	if p.current != nil {
		p.old = append(p.old, p.current)
	}
	if len(p.old) > mostOld {
		_ = p.old[0].Close() // the process has gone on several times since
		p.old = slices.Delete(p.old, 0, 1)
	}
	p.current, p.at = conn, connected{addr, options.Auth.Password, turn}
	return nil
}

// ask asks: once more with another password where there is one, and at each other server where one doesn't answer. So
// what changes something may be done twice, at two servers; all that is asked here may be.
func (p *pool) ask(ctx context.Context, do func(driver.Conn) error) error {
	var last error
	for range p.store.hosts.len() + 1 {
		conn, at, err := p.connections()
		if err != nil {
			return err
		}
		last = nil
		if p.books {
			last = p.store.admit(ctx, at.turn)
		}
		if last == nil {
			last = do(conn)
		}
		if last == nil || isOver(ctx) ||
			!p.store.secret.renew(last, at.password) && !(p.store.isGone(ctx, at.addr, last) && p.store.hosts.next(at.turn)) {
			break
		}
	}
	return last
}

// connections are those to the current server with the current password.
func (p *pool) connections() (driver.Conn, connected, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, now := p.store.hosts.now(); now != p.at.turn || p.store.secret.now() != p.at.password {
		if err := p.open(); err != nil {
			return nil, connected{}, err
		}
	}
	return p.current, p.at, nil
}

func (p *pool) Query(ctx context.Context, query string, args ...any) (rows driver.Rows, err error) {
	err = p.ask(ctx, func(c driver.Conn) (err error) { rows, err = c.Query(ctx, query, args...); return err })
	return rows, err
}

func (p *pool) QueryRow(ctx context.Context, query string, args ...any) (row driver.Row) {
	if err := p.ask(ctx, func(c driver.Conn) error {
		row = c.QueryRow(ctx, query, args...)
		return row.Err()
	}); err != nil {
		return noRow{err}
	}
	return row
}

// noRow is a row of a question that was not answered.
type noRow struct{ err error }

func (r noRow) Err() error           { return r.err }
func (r noRow) Scan(...any) error    { return r.err }
func (r noRow) ScanStruct(any) error { return r.err }

func (p *pool) Select(ctx context.Context, into any, query string, args ...any) error {
	return p.ask(ctx, func(c driver.Conn) error { return c.Select(ctx, into, query, args...) })
}

func (p *pool) Exec(ctx context.Context, query string, args ...any) error {
	return p.ask(ctx, func(c driver.Conn) error {
		ctx, err := p.store.withQuorum(ctx)
		if err != nil {
			return err
		}
		if err = c.Exec(ctx, query, args...); err != nil {
			p.store.forgetUp()
		}
		return err
	})
}

func (p *pool) PrepareBatch(ctx context.Context, query string,
	opts ...driver.PrepareBatchOption) (b driver.Batch, err error) {
	err = p.ask(ctx, func(c driver.Conn) error {
		ctx, err := p.store.withQuorum(ctx)
		if err != nil {
			return err
		}
		b, err = c.PrepareBatch(ctx, query, opts...)
		return err
	})
	return b, err
}

func (p *pool) Ping(ctx context.Context) error {
	return p.ask(ctx, func(c driver.Conn) error { return c.Ping(ctx) })
}

func (p *pool) Stats() driver.Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current.Stats()
}

// Close closes all that are open.
func (p *pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	errs := []error{p.current.Close()}
	for _, c := range p.old {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
