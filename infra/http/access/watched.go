package access

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often files are looked at, and so how long a change may take to count.
const lookEvery = time.Second

// file is one of those that are watched.
type file struct {
	path    string
	private bool
}

// watched is what files say. They are read again when somebody asks, once a second at most: small as they are, reading
// is as cheap as asking when they were changed, and never wrong about it.
type watched[T any] struct {
	what   string // for people
	files  []file
	parse  func(contents [][]byte) (T, error)
	now    func() time.Time
	logger *slog.Logger

	current atomic.Pointer[T]
	stale   atomic.Bool // the files say something that can't be used

	mu     sync.Mutex // whoever holds it looks; nobody waits for it
	looked time.Time
	seen   [sha256.Size]byte
	said   string // the last complaint
}

// watch reads the files for the first time. From then on what can't be used changes nothing.
func watch[T any](what string, files []file, parse func([][]byte) (T, error), now func() time.Time,
	logger *slog.Logger) (*watched[T], error) {
	w := &watched[T]{what: what, files: files, parse: parse, now: now, logger: logger}
	w.looked = now()
	if err := w.look(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return w, nil
}

// get is what the files say, or said last.
func (w *watched[T]) get() *T {
	if w.mu.TryLock() {
		defer w.mu.Unlock()
		if since := w.now().Sub(w.looked); since >= lookEvery || since < 0 {
			w.looked = w.now()
			w.reload()
		}
	}
	return w.current.Load()
}

func (w *watched[T]) reload() {
	before := w.current.Load()
	err := w.look()
	w.stale.Store(err != nil)
	switch {
	case err == nil && w.current.Load() != before:
		w.said = ""
		w.logger.Info(w.what+" was read again", "file", w.files[0].path)
	case err == nil:
		w.said = ""
	case err.Error() != w.said: // once, not every second
		w.said = err.Error()
		w.logger.Error(w.what+" can't be used as it is now: what it said before stays in force", "error", err)
	}
}

// look reads the files and takes what they say, where that changed.
func (w *watched[T]) look() error {
	contents := make([][]byte, len(w.files))
	hash := sha256.New()
	for i, f := range w.files {
		content, err := readFile(f.path, f.private)
		if err != nil {
			return err
		}
		contents[i] = content
		sum := sha256.Sum256(content)
		hash.Write(sum[:])
	}
	var seen [sha256.Size]byte
	hash.Sum(seen[:0])
	if seen == w.seen {
		return nil
	}
	value, err := w.parse(contents)
	if err != nil {
		return err
	}
	w.seen = seen
	w.current.Store(&value)
	return nil
}
