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
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/sql"
)

// What a server of a cluster has acknowledged must not go with it, and two who write what belongs together at two
// servers must see each other. Two rules see to that.
//
//   - An insert is acknowledged when all servers that are up have it: insert_quorum is their number.
//   - A server is worked with only while it has all that any server has acknowledged: SYSTEM SYNC REPLICA must succeed
//     when a process comes to a server, after each insert into the ledger and before its rows are read back to be
//     settled, and before the checks in the background note anything as checked. Reports are read at any server that
//     answers, save where they are said to be final, or as of a moment: see AtOne.
//
// Kafka does the same with replicas in sync, and without unclean elections. While one server is down the others go on
// at once: they have everything. Where a server was left alone, acknowledged more, and went as well before the others
// had it, they wait for it: nobody could tell what it knew. Who can't wait because it is lost gives it up (SYSTEM DROP
// REPLICA, see infra/README.md); what went with it is then read again from the log.
//
// ClickHouse's own way to read what a quorum has written (select_sequential_consistency) wants quorums that don't
// overlap, one insert after another; and a fixed number of servers, or a majority, so that one of two that is down
// would stop everything.

// upFor is how long it is believed how many servers are up. An insert that believes too long fails and is done again.
const upFor = time.Second

// upNow is how many servers of the cluster have their Keeper, as it was known at a moment.
type upNow struct {
	asking singleflight.Group

	mu     sync.Mutex
	up     uint64
	at     time.Time
	turn   uint64 // of hosts
	forgot uint64 // how often the number was forgotten: an answer to a question of before that is not noted
}

// known is the number that is believed in a turn, if there is one. If not, whoever asks passes forgot on to note, with
// the answer.
func (u *upNow) known(turn uint64) (up, forgot uint64, is bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.up, u.forgot, time.Since(u.at) < upFor && u.turn == turn
}

func (u *upNow) note(up, turn, forgot uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.forgot == forgot {
		u.up, u.at, u.turn = up, time.Now(), turn
	}
}

func (u *upNow) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.at = time.Time{}
	u.forgot++
}

// errNoKeeper says that the server that was asked can't tell which servers are up: it has lost its Keeper. That says
// nothing of the others, not even that it is alone.
var errNoKeeper = errors.New("the server has lost its Keeper")

// upWithin bounds the question which servers are up.
const upWithin = 5 * time.Second

// serversUp is how many servers of the cluster are up. Those who ask at the same time share an answer, and each of them
// waits for it as long as its own context allows.
func (s *Store) serversUp(ctx context.Context) (uint64, error) {
	_, turn := s.hosts.now()
	up, forgot, known := s.up.known(turn)
	if known {
		return up, nil
	}
	asked := s.up.asking.DoChan(fmt.Sprint(turn, " ", forgot), func() (any, error) {
		// Not the context of one who asks: it may end, and may carry tables and settings.
		limited, cancel := context.WithTimeout(context.Background(), upWithin)
		defer cancel()
		up, err := s.askServersUp(limited)
		if err == nil {
			s.up.note(up, turn, forgot)
		}
		return up, err
	})
	select {
	case <-ctx.Done():
		return 0, fmt.Errorf("ask which servers are up: %w", ctx.Err())
	case said := <-asked:
		up, _ := said.Val.(uint64)
		return up, said.Err
	}
}

// askServersUp asks how many servers are up with all their tables: an insert feeds several tables, and each table finds
// its Keeper again by itself.
func (s *Store) askServersUp(ctx context.Context) (up uint64, err error) {
	if err := s.Watch.QueryRow(ctx, "SELECT toUInt64(min(active_replicas)) FROM system.replicas "+
		"WHERE database = currentDatabase() AND table IN (?)", ledger.Tables()).Scan(&up); err != nil {
		return 0, fmt.Errorf("ask which servers are up: %w", err)
	}
	if up == 0 {
		return 0, fmt.Errorf("ask which servers are up: %w", errNoKeeper)
	}
	return up, nil
}

// forgetUp lets the next insert ask again.
func (s *Store) forgetUp() { s.up.forget() }

// quorumTimeout bounds how long an insert waits for the other servers, in milliseconds. After that nobody knows whether
// its rows are there, and it is done again.
const quorumTimeout = 10_000

// quorum are the settings of an insert into a cluster; none where there is one server.
func (s *Store) quorum(ctx context.Context) ([]ch.Setting, error) {
	if s.cluster == "" {
		return nil, nil
	}
	up, err := s.serversUp(ctx)
	if err != nil {
		return nil, err
	}
	return []ch.Setting{
		{Key: "insert_quorum", Value: strconv.FormatUint(up, 10), Important: true},
		ch.SettingInt("insert_quorum_timeout", quorumTimeout),
		ch.SettingInt("insert_quorum_parallel", 1),
		// If the server did an insert again by itself, it could land long after we gave it up and did it elsewhere.
		ch.SettingInt("insert_keeper_max_retries", 0),
		// Each part waits for its quorum by itself: so the tables that an insert feeds wait at the same time.
		ch.SettingInt("parallel_view_processing", 1),
	}, nil
}

