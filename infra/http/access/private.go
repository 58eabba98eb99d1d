package access

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// maxFile bounds files that are read whole: the largest is an access file with maxTokens lines.
const maxFile = 8 << 20

// ReadSecret reads a secret from a file, without the line end that editors put behind it. The file must not be readable
// by everybody.
func ReadSecret(path string) (string, error) {
	content, err := readFile(path, true)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if secret == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	if strings.ContainsAny(secret, "\r\n") {
		return "", fmt.Errorf("%s has more than one line", path)
	}
	return secret, nil
}

// ReadPrivate reads a file that must not be readable by everybody.
func ReadPrivate(path string) ([]byte, error) { return readFile(path, true) }

// readFile reads a file; a private one only where others can't read it, nor the group write it.
func readFile(path string, private bool) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says which file
	}
	defer func() { _ = f.Close() }() // read only, nothing can be lost by it
	if private {
		if err := checkMode(f); err != nil {
			return nil, err
		}
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	return content, nil
}

var errMode = errors.New(
	"it must be its owner's to write and nobody else's, and at most the group's to read: chmod 600")

// checkMode looks at the opened file, not at its name: nobody exchanges it in between.
func checkMode(f *os.File) error {
	if runtime.GOOS == "windows" {
		return nil // which has no such modes
	}
	info, err := f.Stat()
	if err != nil {
		return err //nolint:wrapcheck // it says which file
	}
	const othersOrGroupWrites = 0o027
	if mode := info.Mode().Perm(); mode&othersOrGroupWrites != 0 {
		return fmt.Errorf("%s has mode %04o: %w", f.Name(), mode, errMode)
	}
	return nil
}
