package embedded

import (
	"encoding/json"
	"fmt"
)

// fence is all that the engine's process may reach. ClickHouse has functions
// that read and write files and call addresses, and clickhouse-local asks for
// no right before some of them; so the kernel stands in between, not grants.
// It is put up in the child process before the engine is executed, holds for
// every thread and process that comes from it, and can't be taken down.
type fence struct {
	// Library is what is loaded or executed: the engine itself.
	Library string
	// Read are files and directories to read and execute, Write directories
	// to do everything in.
	Read, Write []string
	// Bind and Connect are TCP ports.
	Bind, Connect []int
}

const (
	fenceFiles   = 2 // the version of Landlock that can fence files: 1 forbids to rename across directories
	fenceNetwork = 4 // and ports
)

// noFence in place of a fence is for a child that is shut in already, and for
// tests that have a configuration of their own.
const noFence = "none"

func (f fence) encode() (string, error) {
	text, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("encoding the engine's fence: %w", err)
	}
	return string(text), nil
}

func decodeFence(text string) (*fence, error) {
	if text == noFence {
		return nil, nil
	}
	f := new(fence)
	if err := json.Unmarshal([]byte(text), f); err != nil {
		return nil, fmt.Errorf("decoding the engine's fence: %w", err)
	}
	return f, nil
}
