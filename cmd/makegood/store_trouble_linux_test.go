package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sys/unix"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/infra/embedded"
)

// storeTrouble is what keeps ClickHouse from taking rows: how it begins, how a person mends it, and what readiness
// says meanwhile.
type storeTrouble struct {
	name       string
	begin, end func() error
	says       string
}

// TestStoreTroubles: whatever keeps ClickHouse from taking what is booked, what is sent is acknowledged and waits in
// the log, readiness says what it waits for, and once that is mended makegood goes on by itself, with nothing lost
// and nothing counted twice.
func TestStoreTroubles(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	dir := t.TempDir()
	disk := filepath.Join(dir, "clickhouse", "data")
	if err := os.MkdirAll(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	mounted := mountSmall(t, disk, 256<<20)
	app, c := startTestAppWith(t, dir, engineInside)
	stream := newRandomStream(t, 60)
	send := func(from, to int) {
		t.Helper()
		stream.send(ctx, t, c, stream.records[from:to])
	}
	troubles := tableTroubles(ctx, app)
	if mounted {
		troubles = append(troubles, diskTroubles(ctx, app, disk)...)
	} else {
		t.Log("no disk may be mounted here, so none is filled or made read-only")
	}
	share := len(stream.records) / (len(troubles) + 1)
	for i, trouble := range troubles {
		send(i*share, i*share+share/2)
		if _, err := c.caughtUp(ctx); err != nil {
			t.Fatalf("seed %d, before %s: %v", stream.seed, trouble.name, err)
		}
		if err := trouble.begin(); err != nil {
			t.Fatalf("%s: %v", trouble.name, err)
		}
		send(i*share+share/2, (i+1)*share)
		code, said := awaitReadiness(ctx, t, app, func(code int, said string) bool {
			return code == http.StatusServiceUnavailable && strings.Contains(said, trouble.says)
		})
		t.Logf("%s: readiness says %d %s", trouble.name, code, said)
		if err := trouble.end(); err != nil {
			t.Fatalf("%s: %v", trouble.name, err)
		}
		if _, err := c.caughtUp(ctx); err != nil {
			t.Fatalf("seed %d, after %s: %v", stream.seed, trouble.name, err)
		}
		awaitReadiness(ctx, t, app, func(code int, _ string) bool { return code == http.StatusOK })
	}
	send(len(troubles)*share, len(stream.records))
	stream.nothingLost(ctx, t, c)
	if n, err := app.Projector.Recover(ctx); err != nil || n != 0 {
		t.Errorf("seed %d: %d records were lost: %v", stream.seed, n, err)
	}
}

// tableTroubles are what somebody may do to the tables.
func tableTroubles(ctx context.Context, app *server.App) []storeTrouble {
	exec := func(queries ...string) func() error {
		return func() error {
			for _, query := range queries {
				if err := app.Store.DB.Exec(ctx, query); err != nil {
					return fmt.Errorf("%s: %w", query, err)
				}
			}
			return nil
		}
	}
	// While a statement still reads a table that was detached, ClickHouse says: retry later.
	attach := func(table string) func() error {
		return func() error {
			for {
				err := app.Store.DB.Exec(ctx, "ATTACH TABLE "+table)
				if err == nil || !strings.Contains(err.Error(), "Retry later") || pause(ctx, 50*time.Millisecond) != nil {
					return err
				}
			}
		}
	}
	return []storeTrouble{
		{"a table that is detached", exec("DETACH TABLE ledger"), attach("ledger"), "ledger"},
		{"a table that the ledger feeds", exec("DETACH TABLE failures"), attach("failures"), "failures"},
		{"merges that are stopped, and too many parts", exec("SYSTEM STOP MERGES ledger",
			"ALTER TABLE ledger MODIFY SETTING parts_to_throw_insert = 1"),
			exec("ALTER TABLE ledger RESET SETTING parts_to_throw_insert", "SYSTEM START MERGES ledger"), "Too many parts"},
	}
}

// diskTroubles are those of ClickHouse's own disk.
func diskTroubles(ctx context.Context, app *server.App, dir string) []storeTrouble {
	remount := func(flags uintptr) error { return unix.Mount("", dir, "", unix.MS_REMOUNT|flags, "") }
	var empty func() error
	full := func() (err error) {
		empty, err = fillDisk(ctx, app.Store.DB, dir)
		return err
	}
	return []storeTrouble{
		{"a disk that can only be read", func() error { return remount(unix.MS_RDONLY) }, func() error { return remount(0) },
			"Read-only file system"},
		{"a disk that is full", full, func() error { return empty() }, "pace"},
	}
}

// fillDisk leaves nothing of ClickHouse's disk, as others do who fill it: first there is too little left for
// ClickHouse to begin anything, and once what it had begun has ended, nothing. What it is just writing while the last
// byte goes, it keeps cut short as if it were whole, and then can't read. The returned function gives back what the
// disk had.
func fillDisk(ctx context.Context, db driver.Conn, dir string) (empty func() error, err error) {
	var was unix.Statfs_t
	if err := unix.Statfs(dir, &was); err != nil {
		return nil, err
	}
	resize := func(bytes uint64) error {
		return unix.Mount("", dir, "", unix.MS_REMOUNT, fmt.Sprintf("size=%d", bytes))
	}
	leave := func(free uint64) error {
		for {
			var is unix.Statfs_t
			if err := unix.Statfs(dir, &is); err != nil {
				return err
			}
			err := resize((is.Blocks-is.Bfree)*uint64(is.Bsize) + free)
			if !errors.Is(err, unix.EINVAL) { // else it grew meanwhile
				return err
			}
		}
	}
	err = leave(embedded.KeepFree / 2)
	if err == nil {
		err = awaitNothingWritten(ctx, db)
	}
	if err == nil {
		err = leave(0)
	}
	empty = func() error { return resize(was.Blocks * uint64(was.Bsize)) }
	if err != nil {
		return nil, errors.Join(fmt.Errorf("fill ClickHouse's disk: %w", err), empty())
	}
	return empty, nil
}

// awaitNothingWritten waits until what ClickHouse was writing when there was room has ended: inserts of before, merges,
// and statements that change tables.
func awaitNothingWritten(ctx context.Context, db driver.Conn) error {
	begun := time.Now()
	for quiet := 0; quiet < 3; {
		var writing uint64
		if err := db.QueryRow(ctx, `
SELECT (SELECT count() FROM system.merges) + (SELECT toUInt64(sum(value)) FROM system.metrics
    WHERE metric = 'DiskSpaceReservedForMerge') + (SELECT count() FROM system.processes
    WHERE query_kind NOT IN ('Select', 'Insert') OR query_kind = 'Insert' AND elapsed > ?)`,
			time.Since(begun).Seconds()).Scan(&writing); err != nil {
			return err
		}
		if quiet++; writing > 0 {
			quiet = 0
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// mountSmall gives a directory a disk of its own, where this process may mount one.
func mountSmall(t *testing.T, dir string, size int) (is bool) {
	t.Helper()
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size))
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	mounts := []string{dir}
	t.Cleanup(func() {
		for _, dir := range mounts {
			if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
				t.Error(err)
			}
		}
	})
	// ClickHouse keeps this file open for writing; a disk with such a file on it can't be made read-only.
	status, outside := filepath.Join(dir, "status"), dir+".status"
	if err := errors.Join(os.WriteFile(status, nil, 0o600), os.WriteFile(outside, nil, 0o600),
		unix.Mount(outside, status, "", unix.MS_BIND, "")); err != nil {
		t.Fatal(err)
	}
	mounts = []string{status, dir}
	return true
}
