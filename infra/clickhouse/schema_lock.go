package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
)

// One process at a time changes the schema; the others wait for it. goose brings locks for PostgreSQL and MySQL alone
// (its package lock), and ClickHouse has no lock to offer. But it makes a table once: of several who create the same
// name one succeeds. So the lock is a table, schema_lock_N, and whoever creates the next number holds it.
//
// The holder writes a sign of life into it every second, with the server's time, and a last one when it is done: that
// is its lease. Of a holder that died nothing is heard, and when the lease is over the next number may be created. A
// holder that was only slow stops earlier than others take over. The table of the highest number stays, so that a
// number never comes again.

const (
	lockPrefix = "schema_lock_"
	signEvery  = time.Second
	lease      = 15 * time.Second // since the last sign of life, until another process takes over
	stopsAfter = 8 * time.Second  // since the last sign that could be written, until the holder stops
	looksEvery = 100 * time.Millisecond
)

var errLeaseLost = errors.New("the lock of the schema could not be kept: another process may change it by now")

// schemaLock is held by this process.
type schemaLock struct {
	db     *sql.DB
	number uint64
	stop   context.CancelFunc
	ended  chan struct{}
}

func lockName(number uint64) string { return lockPrefix + strconv.FormatUint(number, 10) }

// lockedSchema does what changes the schema while this process alone may.
func lockedSchema(ctx context.Context, db *sql.DB, logger *slog.Logger, do func(held context.Context) error) error {
	held, lock, err := lockSchema(ctx, db, logger)
	if err != nil {
		return err
	}
	if err = do(held); err != nil {
		if cause := context.Cause(held); errors.Is(cause, errLeaseLost) {
			err = errors.Join(cause, err)
		}
	}
	return errors.Join(err, lock.unlock(context.WithoutCancel(ctx)))
}

// lockSchema waits until this process alone may change the schema. The context that it gives ends when the lock is
// lost.
func lockSchema(ctx context.Context, db *sql.DB, logger *slog.Logger) (context.Context, *schemaLock, error) {
	told := false
	for {
		number, free, err := highestLock(ctx, db)
		if err == nil && free {
			var is bool
			if is, err = takeLock(ctx, db, number+1); is {
				l := &schemaLock{db: db, number: number + 1, ended: make(chan struct{})}
				return l.hold(ctx, logger), l, nil
			}
		}
		if err != nil {
			return nil, nil, fmt.Errorf("lock the schema: %w", err)
		}
		if !free && !told {
			told = true
			logger.Info("another process changes the schema; waiting for it")
		}
		select {
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("wait for the process that changes the schema: %w", ctx.Err())
		case <-time.After(looksEvery):
		}
	}
}

// highestLock is the last lock, and whether its holder is done with it or dead.
func highestLock(ctx context.Context, db *sql.DB) (number uint64, free bool, err error) {
	var quiet int64 // milliseconds since it was made, for as long as there is no sign of life in it
	err = db.QueryRowContext(ctx, `
SELECT toUInt64OrZero(substring(name, length(?) + 1)) AS number,
       dateDiff('millisecond', toDateTime64(metadata_modification_time, 3), now64(3)) FROM system.tables
WHERE database = currentDatabase() AND match(name, ?) ORDER BY number DESC LIMIT 1`, lockPrefix,
		"^"+lockPrefix+"[0-9]+$").Scan(&number, &quiet)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, true, nil
	}
	if err != nil {
		return 0, false, err
	}
	var signs uint64
	var done bool
	var silent int64
	err = db.QueryRowContext(ctx, "SELECT count(), max(done), dateDiff('millisecond', max(at), now64(3)) FROM "+
		lockName(number)).Scan(&signs, &done, &silent)
	switch {
	case isCode(err, codeUnknownTable):
		return number, false, nil // there is a higher one by now
	case err != nil:
		return 0, false, err
	case signs > 0:
		quiet = silent
	}
	return number, done || quiet > lease.Milliseconds(), nil
}

// The server's codes of errors.
const (
	codeTableExists     = 57
	codeUnknownTable    = 60
	codeUnknownDatabase = 81
)

func isCode(err error, code int32) bool {
	var e *clickhousego.Exception
	return errors.As(err, &e) && e.Code == code
}

// takeLock creates the lock of a number, which only one process can, and drops those before it.
func takeLock(ctx context.Context, db *sql.DB, number uint64) (bool, error) {
	_, err := db.ExecContext(ctx, "CREATE TABLE "+lockName(number)+
		" (at DateTime64(3, 'UTC') DEFAULT now64(3), done Bool) ENGINE = MergeTree ORDER BY at")
	if isCode(err, codeTableExists) {
		return false, nil
	}
	if err == nil {
		_, err = db.ExecContext(ctx, "INSERT INTO "+lockName(number)+" (done) VALUES (false)")
	}
	if err != nil {
		return false, err
	}
	// It may have been looked for long ago, and others have had higher ones meanwhile.
	highest, _, err := highestLock(ctx, db)
	if err != nil || highest != number {
		_, dropped := db.ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+lockName(number))
		return false, errors.Join(err, dropped)
	}
	if number > 1 {
		_, err = db.ExecContext(ctx, "DROP TABLE IF EXISTS "+lockName(number-1))
	}
	return err == nil, err
}

// hold writes signs of life until the lock is given back. The context ends when that doesn't work for too long.
func (l *schemaLock) hold(ctx context.Context, logger *slog.Logger) context.Context {
	held, lose := context.WithCancelCause(ctx)
	signs, stop := context.WithCancel(held)
	l.stop = stop
	go func() {
		defer close(l.ended)
		last := time.Now()
		for {
			select {
			case <-signs.Done():
				return
			case <-time.After(signEvery):
			}
			limited, cancel := context.WithTimeout(signs, stopsAfter/2)
			_, err := l.db.ExecContext(limited, "INSERT INTO "+lockName(l.number)+" (done) VALUES (false)")
			cancel()
			switch {
			case err == nil:
				last = time.Now()
			case signs.Err() != nil:
				return
			case time.Since(last) > stopsAfter || isCode(err, codeUnknownTable):
				lose(errLeaseLost)
				return
			default:
				logger.Warn("no sign of life could be written to the lock of the schema", "error", err)
			}
		}
	}()
	return held
}

// unlock lets the next process change the schema.
func (l *schemaLock) unlock(ctx context.Context) error {
	l.stop()
	<-l.ended
	if _, err := l.db.ExecContext(ctx, "INSERT INTO "+lockName(l.number)+" (done) VALUES (true)"); err != nil {
		return fmt.Errorf("unlock the schema: %w", err)
	}
	return nil
}
