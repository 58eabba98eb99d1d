package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/embedded"
)

// The test binary can be each of the processes that make a makegood which is run apart: a role, a broker, a ClickHouse.
// All of them end when the test does, however that may end: their standard input is its.

// asHost makes the test binary host a part: its value says which.
const asHost = "MAKEGOOD_TEST_AS_HOST"

// hostArguments are what a host is told, as JSON in its environment.
type hostArguments struct {
	Dir                  string
	Addr, Advertise      string // of a broker
	NativePort, HTTPPort int    // of an engine
}

const hostArgumentsName = "MAKEGOOD_TEST_HOST_ARGUMENTS"

// hostReport is what a host says on its standard output once it is up.
type hostReport struct {
	DSN string
	PID int // of the process that does the work
}

// hostIfTold is the first thing that TestMain does; it returns where this process is to run tests.
func hostIfTold() {
	// Writing beyond a limit is to fail, as on a full disk, and not to end the process. The engine inherits it.
	if os.Getenv(asHost) != "" || embedded.IsChild(os.Args) {
		signal.Ignore(syscall.SIGXFSZ)
	}
	if embedded.IsChild(os.Args) {
		embedded.RunChild()
	}
	switch os.Getenv(asHost) {
	case "":
		return
	case "role":
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(3) // the test is gone
		}()
		if err := os.Unsetenv(asHost); err != nil {
			panic(err)
		}
		main()
	case "broker":
		host(func(a hostArguments) (hostReport, func() error, <-chan struct{}, error) {
			b, err := embedded.StartBroker(context.Background(), embedded.BrokerConfig{Dir: a.Dir, Addr: a.Addr,
				Advertise: a.Advertise})
			if err != nil {
				return hostReport{}, nil, nil, err
			}
			return hostReport{PID: os.Getpid()}, b.Close, nil, nil
		})
	case "engine":
		host(func(a hostArguments) (hostReport, func() error, <-chan struct{}, error) {
			e, err := embedded.StartEngine(context.Background(), embedded.EngineConfig{Dir: a.Dir, NativePort: a.NativePort,
				HTTPPort: a.HTTPPort, Progress: os.Stderr})
			if err != nil {
				return hostReport{}, nil, nil, err
			}
			return hostReport{DSN: e.DSN(), PID: e.PID()}, e.Close, e.Done(), nil
		})
	}
	os.Exit(2)
}

// host runs a part until it is killed, told to stop, ends by itself, or the test is gone.
func host(run func(hostArguments) (hostReport, func() error, <-chan struct{}, error)) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var a hostArguments
	err := json.Unmarshal([]byte(os.Getenv(hostArgumentsName)), &a)
	var report hostReport
	var end func() error
	var ended <-chan struct{}
	if err == nil {
		report, end, ended, err = run(a)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(report)
	}
	if err == nil {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
		select {
		case <-ctx.Done():
		case <-ended:
		}
		err = end()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// member is a process under a supervisor that starts it again when it ends, as systemd would.
type member struct {
	name string
	env  []string
	args []string
	up   string // what it says when it is up; empty for a host, which reports

	log string // what it said, of all its lives

	mu     sync.Mutex
	wanted bool
	life   *life
	lives  int
	faults []string // ends that nobody asked for, after it was up
}

// life is one run of a member.
type life struct {
	cmd   *exec.Cmd
	stdin io.Closer
	said  *watched
	gone  chan struct{}
	asked atomic.Bool // its end
}

// watched takes what a process says to a file and notices when it is up.
type watched struct {
	to    io.Writer
	up    string
	once  sync.Once
	heard chan struct{}

	mu     sync.Mutex
	report hostReport
	line   []byte
	tail   []byte
}

func (w *watched) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line = append(w.line, text...)
	for {
		end := bytes.IndexByte(w.line, '\n')
		if end < 0 {
			break
		}
		line := w.line[:end]
		if w.up == "" && json.Unmarshal(line, &w.report) == nil || w.up != "" && bytes.Contains(line, []byte(w.up)) {
			w.once.Do(func() { close(w.heard) })
		}
		w.line = w.line[end+1:]
	}
	w.tail = append(w.tail, text...)
	w.tail = w.tail[max(0, len(w.tail)-4096):]
	return w.to.Write(text)
}

func (w *watched) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.tail)
}

func newHost(t testing.TB, kind string, a hostArguments) *member {
	t.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return newMember(t, kind, []string{asHost + "=" + kind, hostArgumentsName + "=" + string(text)}, nil, "")
}

