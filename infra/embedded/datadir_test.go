package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestDataDirHasOneHolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "books")
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode is %v, others may look in", info.Mode().Perm())
	}

	if _, err := Open(dir); !errors.Is(err, ErrInUse) {
		t.Fatalf("second Open before the announcement: %v, want ErrInUse", err)
	}
	if _, err := ReadAnnouncement(dir); !errors.Is(err, ErrInUse) {
		t.Fatalf("ReadAnnouncement before the announcement: %v, want ErrInUse", err)
	}
	want := Announcement{HTTP: "127.0.0.1:8080", Kafka: "127.0.0.1:9092", ClickHouse: "127.0.0.1:9000",
		Started: time.Unix(1700000000, 0).UTC()}
	if err := d.Announce(want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadAnnouncement(dir)
	if err != nil {
		t.Fatal(err)
	}
	want.PID = os.Getpid()
	if *got != want {
		t.Errorf("read %+v, announced %+v", *got, want)
	}
	_, err = Open(dir)
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("second Open: %v, want ErrInUse", err)
	}
	for _, part := range []string{dir, strconv.Itoa(os.Getpid()), "http://127.0.0.1:8080"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q doesn't name %s", err, part)
		}
	}

	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAnnouncement(dir); !errors.Is(err, ErrNotServing) {
		t.Errorf("after Close: %v, want ErrNotServing", err)
	}
	d, err = Open(dir)
	if err != nil {
		t.Fatalf("Open after Close: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDataDirAfterKill(t *testing.T) {
	dir := t.TempDir()
	h := startHost(t, "host-datadir", dir)
	a, err := ReadAnnouncement(dir)
	if err != nil {
		t.Fatal(err)
	}
	if a.PID != h.cmd.Process.Pid || a.HTTP != h.Addr {
		t.Errorf("announced %+v by process %d at %s", a, h.cmd.Process.Pid, h.Addr)
	}
	if _, err := Open(dir); !errors.Is(err, ErrInUse) {
		t.Fatalf("Open beside the holder: %v, want ErrInUse", err)
	}
	h.kill(t)
	if _, err := os.Stat(filepath.Join(dir, announcementName)); err != nil {
		t.Fatalf("a killed process should have left its announcement: %v", err)
	}
	if _, err := ReadAnnouncement(dir); !errors.Is(err, ErrNotServing) {
		t.Errorf("of a killed holder: %v, want ErrNotServing", err)
	}
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAnnouncement(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("the new holder has not announced itself: %v, want ErrInUse", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReadAnnouncementLeavesNothingBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "never")
	if _, err := ReadAnnouncement(dir); !errors.Is(err, ErrNotServing) {
		t.Errorf("%v, want ErrNotServing", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("looking created something: %v", err)
	}
}

// TestDataDirIsClosedToOthers: a directory that others may write or enter is its owner's alone afterwards.
func TestDataDirIsClosedToOthers(t *testing.T) {
	for mode, want := range map[os.FileMode]os.FileMode{
		0o777: 0o750, 0o755: 0o750, 0o770: 0o750, 0o750: 0o750, 0o700: 0o700,
	} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		d, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if opened := d.Opened != 0; opened != (mode != want) || opened && d.Opened != mode {
			t.Errorf("mode %v was closed, and it is said of %v", mode, d.Opened)
		}
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("mode %v became %v (%v), want %v", mode, info.Mode().Perm(), err, want)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
