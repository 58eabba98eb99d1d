package pipe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Names of the directories that files are moved to, in the folder that they came to.
const (
	doneDir    = "done"
	refusedDir = "refused"
)

// FolderConfig is what Folders needs.
type FolderConfig struct {
	Tills *Tills
	// Send publishes events: see MapperConfig.Send. Several calls are made for a large file.
	Send func(ctx context.Context, till string, events [][]byte) error
	// Every is how often folders are looked at. A file that looks the same twice is finished. Default 2 s.
	Every time.Duration
	// MaxFile bounds a file, in bytes. Default 64 MiB.
	MaxFile int64
	Now     func() time.Time
	Logger  *slog.Logger
}

// seenFile is a file as it looked.
type seenFile struct {
	size     int64
	modified time.Time
}

// Folders watches those of tills.
type Folders struct {
	config FolderConfig
	seen   map[string]seenFile // by path
	failed map[string]string   // what was said of a folder or file, to say it once
}

// NewFolders makes a watch.
func NewFolders(c FolderConfig) *Folders {
	if c.Every == 0 {
		c.Every = 2 * time.Second
	}
	if c.MaxFile == 0 {
		c.MaxFile = 64 << 20
	}
	return &Folders{config: c, seen: map[string]seenFile{}, failed: map[string]string{}}
}

// Run watches until ctx ends.
func (f *Folders) Run(ctx context.Context) {
	tick := time.NewTicker(f.config.Every)
	defer tick.Stop()
	for {
		f.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look maps every file that looks as it did the last time.
func (f *Folders) look(ctx context.Context) {
	now := map[string]seenFile{}
	for _, t := range f.config.Tills.all() {
		if t.Folder == "" {
			continue
		}
		files, err := waiting(t.Folder)
		f.say(t.Folder, err)
		for name, looks := range files {
			path := filepath.Join(t.Folder, name)
			now[path] = looks
			if was, known := f.seen[path]; !known || was != looks || ctx.Err() != nil {
				continue
			}
			err := f.file(ctx, t, name, looks)
			if err == nil {
				delete(now, path)
			}
			f.say(path, err)
		}
	}
	f.seen = now
}

// say says once what is wrong, since it is tried again and again.
func (f *Folders) say(of string, err error) {
	if err == nil {
		delete(f.failed, of)
		return
	}
	if f.failed[of] != err.Error() {
		f.failed[of] = err.Error()
		f.config.Logger.Error("a file of a till waits", "file", of, "error", err)
	}
}

// waiting are the files of a folder that may be finished. Those that are being written are often called something else
// until they are whole.
func waiting(folder string) (map[string]seenFile, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says which
	}
	files := map[string]seenFile{}
	for _, e := range entries {
		if !e.Type().IsRegular() || unfinished(e.Name()) {
			continue // a link may lead anywhere
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process has taken it
		}
		if err != nil {
			return nil, err //nolint:wrapcheck // it says which
		}
		files[e.Name()] = seenFile{info.Size(), info.ModTime()}
	}
	return files, nil
}

func unfinished(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || slices.Contains([]string{".part", ".partial",
		".tmp", ".temp", ".filepart", ".crdownload", ".swp", ".lock"}, strings.ToLower(filepath.Ext(name)))
}

// file maps one file, and moves it when its events are durable. An error says that it is to be tried again.
func (f *Folders) file(ctx context.Context, t *loaded, name string, looks seenFile) error {
	root, err := os.OpenRoot(t.Folder)
	if err != nil {
		return err //nolint:wrapcheck // it says which
	}
	defer root.Close()
	content, err := f.read(root, name, looks)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errChanged):
		return nil
	case errors.Is(err, errLargeFile):
		return f.refused(root, t, name, []string{err.Error()})
	case err != nil:
		return err
	}
	t.counts.received(f.config.Now())
	said, err := f.mapped(ctx, t, content)
	if err != nil {
		return err
	}
	if len(said) > 0 {
		return f.refused(root, t, name, said)
	}
	return done(root, name)
}

var (
	errLargeFile = errors.New("the file is larger than a file of a till may be")
	errChanged   = errors.New("the file is being written")
)

