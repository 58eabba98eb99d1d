package embedded

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

const (
	defaultStartTimeout = 2 * time.Minute // a cold disk has half a gigabyte to load
	defaultStopTimeout  = 30 * time.Second
	defaultLockTimeout  = 30 * time.Second

	pollEvery = 20 * time.Millisecond
	portTries = 3
	maxPort   = 65535
)

// AnyPort asks for any free port where 0 means none.
const AnyPort = -1

// EngineConfig says where and how the embedded engine runs.
type EngineConfig struct {
	// Dir is the data directory; the engine keeps everything in
	// Dir/clickhouse.
	Dir string
	// CacheDir is where the engine's library is kept; empty means CacheDir().
	CacheDir string
	// NativePort is the port of the native protocol, on 127.0.0.1; 0 takes
	// any free one.
	NativePort int
	// HTTPPort is the port of the HTTP interface for ReaderUser, on 127.0.0.1:
	// see readerGate. The default, 0, opens none; AnyPort takes any free one.
	HTTPPort int
	// Grants are rights of the user makegood beyond its own database, as
	// GRANT statements: for tests and benchmarks with databases of their own.
	Grants []string
	// Connect are the TCP ports that the engine may connect to: none by
	// default. ClickHouse's own Kafka engine needs the broker's.
	Connect []int
	// StartTimeout bounds the wait for the engine's first answer (2 minutes
	// by default), LockTimeout the wait for an engine of an earlier run that
	// is still going away (30 s), StopTimeout a clean stop before the engine
	// is killed (30 s). The download of the engine is bounded by the
	// context alone.
	StartTimeout, LockTimeout, StopTimeout time.Duration
	// Logger takes what this package does; the engine's own log is in
	// Dir/clickhouse/log. Nil discards it.
	Logger *slog.Logger
	// Progress takes the progress of the engine's download; nil hides it.
	Progress io.Writer

	// withoutFsync is for measuring what fsync costs.
	withoutFsync bool
	// readable are further files and directories that the engine may read
	// and execute: for tests.
	readable []string
}

// Validate says what is wrong with the configuration.
func (c EngineConfig) Validate() error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("engine: Dir is empty"))
	}
	if c.NativePort < 0 || c.NativePort > maxPort {
		errs = append(errs, fmt.Errorf("engine: NativePort is no port: %d", c.NativePort))
	}
	if c.HTTPPort < 0 && c.HTTPPort != AnyPort || c.HTTPPort > maxPort {
		errs = append(errs, fmt.Errorf("engine: HTTPPort is no port: %d", c.HTTPPort))
	}
	for _, port := range c.Connect {
		if port < 1 || port > maxPort {
			errs = append(errs, fmt.Errorf("engine: Connect has no port: %d", port))
		}
	}
	if c.NativePort != 0 && c.NativePort == c.HTTPPort {
		errs = append(errs, fmt.Errorf("engine: NativePort and HTTPPort are both %d", c.NativePort))
	}
	for name, d := range map[string]time.Duration{"StartTimeout": c.StartTimeout, "LockTimeout": c.LockTimeout,
		"StopTimeout": c.StopTimeout} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("engine: %s is negative: %s", name, d))
		}
	}
	return errors.Join(errs...)
}

func (c EngineConfig) withDefaults() EngineConfig {
	if c.StartTimeout == 0 {
		c.StartTimeout = defaultStartTimeout
	}
	if c.LockTimeout == 0 {
		c.LockTimeout = defaultLockTimeout
	}
	if c.StopTimeout == 0 {
		c.StopTimeout = defaultStopTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Engine is a running embedded ClickHouse.
type Engine struct {
	cfg            EngineConfig
	files          engineFiles
	native, inside int    // ports of the engine itself; inside, of HTTP, is 0 where there is none
	writer, reader string // passwords
	login          string // what the engine takes for the reader's: the gate alone knows it
	gate           *readerGate
	listener       net.Listener // of the gate

	pid   int
	alive *os.File // our end of the engine's terminal: closing it ends the engine
	done  chan struct{}
	err   error // why it ended; read after done is closed

	closing   chan struct{}
	closeOnce sync.Once
	closeErr  error
}

// StartEngine starts a ClickHouse engine on Dir/clickhouse and returns once it
// answers. It is the `clickhouse` on the PATH where there is one, else the
// library that Fetch brings, run in a child process of this very program (see
// IsChild). The engine lives until Close, or until this process ends.
func StartEngine(ctx context.Context, cfg EngineConfig) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	program, err := findEngine(ctx, cfg)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(cfg.Dir) // the child works elsewhere
	if err != nil {
		return nil, fmt.Errorf("resolving data directory %q: %w", cfg.Dir, err)
	}
	files := engineLayout(dir)
	if err := files.create(); err != nil {
		return nil, err
	}
	lock, err := lockEngine(ctx, files.lock, cfg.LockTimeout)
	if err != nil {
		return nil, err
	}
	// The child has the same lock by its own descriptor; ours must go, or the
	// lock would outlive the child.
	defer func() { _ = lock.Close() }() // nothing was written to it

	e := &Engine{cfg: cfg, files: files, closing: make(chan struct{})}
	if e.writer, err = files.password(writerUser); err != nil {
		return nil, err
	}
	if e.reader, err = files.password(readerUser); err != nil {
		return nil, err
	}
	if err := e.listen(ctx); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		err := e.start(ctx, program, lock)
		if err == nil {
			return e, nil
		}
		// A port that was free a moment ago may be taken by now.
		chosen := cfg.NativePort == 0 || e.inside != 0
		if !chosen || try == portTries || !strings.Contains(err.Error(), "Address already in use") {
			return nil, errors.Join(err, e.unlisten())
		}
		cfg.Logger.Warn("engine lost a port to another process, trying others", "try", try)
	}
}

