package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"strconv"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
)

// Each server of a cluster has all tables, and what is written at one of them comes to the others by itself. The schema
// doesn't: it is changed at one server, and the others are made alike (see mirror), one after another. ON CLUSTER would
// do that by a queue that not every cluster has, and would wait for servers that are down.

// replica is one server, of the cluster or alone, while the schema is brought there.
type replica struct {
	options *clickhousego.Options
	db      driver.Conn
	version int64 // of its schema; 0 where it has none
}

func (s *Store) replica(addr string) *replica {
	o := *s.options
	o.Addr, o.Settings = []string{addr}, maps.Clone(o.Settings)
	o.Auth.Password = s.secret.now()
	return &replica{options: &o}
}

func (r *replica) addr() string { return r.options.Addr[0] }

// open connects, and reads the version of the schema.
func (r *replica) open(ctx context.Context) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	if err := r.readVersion(ctx); err != nil {
		r.close()
		return err
	}
	return nil
}

// connect creates the database where it is missing, and connects to it.
func (r *replica) connect(ctx context.Context) error {
	first := *r.options
	first.Auth.Database = "default"
	db, err := clickhousego.Open(&first)
	if err != nil {
		return fmt.Errorf("connect to clickhouse at %s: %w", r.addr(), err)
	}
	err = db.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+quote(r.options.Auth.Database))
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("create the database %s at %s: %w", r.options.Auth.Database, r.addr(), err)
	}
	if r.db, err = clickhousego.Open(r.options); err != nil {
		return fmt.Errorf("connect to clickhouse at %s: %w", r.addr(), err)
	}
	return nil
}

func (r *replica) close() {
	if r.db != nil {
		_ = r.db.Close() // all that matters was answered
		r.db = nil
	}
}

func (r *replica) readVersion(ctx context.Context) error {
	err := r.db.QueryRow(ctx, "SELECT max(version_id) FROM schema_versions WHERE is_applied = 1").Scan(&r.version)
	if isCode(err, codeUnknownTable) {
		r.version, err = 0, nil
	}
	if err != nil {
		return fmt.Errorf("read the version of the schema at %s: %w", r.addr(), err)
	}
	return nil
}

// prepareReplicas makes the database of all servers of the cluster. Those that don't answer are left out as long as the
// others have the schema: a server that comes back gets it from the next process that starts.
func (s *Store) prepareReplicas(ctx context.Context, check func(context.Context, driver.Conn) error,
	migrations fs.FS) error {
	members, err := s.members(ctx)
	if err != nil {
		return err
	}
	s.hosts.add(members)
	known, err := readSteps(migrations)
	if err != nil {
		return err
	}
	var there []*replica
	defer func() {
		for _, r := range there {
			r.close()
		}
	}()
	var silent error
	for _, addr := range members {
		r := s.replica(addr)
		if err := r.open(ctx); err != nil {
			silent = errors.Join(silent, err)
			continue
		}
		there = append(there, r)
		if check != nil {
			if err := check(ctx, r.db); err != nil {
				return fmt.Errorf("at %s: %w", addr, err)
			}
		}
	}
	if err := oneLedger(ctx, there); err != nil {
		return err
	}
	switch {
	case len(there) == 0:
		return fmt.Errorf("no server of the cluster %s answers: %w", s.cluster, silent)
	case oldest(there) >= known.newest && silent == nil:
		return nil
	case oldest(there) >= known.newest:
		s.logger.Warn("servers of the cluster don't answer; the others have the schema", "error", silent)
		return nil
	case silent != nil:
		return fmt.Errorf("the schema is to be changed, and not all servers of the cluster %s answer: %w", s.cluster, silent)
	}
	return s.migrateReplicas(ctx, there, known, migrations)
}

