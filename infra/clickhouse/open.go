package clickhouse

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"time"

	"github.com/ClickHouse/ch-go"
	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/makegood/makegood/projections/ledger"
)

// Config says which server, and how.
type Config struct {
	// DSN is clickhouse://user:password@host:port/database?secure=true; the database is makegood where none is named.
	// With a cluster it may name several hosts, host:port,host:port: replicas of it.
	DSN string
	// Cluster is the name of the servers' cluster (system.clusters), of one shard with any number of replicas: each of
	// them has all of the books. Empty: the books are on one server.
	Cluster string
	// Password is the user's where the DSN holds none: so it needn't stand in an address, which people copy around.
	Password string `json:"-"`
	// Renew, when not nil, reads the user's password again: it is asked when the server doesn't know the one used before.
	Renew func() (string, error) `json:"-"`
	// MaxConnections bounds the connections of Store.DB, and those of Store.Reports; default 16 each.
	MaxConnections int
	// Timeout bounds a report; default 60 s.
	Timeout time.Duration
	Logger  *slog.Logger
	// Check looks at the database of each server before anything is changed in it. Nil: nobody does.
	Check func(context.Context, driver.Conn) error
}

// Validate reads the DSN. Its error never shows the password.
func (c Config) Validate() error {
	if c.Logger == nil {
		return errors.New("clickhouse: a logger is wanted")
	}
	_, err := c.options()
	return err
}

func (c Config) options() (*clickhousego.Options, error) {
	o, err := clickhousego.ParseDSN(c.DSN)
	if err != nil {
		// The parser's error quotes the DSN with its password.
		return nil, errors.New("clickhouse: the address is not of the form clickhouse://user:password@host:port/database")
	}
	if len(o.Addr) != 1 && c.Cluster == "" {
		return nil, errors.New("clickhouse: the address names several servers and no cluster: without one each of them " +
			"would have a part of the books (--clickhouse-cluster)")
	}
	if o.Auth.Database == "" || o.Auth.Database == "default" {
		o.Auth.Database = "makegood"
	}
	if c.Password != "" {
		if o.Auth.Password != "" {
			return nil, errors.New("clickhouse: a password is in the address and given beside it")
		}
		o.Auth.Password = c.Password
	}
	o.MaxOpenConns = c.MaxConnections
	if o.MaxOpenConns == 0 {
		o.MaxOpenConns = 16
	}
	o.MaxIdleConns = o.MaxOpenConns
	o.DialTimeout = 5 * time.Second
	if c.Cluster != "" {
		o.DialContext = dialContext(o)
	}
	o.ConnMaxLifetime = time.Hour
	o.ReadTimeout = c.Timeout
	if o.ReadTimeout == 0 {
		o.ReadTimeout = time.Minute
	}
	if o.Settings == nil {
		o.Settings = clickhousego.Settings{}
	}
	// A batch is acknowledged as one, by the insert that carries it.
	o.Settings["async_insert"] = 0
	// Nor is one ever taken for another that was: what is written again must be written.
	o.Settings["insert_deduplicate"] = 0
	// Sorting keys begin with what we ask for; parts of different months never hold the same event.
	o.Settings["do_not_merge_across_partitions_select_final"] = 1
	return o, nil
}

// Store is a connected ClickHouse.
type Store struct {
	// DB is for what books: reading and small writes of the projector, and whatever else changes something.
	DB driver.Conn
	// Reports is for what people ask. However much that is, it takes no connection of the others.
	Reports driver.Conn
	// Watch is for short questions about the state: whether the server answers, counts, gauges.
	Watch   driver.Conn
	books   *pool // what DB is
	options *clickhousego.Options
	cluster string
	hosts   *hosts
	up      upNow
	secret  *secret
	logger  *slog.Logger

	admitting chan struct{} // whoever holds it may read and write admitted
	admitted  uint64        // servers of turns below it were found to have all that was written before
}