// lockEngine waits until no engine works on the directory any more. After a
// kill -9 of the parent its engine may need a moment to be gone.
func lockEngine(ctx context.Context, path string, patience time.Duration) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the engine's lock: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("an engine of another run still works on this directory (it holds %s): %w", path,
				ctx.Err()), f.Close())
		}
	}
}

// freePort asks the kernel for a port that nobody has.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return 0, fmt.Errorf("giving a free port back: %w", err)
	}
	return port, nil
}

// listen takes the port that readers connect to, where one is wanted.
func (e *Engine) listen(ctx context.Context) (err error) {
	if e.cfg.HTTPPort == 0 {
		return nil
	}
	if e.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", loopbackAddr(max(e.cfg.HTTPPort, 0))); err != nil {
		return fmt.Errorf("opening the engine's HTTP interface: %w", err)
	}
	return nil
}

func (e *Engine) unlisten() error {
	if e.listener == nil {
		return nil
	}
	if err := e.listener.Close(); err != nil {
		return fmt.Errorf("closing the engine's HTTP interface: %w", err)
	}
	return nil
}

func (e *Engine) choosePorts() (err error) {
	e.native, e.inside = e.cfg.NativePort, 0
	if e.native == 0 {
		if e.native, err = freePort(); err != nil {
			return err
		}
	}
	for e.listener != nil && (e.inside == 0 || e.inside == e.native) {
		if e.inside, err = freePort(); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) start(ctx context.Context, program engineProgram, lock *os.File) (err error) {
	if err := e.choosePorts(); err != nil {
		return err
	}
	e.login = rand.Text()
	if err := e.files.write(engineSettings{
		TCPPort: e.native, HTTPPort: e.inside,
		Writer: writerUser, WriterSum: digest(e.writer),
		Reader: readerUser, ReaderSum: digest(e.login), ReaderSettings: readerSettings,
		ReaderMemory: 2 << 30, ReaderSeconds: 60, ReaderSecondsMax: 600,
		Grants:           e.cfg.Grants,
		FsyncAfterInsert: !e.cfg.withoutFsync,
		KeepFree:         KeepFree,
	}); err != nil {
		return err
	}
	if err := e.removeEmpty(); err != nil {
		return err
	}
	output, err := e.files.openOutput()
	if err != nil {
		return err
	}
	defer func() { _ = output.Close() }() // the child has its own
	alive, terminal, err := pty.Open()
	if err != nil {
		return fmt.Errorf("making the engine's terminal: %w", err)
	}
	defer func() { _ = terminal.Close() }() // the child has its own

	cmd, err := e.command(program)
	if err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, output, output
	cmd.ExtraFiles = []*os.File{lock}
	cmd.SysProcAttr = childAttributes()

	e.alive, e.done, e.err = alive, make(chan struct{}), nil
	begun := time.Now()
	started := make(chan error, 1)
	go e.watch(cmd, started)
	if err := <-started; err != nil {
		return errors.Join(fmt.Errorf("starting the engine (%s): %w", program.kind, err), alive.Close())
	}
	e.pid = cmd.Process.Pid
	rules, err := e.await(ctx)
	if err != nil {
		// Whatever state it is in, it holds the lock: it has to go. It
		// never answered, so nobody relies on anything in it.
		_ = cmd.Process.Kill()
		<-e.done
		return errors.Join(fmt.Errorf("starting the engine (%s): %w%s", program.kind, err, e.files.logTail()), alive.Close())
	}
	e.cfg.Logger.Info("engine started", "kind", program.kind, "pid", e.pid, "addr", e.Addr(), "http", e.HTTPAddr(),
		"took", time.Since(begun))
	e.sayFence()
	if e.listener != nil {
		e.gate = newReaderGate(e, rules)
		go e.gate.serve(e.listener)
	}
	return nil
}

// watch starts the child and waits for its end on one thread that is kept for
// it: the kernel sends the death signal when the *thread* that started the
// child ends, and Go ends threads as it likes.
func (e *Engine) watch(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	started <- err
	if err != nil {
		return
	}
	err = cmd.Wait()
	select {
	case <-e.closing:
		e.err = err
	default:
		if err == nil {
			err = errors.New("exit status 0")
		}
		e.err = fmt.Errorf("the engine ended by itself: %w%s", err, e.files.logTail())
	}
	close(e.done)
}

// await returns once the engine answers as it will be asked, with the rules
// for readers of an engine with such functions.
func (e *Engine) await(ctx context.Context) (rules statementRules, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.StartTimeout)
	defer cancel()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr:        []string{e.Addr()},
		Auth:        clickhouse.Auth{Database: "default", Username: e.User(), Password: e.Password()},
		DialTimeout: time.Second, // it is asked again
	})
	if err != nil {
		return rules, fmt.Errorf("opening a connection: %w", err)
	}
	defer func() { _ = conn.Close() }() // it served its purpose
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := conn.Ping(ctx)
		if err == nil {
			rules, err = readRules(ctx, conn)
		}
		if err == nil {
			return rules, nil
		}
		// At its prompt the session survives a query that failed, and the
		// port that it should have opened never opens.
		if said, rerr := readEnd(e.files.OutputLog()); rerr == nil && bytes.Contains(said, []byte("DB::Exception")) {
			return rules, errors.New("it can't do what it was told")
		}
		select {
		case <-e.done:
			return rules, e.err
		case <-ctx.Done():
			return rules, fmt.Errorf("it doesn't answer: %w: %w", context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}

// Addr returns the address of the native protocol, host:port.
func (e *Engine) Addr() string { return loopbackAddr(e.native) }

// HTTPAddr returns the address of the HTTP interface for ReaderUser,
// host:port; empty where there is none.
func (e *Engine) HTTPAddr() string {
	if e.listener == nil {
		return ""
	}
	return e.listener.Addr().String()
}

func loopbackAddr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// User returns the user that owns the books.
func (e *Engine) User() string { return writerUser }

// Password returns the password of User.
func (e *Engine) Password() string { return e.writer }

// ReaderUser returns the user for reading the books, limited in memory and
// time. It gets in at HTTPAddr alone.
func (e *Engine) ReaderUser() string { return readerUser }

// ReaderPassword returns the password of ReaderUser.
func (e *Engine) ReaderPassword() string { return e.reader }

// PID returns the process id of the engine.
func (e *Engine) PID() int { return e.pid }

// DSN returns a clickhouse-go address of the engine, with User's password in
// it. It names no database.
func (e *Engine) DSN() string {
	u := url.URL{
		Scheme:   "clickhouse",
		User:     url.UserPassword(e.User(), e.Password()),
		Host:     e.Addr(),
		Path:     "/",
		RawQuery: url.Values{"dial_timeout": {"10s"}}.Encode(),
	}
	return u.String()
}

// Done is closed when the engine's process has ended, asked to or not.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err says why the engine ended when nobody asked it to, with the end of its
// log. It is nil while it runs and after a Close that went well.
func (e *Engine) Err() error {
	select {
	case <-e.done:
		return e.err
	default:
		return nil
	}
}

// Close ends the engine: it finishes what it is doing, and is killed if that
// takes longer than StopTimeout. Acknowledged inserts survive either.
func (e *Engine) Close() error {
	e.closeOnce.Do(func() {
		if e.gate != nil {
			e.closeErr = e.gate.close()
		}
		e.closeErr = errors.Join(e.closeErr, e.stop())
	})
	return e.closeErr
}

func (e *Engine) stop() error {
	select {
	case <-e.done:
		_ = e.alive.Close() // nobody reads it any more
		return e.err
	default:
	}
	close(e.closing)
	if err := e.alive.Close(); err != nil {
		return fmt.Errorf("ending the engine: %w", err)
	}
	timer := time.NewTimer(e.cfg.StopTimeout)
	defer timer.Stop()
	select {
	case <-e.done:
		if e.err != nil {
			return fmt.Errorf("ending the engine: %w%s", e.err, e.files.logTail())
		}
		return nil
	case <-timer.C:
	}
	if err := unix.Kill(e.pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("killing the engine, which did not end within %s: %w", e.cfg.StopTimeout, err)
	}
	<-e.done
	return fmt.Errorf("the engine did not end within %s and was killed%s", e.cfg.StopTimeout, e.files.logTail())
}