// withQuorum is the context with the settings of an insert, for clickhouse-go. The settings that it has stay.
func (s *Store) withQuorum(ctx context.Context) (context.Context, error) {
	settings, err := s.quorum(ctx)
	if err != nil || len(settings) == 0 {
		return ctx, err
	}
	all := clickhousego.Settings{}
	for _, setting := range settings {
		all[setting.Key] = setting.Value
	}
	return sql.WithSettings(ctx, all), nil
}

// settling are the tables that are read back once rows have been written, to settle them and to sum them up.
var settling = []string{"ledger", "case_units", "failures", "voids", "unplaced_orders", "leakage_daily"}

// syncTimeout is how long to wait for what other servers have written, in seconds.
const syncTimeout = 10

// BehindError says that a server lacks what another one has acknowledged, so that nobody may work with it.
type BehindError struct {
	Addr, Table string
	Err         error
}

func (e *BehindError) Error() string {
	return fmt.Sprintf("%s doesn't have all of %s that other servers have acknowledged: bring those back, or give up one "+
		"that is lost (infra/README.md, A cluster): %v", e.Addr, e.Table, e.Err)
}

func (e *BehindError) Unwrap() error { return e.Err }

// EmptyError says that a server doesn't have the books, or doesn't know us, as one that comes back with an empty disk.
type EmptyError struct {
	Addr string
	Err  error
}

func (e *EmptyError) Error() string {
	return fmt.Sprintf("%s doesn't have the books, or doesn't know us: where it came back with an empty disk, give up "+
		"what it was, and let it come back as a new server (infra/README.md, A cluster): %v", e.Addr, e.Err)
}

func (e *EmptyError) Unwrap() error { return e.Err }

// isEmpty reports whether a server says that a table, the database or the user isn't there.
func isEmpty(err error) bool {
	said, is := errors.AsType[*clickhousego.Exception](err)
	return is && (said.Code == codeUnknownTable || said.Code == codeUnknownDatabase || said.Code == authenticationFailed)
}

// CatchUp gives a function that waits until the current server has what was written at others before now: into the
// tables that are named, or into all where none is. Whoever notes that all up to a place was checked calls it first.
// It is nil where the books are on one server, which always has everything.
func (s *Store) CatchUp() func(ctx context.Context, tables ...string) error {
	if s.cluster == "" {
		return nil
	}
	return func(ctx context.Context, tables ...string) error {
		if len(tables) == 0 {
			tables = ledger.Tables()
		}
		return s.anywhere(ctx, func(_ string, turn uint64) error { return s.sync(ctx, turn, tables) })
	}
}

// AtOne runs what reads the books and wants all of them: do asks what was acknowledged, calls CatchUp's function, and
// only then reads. Where the process goes on to another server meanwhile, which may not have all, do runs again there.
func (s *Store) AtOne(do func() error) error {
	for range s.hosts.len() {
		_, turn := s.hosts.now()
		err := do()
		if _, now := s.hosts.now(); now == turn {
			return err
		}
	}
	return errMoved
}

// admit waits until the server of a turn has what was written at others before. It does so once for each turn.
func (s *Store) admit(ctx context.Context, turn uint64) error {
	if s.cluster == "" {
		return nil
	}
	select {
	case s.admitting <- struct{}{}:
		defer func() { <-s.admitting }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.admitted > turn {
		return nil
	}
	err := s.sync(ctx, turn, ledger.Tables())
	if addr, now := s.hosts.now(); now == turn && isEmpty(err) {
		return &EmptyError{Addr: addr, Err: err}
	}
	if err != nil {
		return err
	}
	s.admitted = turn + 1
	return nil
}

// errMoved says that this process has gone on to another server meanwhile. What was asked is to be asked there.
var errMoved = errors.New("the process went on to another server meanwhile")

// sync waits until the server of a turn has what was written at others before now. Where the server doesn't know the
// password any more, it is read again.
func (s *Store) sync(ctx context.Context, turn uint64, tables []string) error {
	conn, at, err := s.books.connections()
	if err != nil {
		return err
	}
	if at.turn != turn {
		return errMoved
	}
	const atOnce = 4 // each waits for the Keeper
	group, all := errgroup.WithContext(sql.WithSettings(ctx, clickhousego.Settings{"receive_timeout": syncTimeout}))
	group.SetLimit(atOnce)
	for _, table := range tables {
		group.Go(func() error {
			err := conn.Exec(all, "SYSTEM SYNC REPLICA "+table+" LIGHTWEIGHT")
			if isCode(err, codeTimeout) {
				return &BehindError{Addr: at.addr, Table: table, Err: err}
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		if s.secret.renew(err, at.password) {
			return s.sync(ctx, turn, tables)
		}
		s.forgetUp()
		return fmt.Errorf("wait for what other servers wrote: %w", err)
	}
	if _, now := s.hosts.now(); now != turn {
		return errMoved
	}
	return nil
}
