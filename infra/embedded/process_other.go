//go:build !linux

package embedded

import (
	"fmt"
	"os"
	"syscall"
)

// childAttributes puts the engine in a session of its own, so that a
// Ctrl-C in the user's terminal reaches only the parent. Where the kernel has no
// death signal the end of the pipe alone ends the engine.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true}
}

func selfPath() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	return path, nil
}
