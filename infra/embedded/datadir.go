package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// ErrInUse says that another process holds the data directory. The error that
// wraps it names the holder where the holder has said who it is.
var ErrInUse = errors.New("data directory is in use")

// ErrNotServing says that no process holds the data directory, so there is
// nobody to talk to.
var ErrNotServing = errors.New("no process serves this data directory")

const (
	lockName         = "lock"
	announcementName = "serve.json"

	// openPatience bounds how long Open waits for a holder that is just going
	// away: the kernel drops a killed process's lock within moments, and a
	// reader of the announcement holds a shared lock for microseconds.
	openPatience = time.Second
	lockRetry    = 20 * time.Millisecond
)

// Announcement is what the holder of a data directory tells other processes
// on the machine: who it is and where it listens. It carries no secret.
type Announcement struct {
	// PID is the holder's process id; Announce fills it in.
	PID int `json:"pid"`
	// HTTP is the address of the gateway, host:port.
	HTTP string `json:"http,omitempty"`
	// TLS says that the gateway speaks HTTPS there.
	TLS bool `json:"tls,omitempty"`
	// Kafka is the address of the broker, host:port.
	Kafka string `json:"kafka,omitempty"`
	// ClickHouse is the address of the engine's native protocol, host:port.
	ClickHouse string `json:"clickhouse,omitempty"`
	// Started is when the holder began to serve, by the holder's clock.
	Started time.Time `json:"started"`
}

// DataDir is an opened data directory: one process at a time has it.
type DataDir struct {
	path string
	lock *flock.Flock
	// Opened is the mode that the directory had for others, who may do nothing
	// with it any more; 0 where it had none.
	Opened os.FileMode
}

// Open creates the directory where it doesn't exist (mode 0700: the books and
// the engine's passwords are in it) and takes its lock. One that others may
// write or enter, as it may be from elsewhere, is closed to them first; the
// group may keep reading. While another process
// holds it the error wraps ErrInUse and says who that is, where that is known.
//
// The lock is the kernel's (flock), not the file's existence: a process that
// was killed leaves a file behind, but no lock.
func Open(dir string) (*DataDir, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolving data directory %q: %w", dir, err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("creating data directory: %w", err)
	}
	opened, err := closeToOthers(path)
	if err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(path, lockName))
	ctx, cancel := context.WithTimeout(context.Background(), openPatience)
	defer cancel()
	held, err := lock.TryLockContext(ctx, lockRetry)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("locking data directory %s: %w", path, err)
	}
	if !held {
		return nil, inUse(path)
	}
	d := &DataDir{path: path, lock: lock, Opened: opened}
	// Whoever wrote it is gone, or the lock wouldn't be ours.
	if err := d.withdraw(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return d, nil
}

// closeToOthers takes the rights away that nobody but the owner may have in a
// data directory. It returns the mode before, where that was too much.
func closeToOthers(path string) (before os.FileMode, err error) {
	const tooMuch = 0o027
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("looking at the data directory: %w", err)
	}
	if before = info.Mode().Perm(); before&tooMuch == 0 {
		return 0, nil
	}
	if err := os.Chmod(path, before&^tooMuch); err != nil {
		return 0, fmt.Errorf("closing the data directory to others: %w", err)
	}
	return before, nil
}

// inUse describes the holder of path as well as its announcement allows.
func inUse(path string) error {
	a, err := loadAnnouncement(path)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %s (its holder has not announced itself)", ErrInUse, path)
	case a.HTTP == "":
		return fmt.Errorf("%w: %s is held by process %d", ErrInUse, path, a.PID)
	default:
		return fmt.Errorf("%w: %s is held by process %d, which serves http://%s", ErrInUse, path, a.PID, a.HTTP)
	}
}

// Path returns the directory's absolute path.
func (d *DataDir) Path() string { return d.path }

// Announce tells other processes where this one listens. A later call
// replaces what an earlier one said.
func (d *DataDir) Announce(a Announcement) error {
	a.PID = os.Getpid()
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding announcement: %w", err)
	}
	if err := writeFileAtomic(filepath.Join(d.path, announcementName), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("announcing in data directory: %w", err)
	}
	return nil
}

// Close withdraws the announcement and gives the directory free.
func (d *DataDir) Close() error {
	err := d.withdraw()
	if uerr := d.lock.Close(); uerr != nil {
		err = errors.Join(err, fmt.Errorf("unlocking data directory %s: %w", d.path, uerr))
	}
	return err
}

func (d *DataDir) withdraw() error {
	if err := os.Remove(filepath.Join(d.path, announcementName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("withdrawing announcement: %w", err)
	}
	return nil
}

// ReadAnnouncement tells a command beside the server where the holder of dir
// listens. Without a living holder the error wraps ErrNotServing, whatever a
// killed process left behind; with one that hasn't announced itself yet it
// wraps ErrInUse.
func ReadAnnouncement(dir string) (*Announcement, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolving data directory %q: %w", dir, err)
	}
	// Looking must not create the lock file in a directory that isn't ours.
	if _, err := os.Stat(filepath.Join(path, lockName)); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s", ErrNotServing, path)
		}
		return nil, fmt.Errorf("looking for the lock of data directory: %w", err)
	}
	lock := flock.New(filepath.Join(path, lockName))
	free, err := lock.TryRLock()
	if err != nil {
		return nil, fmt.Errorf("probing the lock of data directory %s: %w", path, err)
	}
	if free {
		if err := lock.Close(); err != nil {
			return nil, fmt.Errorf("unlocking data directory %s: %w", path, err)
		}
		return nil, fmt.Errorf("%w: %s", ErrNotServing, path)
	}
	a, err := loadAnnouncement(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, inUse(path)
	}
	return a, err
}

func loadAnnouncement(path string) (*Announcement, error) {
	text, err := os.ReadFile(filepath.Join(path, announcementName))
	if err != nil {
		return nil, fmt.Errorf("reading announcement: %w", err)
	}
	var a Announcement
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("decoding announcement %s: %w", filepath.Join(path, announcementName), err)
	}
	return &a, nil
}

// writeFileAtomic replaces a file so that a reader, or a start after a crash,
// sees the old content or the new one, never a part.
func writeFileAtomic(path string, content []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("creating temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	if err := f.Chmod(mode); err != nil {
		return fmt.Errorf("setting mode: %w", err)
	}
	if _, err := f.Write(content); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return commitFile(f, path)
}

// commitFile makes a finished temporary file durable under its real name: the
// content first, then the name, then the directory that holds the name.
func commitFile(f *os.File, path string) error {
	if err := f.Sync(); err != nil {
		return fmt.Errorf("syncing: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("renaming into place: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("closing: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening directory to sync it: %w", err)
	}
	defer func() { _ = d.Close() }() // read only, nothing can be lost by it
	if err := d.Sync(); err != nil {
		return fmt.Errorf("syncing directory: %w", err)
	}
	return nil
}