// migrateReplicas brings the schema of the server that has the newest one up to date, and makes the others alike. The
// lock is that of the first server, which is the same one for every process.
func (s *Store) migrateReplicas(ctx context.Context, all []*replica, known *steps, migrations fs.FS) error {
	db := clickhousego.OpenDB(all[0].options)
	defer db.Close()
	return lockedSchema(ctx, db, s.logger, func(held context.Context) error {
		from := all[0]
		for _, r := range all {
			if err := r.readVersion(held); err != nil { // another process may have changed it meanwhile
				return err
			}
			if r.version > from.version {
				from = r
			}
		}
		if from.version > known.newest {
			return fmt.Errorf("the schema at %s is of a newer version (%d) than this program's (%d): a process of that version "+
				"brings it to the other servers", from.addr(), from.version, known.newest)
		}
		if from.version < known.newest {
			for _, to := range all { // before anything is changed anywhere; another process may have got halfway
				if _, err := plan(held, from, to, known, known.newest); err != nil {
					return err
				}
			}
			if err := s.upgrade(held, from, migrations); err != nil {
				return err
			}
		}
		for _, to := range all {
			if to == from || to.version >= known.newest {
				continue
			}
			if err := mirror(held, from, to, known); err != nil {
				return fmt.Errorf("bring the schema of %s to %s: %w", from.addr(), to.addr(), err)
			}
			s.logger.Info("a server of the cluster has the schema now", slog.String("server", to.addr()))
		}
		return nil
	})
}

// upgrade brings the schema of one server up to date.
func (s *Store) upgrade(held context.Context, server *replica, migrations fs.FS) error {
	db := clickhousego.OpenDB(server.options)
	defer db.Close()
	if err := ledger.EnoughRoom(held, server.db); err != nil {
		return fmt.Errorf("the schema at %s is not up to date: %w", server.addr(), err)
	}
	p, err := newProvider(db, replicatedFS{migrations}, s.logger)
	if err != nil {
		return err
	}
	if _, err := p.Up(held); err != nil {
		return fmt.Errorf("bring the schema at %s up to date: %w", server.addr(), err)
	}
	return server.readVersion(held)
}

// members are the servers of the cluster, in its order, as the first server that answers names them.
func (s *Store) members(ctx context.Context) ([]string, error) {
	var errs []error
	for _, addr := range s.options.Addr {
		members, err := s.membersAt(ctx, addr)
		if err == nil {
			return members, nil
		}
		errs = append(errs, err)
		if !isEmpty(err) && !s.isGone(ctx, addr, err) {
			break
		}
	}
	return nil, errors.Join(errs...)
}

func (s *Store) membersAt(ctx context.Context, addr string) ([]string, error) {
	o := *s.replica(addr).options
	o.Auth.Database = "default"
	db, err := clickhousego.Open(&o)
	if err != nil {
		return nil, fmt.Errorf("connect to clickhouse at %s: %w", addr, err)
	}
	defer db.Close()
	rows, err := db.Query(ctx, "SELECT host_name, port, shard_num FROM system.clusters WHERE cluster = ? "+
		"ORDER BY shard_num, replica_num", s.cluster)
	if err != nil {
		return nil, fmt.Errorf("ask %s for the cluster %s: %w", addr, s.cluster, err)
	}
	defer rows.Close()
	var members []string
	for rows.Next() {
		var host string
		var port uint16
		var shard uint32
		if err := rows.Scan(&host, &port, &shard); err != nil {
			return nil, fmt.Errorf("ask %s for the cluster %s: %w", addr, s.cluster, err)
		}
		if shard > 1 {
			return nil, fmt.Errorf("the cluster %s has several shards: the books are on one shard, with as many replicas as "+
				"there are", s.cluster)
		}
		members = append(members, net.JoinHostPort(host, strconv.Itoa(int(port))))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("ask %s for the cluster %s: %w", addr, s.cluster, err)
	}
	if len(members) == 0 {
		return nil, fmt.Errorf("%s knows no cluster %s (system.clusters)", addr, s.cluster)
	}
	return members, nil
}

func oldest(all []*replica) int64 {
	version := all[0].version
	for _, r := range all {
		version = min(version, r.version)
	}
	return version
}

// Everywhere does the same at each server that answers. It is for views, say, which don't replicate.
func (s *Store) Everywhere(ctx context.Context, do func(context.Context, driver.Conn) error) error {
	if s.cluster == "" {
		return do(ctx, s.DB)
	}
	members, err := s.members(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, addr := range members {
		r := s.replica(addr)
		err := r.connect(ctx)
		empty := isEmpty(err)
		if err == nil {
			err = do(ctx, r.db)
		}
		r.close()
		switch {
		case err == nil:
		case empty && !isOver(ctx) || s.isGone(ctx, addr, err):
			s.logger.Warn("a server of the cluster doesn't answer", "server", addr, "error", err)
		default:
			errs = append(errs, fmt.Errorf("at %s: %w", addr, err))
		}
	}
	return errors.Join(errs...)
}
