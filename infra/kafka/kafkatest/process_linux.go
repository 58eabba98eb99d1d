package kafkatest

import "syscall"

// childAttributes make a broker end when the test process does, however that
// may end.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
