package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Server is a server that has, or is to have, the books, as Look found it.
type Server struct {
	Addr string
	// Err says why nothing is known of it; nil where it answers.
	Err error
	// DB asks it. Nil where there is no database yet: the first process that serves makes it.
	DB driver.Conn
	// Version of its schema, and the newest one that this program knows; 0 where there is none.
	Version, Newest int64
}

// Look connects to the servers that a Config names, all of the cluster where it names one, and changes nothing there.
// Close closes what it opened.
func Look(ctx context.Context, c Config, migrations fs.FS) (servers []Server, closeAll func() error, err error) {
	if err := c.Validate(); err != nil {
		return nil, nil, err
	}
	o, err := c.options()
	if err != nil {
		return nil, nil, err
	}
	known, err := readSteps(migrations)
	if err != nil {
		return nil, nil, err
	}
	s := &Store{options: o, cluster: c.Cluster, secret: &secret{read: c.Renew, value: o.Auth.Password, logger: c.Logger}}
	members := o.Addr
	if c.Cluster != "" {
		if members, err = s.members(ctx); err != nil {
			return nil, nil, err
		}
	}
	for _, addr := range members {
		servers = append(servers, s.look(ctx, addr, known.newest))
	}
	return servers, func() error {
		var errs []error
		for _, server := range servers {
			if server.DB != nil {
				errs = append(errs, server.DB.Close())
			}
		}
		return errors.Join(errs...)
	}, nil
}

func (s *Store) look(ctx context.Context, addr string, newest int64) Server {
	r := s.replica(addr)
	db, err := clickhousego.Open(r.options)
	if err != nil {
		return Server{Addr: addr, Err: fmt.Errorf("connect to clickhouse at %s: %w", addr, err)}
	}
	r.db = db
	err = db.Ping(ctx)
	if err == nil {
		err = r.readVersion(ctx)
	}
	if err == nil {
		return Server{Addr: addr, DB: db, Version: r.version, Newest: newest}
	}
	err = errors.Join(err, db.Close())
	if isCode(err, codeUnknownDatabase) {
		return Server{Addr: addr, Newest: newest}
	}
	return Server{Addr: addr, Err: err}
}