// Open connects, creates the database where it is missing, and brings the schema to its newest version. Several
// processes may do so at once: one of them changes the schema, and the others wait for it.
func Open(ctx context.Context, c Config, migrations fs.FS) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	o, err := c.options()
	if err != nil {
		return nil, err
	}
	s := &Store{options: o, cluster: c.Cluster, hosts: newHosts(o.Addr), logger: c.Logger,
		admitting: make(chan struct{}, 1),
		secret:    &secret{read: c.Renew, value: o.Auth.Password, logger: c.Logger}}
	if c.Cluster != "" {
		err = s.prepareReplicas(ctx, c.Check, migrations)
	} else {
		err = s.prepare(ctx, c.Check, migrations)
	}
	if err != nil {
		return nil, err
	}
	if err := s.openPools(); err != nil {
		return nil, err
	}
	return s, nil
}

// prepare makes the database of one server.
func (s *Store) prepare(ctx context.Context, check func(context.Context, driver.Conn) error, migrations fs.FS) error {
	r := s.replica(s.options.Addr[0])
	if err := r.connect(ctx); err != nil {
		return err
	}
	defer r.close()
	if check != nil {
		if err := check(ctx, r.db); err != nil {
			return err
		}
	}
	return s.migrate(ctx, r, migrations)
}

