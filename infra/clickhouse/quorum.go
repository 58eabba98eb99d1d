package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	clickhousego "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/makegood/makegood/projections/ledger"
)

// What a server of a cluster has acknowledged must not go with it, and two who write what belongs together at two
// servers must see each other. So an insert is acknowledged when all servers that are up have it (insert_quorum is
// their number), and before rows are read back to be settled, the server first takes what the others have written
// (SYSTEM SYNC REPLICA): a server that has just come back may have a backlog.
//
// ClickHouse's own way to read what a quorum has written (select_sequential_consistency) wants quorums that don't
// overlap, one insert after another; and a fixed number of servers, so that one of two that is down would stop
// everything.
//
// While one server alone is up, what it acknowledges is there alone. Where it goes before the others have it, the check
// of positions finds what is missing, and it is read again from the log.

// upFor is how long it is believed how many servers are up. An insert that believes too long fails and is done again.
const upFor = time.Second

// upNow is how many servers of the cluster have their Keeper, as it was known at a moment.
type upNow struct {
	mu      sync.Mutex
	up, all uint64
	at      time.Time
	turn    uint64 // of hosts
}

// serversUp is how many servers of the cluster are up, and how many there are.
func (s *Store) serversUp(ctx context.Context) (up, all uint64, err error) {
	s.up.mu.Lock()
	defer s.up.mu.Unlock()
	_, turn := s.hosts.now()
	if time.Since(s.up.at) < upFor && s.up.turn == turn {
		return s.up.up, s.up.all, nil
	}
	if err := s.Watch.QueryRow(ctx, "SELECT toUInt64(min(active_replicas)), toUInt64(max(total_replicas)) "+
		"FROM system.replicas WHERE database = currentDatabase() AND table = 'ledger'").Scan(&up, &all); err != nil {
		return 0, 0, fmt.Errorf("ask which servers are up: %w", err)
	}
	s.up.up, s.up.all, s.up.at, s.up.turn = up, all, time.Now(), turn
	return up, all, nil
}

// forgetUp lets the next insert ask again.
func (s *Store) forgetUp() {
	s.up.mu.Lock()
	defer s.up.mu.Unlock()
	s.up.at = time.Time{}
}

// quorumTimeout bounds how long an insert waits for the other servers, in milliseconds. After that it is not known
// whether it is there, and it is done again.
const quorumTimeout = 10_000

// quorum are the settings of an insert.
func (s *Store) quorum(ctx context.Context) ([]ch.Setting, error) {
	if s.cluster == "" {
		return nil, nil
	}
	up, _, err := s.serversUp(ctx)
	if err != nil || up <= 1 {
		return nil, err
	}
	return []ch.Setting{
		{Key: "insert_quorum", Value: strconv.FormatUint(up, 10), Important: true},
		ch.SettingInt("insert_quorum_timeout", quorumTimeout),
		ch.SettingInt("insert_quorum_parallel", 1),
	}, nil
}

// withQuorum is the context for what the driver above inserts.
func (s *Store) withQuorum(ctx context.Context) (context.Context, error) {
	settings, err := s.quorum(ctx)
	if err != nil || len(settings) == 0 {
		return ctx, err
	}
	all := clickhousego.Settings{}
	for _, setting := range settings {
		all[setting.Key] = setting.Value
	}
	return clickhousego.Context(ctx, clickhousego.WithSettings(all)), nil
}

// settling are the tables that are read back once rows have been written, to settle them; checking those that the
// checks in the background ask besides.
var (
	settling = []string{"ledger", "case_units", "failures", "voids", "unplaced_orders"}
	checking = append([]string{"identities", "places", "checkpoints", "gaps"}, settling...)
)

// How long to wait for what other servers have written, in seconds: while all are up, and while one is down, which may
// have written what nobody else has.
const (
	syncAllUp   = 10
	syncOneDown = 1
)

// CatchUp waits, in a cluster, until the server that this process works with has what was written at others before
// now. Whoever takes something for checked because it was written asks this first.
func (s *Store) CatchUp(ctx context.Context) error {
	if s.cluster == "" {
		return nil
	}
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	return errors.Join(s.sync(ctx, conn, checking), conn.Close())
}

// sync waits until the server of a connection has what was written at others before now.
func (s *Store) sync(ctx context.Context, conn *ch.Client, tables []string) error {
	up, all, err := s.serversUp(ctx)
	if err != nil || up <= 1 {
		return err // where no other server is up there is nothing to wait for
	}
	limit := syncAllUp
	if up < all {
		limit = syncOneDown
	}
	for _, table := range tables {
		err := conn.Do(ctx, ch.Query{Body: "SYSTEM SYNC REPLICA " + table + " LIGHTWEIGHT",
			Settings: []ch.Setting{ch.SettingInt("receive_timeout", limit)}})
		switch said, is := ch.AsException(err); {
		case err == nil:
		case !is:
			return fmt.Errorf("wait for what other servers wrote: %w", err)
		case up == all:
			s.forgetUp()
			return fmt.Errorf("wait for what other servers wrote into %s: %w", table,
				&ledger.StoreError{Code: int32(said.Code), Err: said})
		}
	}
	return nil
}
