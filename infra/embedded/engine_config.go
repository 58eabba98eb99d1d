package embedded

import (
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

const (
	// writerUser owns the books: it creates tables, inserts, reads.
	writerUser = "makegood"
	// readerUser is for people who bring their own tools.
	readerUser = "finance"
)

// engineFiles are the paths of one engine under Dir/clickhouse.
type engineFiles struct {
	Data, Log, Users          string // the templates read these
	root, config, start, lock string
}

func engineLayout(dir string) engineFiles {
	root := filepath.Join(dir, "clickhouse")
	return engineFiles{
		Data:   filepath.Join(root, "data"),
		Log:    filepath.Join(root, "log"),
		Users:  filepath.Join(root, "users.xml"),
		root:   root,
		config: filepath.Join(root, "config.xml"),
		start:  filepath.Join(root, "start.sql"),
		lock:   filepath.Join(root, "lock"),
	}
}

// OutputLog is where the engine's standard output and error go.
func (f engineFiles) OutputLog() string { return filepath.Join(f.Log, "output.log") }

// ErrorLog is where the engine writes its own errors.
func (f engineFiles) ErrorLog() string { return filepath.Join(f.Log, "error.log") }

func (f engineFiles) create() error {
	for _, dir := range []string{f.root, f.Data, f.Log} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("creating engine directory: %w", err)
		}
	}
	return nil
}

// password returns a user's password, made at the first start of a data
// directory and kept in a file that only its owner reads.
func (f engineFiles) password(user string) (string, error) {
	path := filepath.Join(f.root, user+".password")
	text, err := os.ReadFile(path)
	if err == nil {
		if p := strings.TrimSpace(string(text)); p != "" {
			return p, nil
		}
		return "", fmt.Errorf("the password file %s is empty; remove it to get a new one", path)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading password of %s: %w", user, err)
	}
	p := rand.Text()
	if err := writeFileAtomic(path, []byte(p+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keeping password of %s: %w", user, err)
	}
	return p, nil
}

// KeepFree is how many bytes of its disk the engine leaves free: it begins no insert and no merge that would take them.
// What it has begun may take them, where others fill the disk meanwhile.
const KeepFree = 32 << 20

type engineSettings struct {
	Files                engineFiles
	TCPPort, HTTPPort    int // HTTPPort 0: no HTTP interface
	Writer, Reader       string
	WriterSum, ReaderSum string   // sha256 of the passwords, in hex
	ReaderSettings       []string // what a reader may set
	ReaderMemory         int64
	ReaderSeconds        int // what a reader's query gets unasked
	ReaderSecondsMax     int // and what it may ask for: clients pass on their own deadlines
	Grants               []string
	FsyncAfterInsert     bool
	KeepFree             int64
}

// write renders the configuration again for each start: the ports differ, and a
// newer makegood may want other settings.
func (f engineFiles) write(s engineSettings) error {
	s.Files = f
	for path, t := range map[string]*template.Template{f.config: serverConfig, f.Users: usersConfig} {
		var b strings.Builder
		if err := t.Execute(&b, s); err != nil {
			return fmt.Errorf("rendering %s: %w", filepath.Base(path), err)
		}
		if err := writeFileAtomic(path, []byte(b.String()), 0o600); err != nil {
			return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
		}
	}
	queries := startQueries
	if s.HTTPPort != 0 {
		queries += startHTTP
	}
	if err := writeFileAtomic(f.start, []byte(queries), 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(f.start), err)
	}
	return nil
}

func digest(password string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(password)))
}

// startQueries are all that the session of clickhouse-local does itself, so its
// user needs no other right. What keeps it alive after them is the prompt: the
// session has a terminal, whose other end is ours, and waits there for a query
// that never comes. It ends when we close our end, or when the kernel does
// because we are gone.
//
// It has to be a terminal. Without one clickhouse-local aborts on the first
// error in any connection (a wrong password on the native port, a client that
// goes away in the middle of an answer: ClickHouse issue 115666); a session
// with a prompt logs such errors and goes on, as a server does.
const startQueries = "SYSTEM START LISTEN TCP;\n"

// startHTTP opens the HTTP interface where it is wanted.
const startHTTP = "SYSTEM START LISTEN HTTP;\n"

var configFuncs = template.FuncMap{"x": func(s string) (string, error) {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return "", fmt.Errorf("escaping: %w", err)
	}
	return b.String(), nil
}}

// serverConfig keeps the engine small beside the program that it serves: two
// cores do ingestion, merges and reports at once. System log tables (query_log
// and the rest) exist only where they are configured, so they are off; the
// log files hold warnings.
//
//go:embed engine/server.xml
var serverText string

// usersText says who may do what in the engine.
//
//go:embed engine/users.xml
var usersText string

var (
	serverConfig = template.Must(template.New("config.xml").Funcs(configFuncs).Parse(serverText))
	usersConfig  = template.Must(template.New("users.xml").Funcs(configFuncs).Parse(usersText))
)

// openOutput opens the file for the child's standard output and error. What
// the run before left is kept once: it may tell why that run ended.
func (f engineFiles) openOutput() (*os.File, error) {
	path := f.OutputLog()
	if err := os.Rename(path, path+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("keeping the engine's last output: %w", err)
	}
	// The same goes for its error log, or an old error would look like the
	// reason of a new end.
	if err := os.Rename(f.ErrorLog(), f.ErrorLog()+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("keeping the engine's last errors: %w", err)
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the engine's output: %w", err)
	}
	return out, nil
}

// logTail is the end of what the engine said, for an error's text.
func (f engineFiles) logTail() string {
	var tail string
	for _, path := range []string{f.OutputLog(), f.ErrorLog()} {
		text, err := readEnd(path)
		if err != nil || len(text) == 0 {
			continue
		}
		tail += "\n" + path + ":" + indentTail(text)
	}
	return tail
}

func readEnd(path string) ([]byte, error) {
	const end = 8 << 10
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	if info, err := f.Stat(); err == nil && info.Size() > end {
		if _, err := f.Seek(-end, io.SeekEnd); err != nil {
			return nil, fmt.Errorf("seeking: %w", err)
		}
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	return text, nil
}

// removeEmpty removes definitions of tables that are empty files. On a disk
// that is full the engine says that it made or altered a table, keeps nothing
// of its definition, and doesn't start again because of it. A table that is
// missed is then missed by name.
func (e *Engine) removeEmpty() error {
	for _, pattern := range []string{"metadata/*.sql", "metadata/*/*.sql", "store/*/*/*.sql"} {
		files, err := filepath.Glob(filepath.Join(e.files.Data, pattern))
		if err != nil {
			return fmt.Errorf("looking for definitions of tables: %w", err)
		}
		for _, name := range files {
			info, err := os.Stat(name)
			if errors.Is(err, fs.ErrNotExist) || err == nil && (info.Size() > 0 || !info.Mode().IsRegular()) {
				continue
			}
			if err == nil {
				err = os.Remove(name)
			}
			if err != nil {
				return fmt.Errorf("removing an empty definition of a table: %w", err)
			}
			e.cfg.Logger.Error("the definition of a table is empty, as after a change on a disk that was full: it is gone",
				"table", strings.TrimSuffix(filepath.Base(name), ".sql"))
		}
	}
	return nil
}
