package embedded

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/ebitengine/purego"
)

// childArgument is the hidden first argument that makes a process the engine
// instead of whatever its program is:
// PROGRAM engine-child FENCE KIND PATH OPTION…
// or PROGRAM engine-child PATH OPTION…, where PATH is the library's and
// absolute. The caller fences that process in as it likes (a test of several
// servers).
const childArgument = "engine-child"

// IsChild tells whether the arguments of a process (os.Args) make it an
// engine. Whoever starts an Engine asks this on the first line of main, or of
// TestMain, and calls RunChild if so.
func IsChild(args []string) bool {
	return len(args) > 4 && args[1] == childArgument
}

// RunChild makes this process the engine and never returns: it exits with
// status 0 after a clean stop. It must be called before anything else is
// started, since the library takes the process over (its allocator, threads
// and memory mappings), which is why it has one of its own.
func RunChild() {
	// The library's main runs on the process's first thread, as it would if
	// it were the program.
	runtime.LockOSThread()
	// Ctrl-C and a closed terminal are for the parent to act on; it ends the
	// engine in its own time.
	signal.Ignore(os.Interrupt, syscall.SIGHUP)
	args := os.Args[2:]
	if filepath.IsAbs(args[0]) {
		args = append([]string{noFence, kindLibrary}, args...)
	}
	if err := runEngine(args[0], args[1], args[2], args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		syscall.Exit(1)
	}
	// The engine has ended its work, nothing of this program has begun any:
	// leave without ceremony (the race detector's takes a second).
	syscall.Exit(0)
}

// runEngine shuts this process in and becomes the engine.
func runEngine(encoded, kind, path string, options []string) error {
	f, err := decodeFence(encoded)
	if err != nil {
		return err
	}
	fenced, err := f.enforce()
	if err != nil {
		return err
	}
	if kind == kindProgram {
		// The lock stays open: it is the program's from here on.
		err := syscall.Exec(path, append([]string{path, "local"}, options...), os.Environ())
		return fmt.Errorf("running %s: %w", path, err)
	}
	if fenced {
		// Once more, this time shut in from its first instruction.
		self, err := selfPath()
		if err != nil {
			return err
		}
		again := append([]string{os.Args[0], childArgument, noFence, kind, path}, options...)
		return fmt.Errorf("running this program again: %w", syscall.Exec(self, again, os.Environ()))
	}
	// The lock came in open; nothing that the engine may start should hold it.
	syscall.CloseOnExec(childLockFD)
	return runLibrary(path, options)
}

// childLockFD is the number that os/exec gives to the first of ExtraFiles.
const childLockFD = 3

// runLibrary is `clickhouse local OPTION…` by the function that the library
// exports for it. The function's arguments start with the program's name and
// go on with options at once, without the word local.
func runLibrary(library string, options []string) error {
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return fmt.Errorf("loading the engine: %w", err)
	}
	for _, name := range []string{"chdb_query_cmdline", "chdb_result_error"} {
		if _, err := purego.Dlsym(handle, name); err != nil {
			return fmt.Errorf("the engine %s is not what it should be: %w", library, err)
		}
	}
	var (
		queryCmdline func(argc int32, argv unsafe.Pointer) uintptr
		resultError  func(result uintptr) string
	)
	purego.RegisterLibFunc(&queryCmdline, handle, "chdb_query_cmdline")
	purego.RegisterLibFunc(&resultError, handle, "chdb_result_error")

	args := append([]string{"clickhouse"}, options...)
	argv := make([]*byte, len(args)+1) // and a null at the end, as C wants it
	for i, a := range args {
		argv[i] = &append([]byte(a), 0)[0]
	}
	result := queryCmdline(int32(len(args)), unsafe.Pointer(&argv[0]))
	runtime.KeepAlive(argv)
	// It returns normally whatever happened: only the result tells.
	if result == 0 {
		return fmt.Errorf("the engine returned nothing")
	}
	if text := resultError(result); text != "" {
		return fmt.Errorf("the engine stopped: %s", text)
	}
	return nil
}