// read reads a file, unless it isn't as it looked.
func (f *Folders) read(root *os.Root, name string, looks seenFile) ([]byte, error) {
	if looks.size > f.config.MaxFile {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", errLargeFile, looks.size, f.config.MaxFile)
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says which
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, looks.size+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(content)) != looks.size {
		return nil, errChanged
	}
	return content, nil
}

// sendAtOnce bounds the events of one call of Send.
const sendAtOnce = 1000

// mapped publishes the events of a file, and says what of it can't be mapped.
func (f *Folders) mapped(ctx context.Context, t *loaded, content []byte) (said []string, _ error) {
	events, err := mapSafely(ctx, t, &Body{Till: t.Name, Kind: t.Kind, Header: map[string]string{}, Content: content,
		Received: f.config.Now().UTC()})
	refused, is := errors.AsType[*Refused](err)
	if err != nil && !is {
		return nil, err
	}
	if is {
		for _, r := range refused.Refusals {
			said = append(said, r.String())
		}
	}
	for part := range slices.Chunk(events, sendAtOnce) {
		more, err := f.send(ctx, t, part)
		if err != nil {
			return nil, err
		}
		said = append(said, more...)
	}
	if len(said) == 0 {
		t.counts.done(len(events))
	}
	return said, nil
}

// send publishes events, one by one where they can't go together: what is wrong with one concerns that one alone.
func (f *Folders) send(ctx context.Context, t *loaded, events [][]byte) (said []string, _ error) {
	err := f.config.Send(ctx, t.Name, events)
	refused, is := errors.AsType[*Refused](err)
	switch {
	case !is:
		return nil, err
	case len(events) == 1:
		return []string{refused.first().String()}, nil
	}
	for i := range events {
		more, err := f.send(ctx, t, events[i:i+1])
		if err != nil {
			return nil, err
		}
		said = append(said, more...)
	}
	return said, nil
}

// maxReasons bounds the reasons beside a refused file.
const maxReasons = 1000

// refused puts a file aside, with why.
func (f *Folders) refused(root *os.Root, t *loaded, name string, why []string) error {
	to, err := free(root, name, refusedDir)
	if err != nil {
		return err
	}
	text := strings.Join(why[:min(len(why), maxReasons)], "\n") + "\n"
	if more := len(why) - maxReasons; more > 0 {
		text += fmt.Sprintf("and %d more\n", more)
	}
	if err := root.WriteFile(to+reasons, []byte(text), 0o600); err != nil {
		return err //nolint:wrapcheck // it says which
	}
	t.counts.Refused.Add(1)
	f.config.Logger.Warn("a file of a till is put aside: see the reasons beside it", "till", t.Name, "file", to,
		"refused", len(why))
	return rename(root, name, to)
}

// reasons is behind the name of a refused file, for the file that says why.
const reasons = ".reasons.txt"

// done moves a file whose events are durable.
func done(root *os.Root, name string) error {
	to, err := free(root, name, doneDir)
	if err != nil {
		return err
	}
	return rename(root, name, to)
}

// free is a name in a directory that no file has: what is there already stays.
func free(root *os.Root, name, dir string) (string, error) {
	if err := root.MkdirAll(dir, 0o700); err != nil {
		return "", err //nolint:wrapcheck // it says which
	}
	to := filepath.Join(dir, name)
	for n := 1; ; n++ {
		_, err := root.Lstat(to)
		if errors.Is(err, fs.ErrNotExist) {
			return to, nil
		}
		if err != nil {
			return "", err //nolint:wrapcheck // it says which
		}
		to = filepath.Join(dir, fmt.Sprintf("%s.%d", name, n))
	}
}

// rename moves a file, unless another process that watches the folder has.
func rename(root *os.Root, name, to string) error {
	if err := root.Rename(name, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // it says which
	}
	return nil
}

// RefusedFiles is how many files lie aside in a till's folder.
func (t *Till) RefusedFiles() int {
	if t.Folder == "" {
		return 0
	}
	entries, err := os.ReadDir(filepath.Join(t.Folder, refusedDir))
	if err != nil {
		return 0 // it is made with the first of them
	}
	n := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), reasons) {
			n++
		}
	}
	return n
}