func newRole(t testing.TB, name string, args ...string) *member {
	return newMember(t, name, []string{asHost + "=role"}, append([]string{"serve"}, args...), "makegood serves at")
}

// newMember starts a member and keeps it alive until the test ends.
func newMember(t testing.TB, name string, env, args []string, up string) *member {
	t.Helper()
	m := &member{name: name, env: env, args: args, up: up, log: filepath.Join(t.TempDir(),
		strings.ReplaceAll(name, " ", "-")+".log")}
	t.Cleanup(func() {
		if t.Failed() {
			text, _ := os.ReadFile(m.log) // it may have said nothing
			t.Logf("%s said at last:\n%s", name, text[max(0, len(text)-6000):])
		}
		m.end(syscall.SIGKILL)
	})
	if err := m.begin(); err != nil {
		t.Fatal(err)
	}
	return m
}

// begin starts the process and keeps it alive.
func (m *member) begin() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wanted = true
	if m.life != nil {
		return nil
	}
	return m.launch()
}

func (m *member) launch() error {
	log, err := os.OpenFile(m.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	l := &life{cmd: exec.Command(os.Args[0], m.args...), said: &watched{to: log, up: m.up, heard: make(chan struct{})},
		gone: make(chan struct{})}
	l.cmd.Env = append(os.Environ(), m.env...)
	l.cmd.Stdout, l.cmd.Stderr = l.said, l.said
	if l.stdin, err = l.cmd.StdinPipe(); err != nil {
		return errors.Join(err, log.Close())
	}
	if err := l.cmd.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	m.life = l
	m.lives++
	go m.watch(l, log)
	return nil
}

// watch waits for the end of a life and begins the next.
func (m *member) watch(l *life, log io.Closer) {
	err := l.cmd.Wait()
	_ = log.Close()
	m.mu.Lock()
	m.life = nil
	if !l.asked.Load() {
		select {
		case <-l.said.heard:
			m.faults = append(m.faults, fmt.Sprintf("%s ended by itself (%v):\n%s", m.name, err, l.said.last()))
		default: // it didn't find what it needs yet
		}
	}
	m.mu.Unlock()
	close(l.gone)
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		time.Sleep(pause)
		m.mu.Lock()
		if !m.wanted || m.life != nil {
			m.mu.Unlock()
			return
		}
		err := m.launch()
		m.mu.Unlock()
		if err == nil {
			return
		}
	}
}

// end ends the process by a signal and waits until it is gone; it stays away until begin.
func (m *member) end(sig syscall.Signal) {
	m.mu.Lock()
	m.wanted = false
	l := m.life
	m.mu.Unlock()
	if l == nil {
		return
	}
	l.asked.Store(true)
	_ = l.cmd.Process.Signal(syscall.SIGCONT) // one that stands still hears nothing else
	_ = l.cmd.Process.Signal(sig)             // it may be gone already
	select {
	case <-l.gone:
	case <-time.After(time.Minute):
		m.mu.Lock()
		m.faults = append(m.faults, fmt.Sprintf("%s doesn't stop:\n%s", m.name, l.said.last()))
		m.mu.Unlock()
		_ = l.cmd.Process.Kill()
		<-l.gone
	}
}

// signal sends a signal to the process that does the work, if there is one now.
func (m *member) signal(sig syscall.Signal) {
	if pid := m.pid(); pid != 0 {
		_ = syscall.Kill(pid, sig) // it may be gone already
	}
}

// pid is of the process that does the work, 0 where there is none that is up.
func (m *member) pid() int {
	m.mu.Lock()
	l := m.life
	m.mu.Unlock()
	if l == nil {
		return 0
	}
	if m.up != "" {
		return l.cmd.Process.Pid
	}
	select {
	case <-l.said.heard:
		l.said.mu.Lock()
		defer l.said.mu.Unlock()
		return l.said.report.PID
	default:
		return 0
	}
}

// await waits until the member is up.
func (m *member) await(ctx context.Context) (hostReport, error) {
	for {
		m.mu.Lock()
		l := m.life
		m.mu.Unlock()
		if l != nil {
			select {
			case <-l.said.heard:
				l.said.mu.Lock()
				defer l.said.mu.Unlock()
				return l.said.report, nil
			case <-l.gone:
			case <-ctx.Done():
			}
		}
		if err := ctx.Err(); err != nil {
			return hostReport{}, fmt.Errorf("%s doesn't come up: %w", m.name, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// unasked are the ends that nobody asked for.
func (m *member) unasked() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.faults
}
