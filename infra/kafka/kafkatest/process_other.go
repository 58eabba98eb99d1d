//go:build !linux

package kafkatest

import "syscall"

// childAttributes have nothing to offer where the system can't end orphans.
func childAttributes() *syscall.SysProcAttr { return nil }
