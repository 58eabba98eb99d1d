package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// process is a broker that runs.
type process struct {
	cmd  *exec.Cmd
	gone chan struct{} // closed when it has ended
}

var errRunning = errors.New("it runs already")

// launch starts a node's broker; it doesn't wait until it can be used.
func (r *Real) launch(i int) error {
	n := r.nodes[i]
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process != nil {
		return fmt.Errorf("starting node %d: %w", n.id, errRunning)
	}
	out, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("opening a node's log: %w", err)
	}
	cmd := r.java(context.Background(), "kafka.Kafka", filepath.Join(n.dir, "server.properties"))
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = childAttributes()
	p := &process{cmd: cmd, gone: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The system ends a child whose parent thread ends, so that thread must
		// be kept for as long as the child is wanted.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		_ = out.Close()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(p.gone)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("starting node %d (is java on the PATH?): %w", n.id, err)
	}
	n.process = p
	return nil
}

// died says whether a node that should run has ended by itself.
func (n *node) died() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return nil
	}
	select {
	case <-n.process.gone:
		said, _ := os.ReadFile(n.log)
		return fmt.Errorf("node %d ended by itself (%v): %s", n.id, n.process.cmd.ProcessState, said[max(0, len(said)-2048):])
	default:
		return nil
	}
}

// Start starts a node that was stopped or killed. It doesn't wait for it: see Wait.
func (r *Real) Start(i int) error { return r.launch(i) }

// Kill ends a node at once, as a crash would (SIGKILL), and waits until it's gone.
func (r *Real) Kill(i int) error { return r.end(i, syscall.SIGKILL) }

// Stop asks a node to end in good order (SIGTERM) and waits until it's gone.
func (r *Real) Stop(i int) error { return r.end(i, syscall.SIGTERM) }

// Pause makes a node stand still (SIGSTOP): its connections stay open and
// answer nothing.
func (r *Real) Pause(i int) error { return r.signal(i, syscall.SIGSTOP) }

// Resume lets a paused node go on.
func (r *Real) Resume(i int) error { return r.signal(i, syscall.SIGCONT) }

// Restart stops a node in good order, starts it, and waits until it is back in
// the cluster.
func (r *Real) Restart(ctx context.Context, i int) error {
	if err := r.Stop(i); err != nil {
		return err
	}
	if err := r.Start(i); err != nil {
		return err
	}
	return r.Wait(ctx, len(r.nodes))
}

// PID is the process of a node that was started, 0 where it was ended since.
func (r *Real) PID(i int) int {
	n := r.nodes[i]
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return 0
	}
	return n.process.cmd.Process.Pid
}

func (r *Real) signal(i int, sig syscall.Signal) error {
	n := r.nodes[i]
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return nil
	}
	if err := n.process.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("sending %v to node %d: %w", sig, n.id, err)
	}
	return nil
}

// stopPatience is how long a broker may take to end in good order: it waits for
// others to take its partitions over.
const stopPatience = 30 * time.Second

func (r *Real) end(i int, sig syscall.Signal) error {
	if err := r.signal(i, sig); err != nil {
		return err
	}
	n := r.nodes[i]
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return nil
	}
	select {
	case <-n.process.gone:
	case <-time.After(stopPatience):
		_ = n.process.cmd.Process.Kill()
		<-n.process.gone
	}
	n.process = nil
	return nil
}
