package embedded

import "syscall"

// childAttributes puts the engine in a session of its own, so that a
// Ctrl-C in the user's terminal reaches only the parent, and has the kernel kill it
// when the thread that started it ends.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// selfPath is this very program, even after its file was replaced by a newer
// build or, like the ones of `go run`, removed.
func selfPath() (string, error) { return "/proc/self/exe", nil }
