package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk is a directory with a disk of its own, where this process may mount one.
func smallDisk(t *testing.T, size int) (dir string, is bool) {
	t.Helper()
	dir = t.TempDir()
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size))
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return dir, false
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, true
}

// leave resizes a disk to what it holds and so many bytes.
func leave(t *testing.T, dir string, free uint64) {
	t.Helper()
	for {
		var is unix.Statfs_t
		if err := unix.Statfs(dir, &is); err != nil {
			t.Fatal(err)
		}
		err := unix.Mount("", dir, "", unix.MS_REMOUNT, fmt.Sprintf("size=%d", (is.Blocks-is.Bfree)*uint64(is.Bsize)+free))
		if err == nil {
			return
		}
		if !errors.Is(err, unix.EINVAL) { // else it grew meanwhile
			t.Fatal(err)
		}
	}
}

// TestEngineOnAFullDisk: what the engine made or altered while nothing more could be written is missed by name after a
// restart, and all else is there.
func TestEngineOnAFullDisk(t *testing.T) {
	dir, is := smallDisk(t, 512<<20)
	if !is {
		t.Log("no disk may be mounted here, so none is filled: the definitions are emptied by hand")
	}
	var said strings.Builder
	config := EngineConfig{Dir: dir, Logger: slog.New(slog.NewTextHandler(&said, nil))}
	e := startEngine(t, config)
	conn := connect(t, e.DSN())
	exec1(t, conn, "CREATE DATABASE makegood", "CREATE TABLE makegood.kept (a UInt64) ENGINE = MergeTree ORDER BY a",
		"CREATE TABLE makegood.altered (a UInt64) ENGINE = MergeTree ORDER BY a", "INSERT INTO makegood.kept SELECT 7")
	if is {
		leave(t, dir, 0)
		if err := conn.Exec(testContext(t), "INSERT INTO makegood.kept SELECT 8"); err == nil {
			t.Error("a full disk took an insert")
		}
	}
	exec1(t, conn, "CREATE TABLE makegood.made (a UInt64) ENGINE = MergeTree ORDER BY a",
		"ALTER TABLE makegood.altered MODIFY SETTING merge_selector_base = 6")
	if is {
		leave(t, dir, 256<<20)
	}
	exec1(t, conn, "INSERT INTO makegood.kept SELECT 9")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if !is {
		for _, table := range []string{"made", "altered"} {
			files, err := filepath.Glob(filepath.Join(dir, "clickhouse/data/store/*/*", table+".sql"))
			if err != nil || len(files) != 1 || os.Truncate(files[0], 0) != nil {
				t.Fatal(files, err)
			}
		}
	}
	conn = connect(t, startEngine(t, config).DSN())
	got := scan1[[]uint64](t, conn, "SELECT groupArray(a) FROM (SELECT a FROM makegood.kept ORDER BY a)")
	if !slices.Equal(got, []uint64{7, 9}) {
		t.Errorf("%d is there", got)
	}
	for _, table := range []string{"made", "altered"} {
		if err := conn.Exec(testContext(t), "SELECT a FROM makegood."+table); err == nil ||
			!strings.Contains(said.String(), "table="+table) {
			t.Errorf("table %s: %v; said was\n%s", table, err, said.String())
		}
	}
}