// Close closes the connections.
func (s *Store) Close() error {
	var errs []error
	for _, pool := range []driver.Conn{s.DB, s.Reports, s.Watch} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// maxWatching are the connections of Store.Watch.
const maxWatching = 4

// openPools opens the connections, each kind in a pool of its own.
func (s *Store) openPools() error {
	watch := *s.options
	watch.MaxOpenConns, watch.MaxIdleConns = maxWatching, maxWatching
	for _, p := range []struct {
		pool    *driver.Conn
		options *clickhousego.Options
	}{{&s.DB, s.options}, {&s.Reports, s.options}, {&s.Watch, &watch}} {
		opened, err := openPool(*p.options, s, p.pool == &s.DB)
		if err != nil {
			return errors.Join(err, s.Close())
		}
		*p.pool = opened
		if p.pool == &s.DB {
			s.books = opened
		}
	}
	return nil
}

func (s *Store) migrate(ctx context.Context, server *replica, migrations fs.FS) error {
	db := clickhousego.OpenDB(server.options)
	defer db.Close()
	p, err := newProvider(db, migrations, s.logger)
	if err != nil {
		return err
	}
	if is, err := upToDate(ctx, db, p); err != nil || is {
		return err
	}
	if err := ledger.EnoughRoom(ctx, server.db); err != nil {
		return fmt.Errorf("the schema is not up to date: %w", err)
	}
	return lockedSchema(ctx, db, s.logger, func(held context.Context) error {
		// Not closed: the provider would close db a second time.
		if _, err := p.Up(held); err != nil {
			return fmt.Errorf("bring the schema up to date: %w", err)
		}
		return nil
	})
}

// upToDate says that there is nothing to change. It writes nothing, so that a process may start while the disk is full:
// see ledger.EnoughRoom.
func upToDate(ctx context.Context, db *sql.DB, p *goose.Provider) (bool, error) {
	var there bool
	if err := db.QueryRowContext(ctx,
		"SELECT count() > 0 FROM system.tables WHERE database = currentDatabase() AND name = ?", versionsTable).
		Scan(&there); err != nil {
		return false, fmt.Errorf("look for the version of the schema: %w", err)
	}
	if !there {
		return false, nil
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return false, fmt.Errorf("look for the version of the schema: %w", err)
	}
	return !pending, nil
}

// versionsTable says which migrations were done.
const versionsTable = "schema_versions"

func newProvider(db *sql.DB, migrations fs.FS, logger *slog.Logger) (*goose.Provider, error) {
	p, err := goose.NewProvider(database.DialectClickHouse, db, migrations, goose.WithSlog(logger),
		goose.WithVerbose(false),
		goose.WithTableName(versionsTable))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}

// dial opens a connection of the lower layer, for inserts. It goes to the current server, or else to the next one that
// answers and has all that others have acknowledged. The turn of the hosts in which it was opened is given, too.
func (s *Store) dial(ctx context.Context) (c *ch.Client, in uint64, err error) {
	err = s.anywhere(ctx, func(addr string, turn uint64) (err error) {
		if err = s.admit(ctx, turn); err == nil {
			c, err = s.dialHost(ctx, addr)
		}
		in = turn
		return err
	})
	return c, in, err
}

// anywhere does something at the current server, or else at the next one where it can be done.
func (s *Store) anywhere(ctx context.Context, do func(addr string, turn uint64) error) error {
	var errs []error
	for range s.hosts.len() {
		addr, turn := s.hosts.now()
		err := do(addr, turn)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
		if !s.isGone(ctx, addr, err) || !s.hosts.next(turn) {
			break
		}
	}
	return errors.Join(errs...)
}

func (s *Store) dialHost(ctx context.Context, addr string) (*ch.Client, error) {
	password := s.secret.now()
	c, err := s.dialWith(ctx, addr, password)
	if said, is := ch.AsException(err); is &&
		s.secret.renew(&clickhousego.Exception{Code: int32(said.Code), Message: said.Message}, password) {
		return s.dialWith(ctx, addr, s.secret.now())
	}
	return c, err
}

func (s *Store) dialWith(ctx context.Context, addr, password string) (*ch.Client, error) {
	o := ch.Options{
		Address:     addr,
		Database:    s.options.Auth.Database,
		User:        s.options.Auth.Username,
		Password:    password,
		DialTimeout: s.options.DialTimeout,
		// Between two packets; the server reports progress while it writes.
		ReadTimeout: 2 * time.Minute,
		ClientName:  "makegood",
		TLS:         cloneTLS(s.options.TLS),
		Settings: []ch.Setting{
			ch.SettingInt("async_insert", 0),
			ch.SettingInt("insert_deduplicate", 0),
			// What that is called from ClickHouse 26 on; others pass over it.
			{Key: "deduplicate_insert", Value: "disable"},
			// A batch may hold events of many months; hostile times must not stop it.
			ch.SettingInt("max_partitions_per_insert_block", 0),
			// One block, one part a partition: a batch is the unit.
			ch.SettingInt("min_insert_block_size_rows", 0),
			ch.SettingInt("min_insert_block_size_bytes", 0),
			// Folding copies within a block costs a merge of it (see doc.go); every reader folds anyway.
			ch.SettingInt("optimize_on_insert", 0),
		},
	}
	if s.cluster != "" {
		o.Dialer = dialer(s.options)
		// The machine of a server that stands still takes the connection all the same, and then nobody answers.
		o.HandshakeTimeout = 3 * s.options.DialTimeout
	}
	c, err := ch.Dial(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("connect to clickhouse at %s: %w", o.Address, err)
	}
	return c, nil
}

// dialer notices within seconds that a machine is gone, also where nothing closes its connections. It is for a cluster,
// where another server can be asked instead.
func dialer(o *clickhousego.Options) *net.Dialer {
	return &net.Dialer{Timeout: o.DialTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 3 * time.Second, Interval: 2 * time.Second, Count: 3}}
}

// dialContext is how the driver above connects.
func dialContext(o *clickhousego.Options) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		if o.TLS != nil {
			d := tls.Dialer{NetDialer: dialer(o), Config: o.TLS}
			return d.DialContext(ctx, "tcp", addr)
		}
		return dialer(o).DialContext(ctx, "tcp", addr)
	}
}

func cloneTLS(c *tls.Config) *tls.Config {
	if c == nil {
		return nil
	}
	return c.Clone()
}

func quote(identifier string) string {
	out := []byte{'`'}
	for i := range len(identifier) {
		if c := identifier[i]; c == '`' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, identifier[i])
	}
	return string(append(out, '`'))
}
