package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestMain makes the test binary able to be each of the processes that the
// tests start and kill.
func TestMain(m *testing.M) {
	if IsChild(os.Args) {
		RunChild()
	}
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "host-broker":
			host(hostBroker)
		case "host-engine":
			host(hostEngine)
		case "host-datadir":
			host(hostDataDir)
		case "host-fetch":
			host(hostFetch)
		}
	}
	os.Exit(m.Run())
}

// hostReport is what a host process says on its standard output once it is up.
type hostReport struct {
	Addr     string
	DSN      string
	ChildPID int
	Library  string
}

// host runs one part in this process until it is killed or its standard input
// ends, which a dying test binary sees to.
func host(run func(dir string) (hostReport, func() error, error)) {
	report, stop, err := run(os.Args[2])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(report)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, os.Stdin)
	}
	if err == nil {
		err = stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func hostBroker(dir string) (hostReport, func() error, error) {
	b, err := StartBroker(context.Background(), BrokerConfig{Dir: dir})
	if err != nil {
		return hostReport{}, nil, err
	}
	return hostReport{Addr: b.Addr()}, b.Close, nil
}

func hostEngine(dir string) (hostReport, func() error, error) {
	e, err := StartEngine(context.Background(), EngineConfig{Dir: dir})
	if err != nil {
		return hostReport{}, nil, err
	}
	return hostReport{Addr: e.Addr(), DSN: e.DSN(), ChildPID: e.PID()}, e.Close, nil
}

func hostDataDir(dir string) (hostReport, func() error, error) {
	d, err := Open(dir)
	if err != nil {
		return hostReport{}, nil, err
	}
	if err := d.Announce(Announcement{HTTP: "127.0.0.1:8080", Kafka: "127.0.0.1:9092",
		Started: time.Unix(1700000000, 0).UTC()}); err != nil {
		return hostReport{}, nil, err
	}
	return hostReport{Addr: "127.0.0.1:8080"}, d.Close, nil
}

// hosted is a host process under the test's control.
type hosted struct {
	hostReport
	cmd   *exec.Cmd
	stdin io.Closer
}

func startHost(t *testing.T, kind, dir string) *hosted {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", kind, dir)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := &hosted{cmd: cmd, stdin: stdin}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		_ = cmd.Wait()
		t.Fatalf("%s said nothing: %v\n%s", kind, err, complaints.String())
	}
	if err := json.Unmarshal(line, &h.hostReport); err != nil {
		t.Fatalf("%s said %q: %v", kind, line, err)
	}
	return h
}

// kill ends the process as kill -9 does and waits until it is gone.
func (h *hosted) kill(t *testing.T) {
	t.Helper()
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Wait(); err == nil {
		t.Fatal("killed, yet it ended well")
	}
}

// stop lets the process end in good order.
func (h *hosted) stop(t *testing.T) {
	t.Helper()
	if err := h.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func hostFetch(cache string) (hostReport, func() error, error) {
	var pin struct{ Spec, Integrity string }
	if err := json.Unmarshal([]byte(os.Getenv("TEST_ENGINE_PACKAGE")), &pin); err != nil {
		return hostReport{}, nil, err
	}
	p := enginePackage{spec: pin.Spec, integrity: pin.Integrity, packed: 10000, library: "package/libchdb.so"}
	library, err := p.fetch(context.Background(), cache, nil)
	return hostReport{Library: library}, func() error { return nil }, err
}
