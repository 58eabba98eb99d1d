package people

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// beginning is from when the first key is for events.
	beginning = "-"
	// lookEvery is how often the file is looked at, and so how long a change may take to count.
	lookEvery = time.Second
	maxFile   = 1 << 20
)

const header = "# makegood: the keys that hide who customers and employees are. Whoever has this file can tell.\n" +
	"# name, of events from, key. Keep it apart from backups of the books; the same for every process.\n"

// File is a key file that is read again when it changes.
type File struct {
	path   string
	now    func() time.Time
	logger *slog.Logger

	ring atomic.Pointer[Ring]

	mu     sync.Mutex // whoever holds it looks; nobody waits for it
	looked time.Time
	seen   [sha256.Size]byte
	said   string // the last complaint
}

// Open reads a key file. One that isn't there is made, where make says so.
func Open(path string, create bool, now func() time.Time, logger *slog.Logger) (*File, error) {
	f := &File{path: path, now: now, logger: logger, looked: now()}
	err := f.look()
	if create && errors.Is(err, fs.ErrNotExist) {
		if err = Create(path); err == nil || errors.Is(err, fs.ErrExist) {
			err = f.look()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the keys that hide people: %w", err)
	}
	return f, nil
}

// Ring is what the file says, or said last where it can't be used now.
func (f *File) Ring() *Ring {
	if f.mu.TryLock() {
		defer f.mu.Unlock()
		if since := f.now().Sub(f.looked); since >= lookEvery || since < 0 {
			f.looked = f.now()
			if err := f.look(); err == nil {
				f.said = ""
			} else if err.Error() != f.said { // once, not every second
				f.said = err.Error()
				f.logger.Error("the key file of people can't be used as it is now: its keys from before stay in force",
					"error", err)
			}
		}
	}
	return f.ring.Load()
}

// Hash is Ring.Hash by what the file says now.
func (f *File) Hash(role, id string, at time.Time) string { return f.Ring().Hash(role, id, at) }

func (f *File) look() error {
	content, err := read(f.path)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	if f.ring.Load() != nil && sum == f.seen {
		return nil
	}
	ring, err := parse(content)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.seen = sum
	f.ring.Store(ring)
	return nil
}

// read reads a file that nobody but its owner, and at most its group, may read.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says which file
	}
	defer func() { _ = f.Close() }() // read only, nothing can be lost by it
	info, err := f.Stat()
	if err != nil {
		return nil, err //nolint:wrapcheck // it says which file
	}
	const othersOrGroupWrites = 0o027
	if mode := info.Mode().Perm(); mode&othersOrGroupWrites != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s has mode %04o, and must be its owner's alone to write and at most the group's to read: "+
			"chmod 600", path, mode)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	return content, nil
}

func newKey() (name, secret string) {
	raw := make([]byte, secretSize)
	_, _ = rand.Read(raw) // never fails: crypto/rand says so
	return nameOf(raw), hex.EncodeToString(raw)
}

// Create makes a key file with one key. It fails with fs.ErrExist where there is one: of two that make it at once one
// does.
func Create(path string) error {
	name, secret := newKey()
	return write(path, header+name+" "+beginning+" "+secret+"\n", os.Link)
}

// Rotate adds a key for events from a time on, and returns its name.
func Rotate(path string, from time.Time) (string, error) {
	content, err := read(path)
	if err != nil {
		return "", err
	}
	ring, err := parse(content)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	from = from.UTC().Truncate(time.Second)
	if last := ring.keys[len(ring.keys)-1]; !from.After(last.from) {
		return "", fmt.Errorf("the last key is of events from %s on: a new one begins after that",
			last.from.UTC().Format(time.RFC3339))
	}
	name, secret := newKey()
	text := strings.TrimRight(string(content), "\n") + "\n" + name + " " + from.Format(time.RFC3339) + " " + secret + "\n"
	return name, write(path, text, os.Rename)
}

// Destroy takes a key out of the file for good: its name stays.
func Destroy(path, name string) error {
	content, err := read(path)
	if err != nil {
		return err
	}
	lines := strings.Split(string(content), "\n")
	found := false
	for i, line := range lines {
		fields := strings.Fields(line)
		if len(fields) >= 3 && fields[0] == name {
			found = true
			lines[i] = fields[0] + " " + fields[1] + " " + destroyed
		}
	}
	if !found {
		return fmt.Errorf("%s has no key %s", path, name)
	}
	text := strings.Join(lines, "\n")
	if _, err := parse([]byte(text)); err != nil {
		return err
	}
	return write(path, text, os.Rename)
}

// write puts a file in place whole, by linking or renaming one that was written beside it.
func write(path, text string, place func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".people-*") // of mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already where it was renamed
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = place(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// NewErased is a name for somebody who was erased: random, so that nothing leads back.
func NewErased() string {
	raw := make([]byte, bits/8)
	_, _ = rand.Read(raw) // never fails: crypto/rand says so
	return prefix + erased + "-" + digits.EncodeToString(raw)
}
