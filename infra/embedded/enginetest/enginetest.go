// Package enginetest gives tests a ClickHouse of their own: the embedded engine, started once for a test binary when
// the first of its tests asks for a database. That takes some seconds; a database of its own takes none.
package enginetest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/makegood/makegood/infra/embedded"
)

var running struct {
	once   sync.Once
	engine *embedded.Engine
	dir    string
	err    error
}

// Run is for TestMain: it runs the tests, ends the engine where one was started, and gives the exit code. A process
// that was started to be the engine becomes it, and doesn't come back.
func Run(m *testing.M) int {
	if embedded.IsChild(os.Args) {
		embedded.RunChild()
	}
	code := m.Run()
	if running.engine == nil {
		return code
	}
	for _, end := range []func() error{running.engine.Close, func() error { return os.RemoveAll(running.dir) }} {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

// Database is the address of a database that is named for the test. Nobody has made it yet.
func Database(t testing.TB) string {
	t.Helper()
	running.once.Do(func() {
		if running.dir, running.err = os.MkdirTemp("", "makegood"); running.err != nil {
			return
		}
		config := embedded.EngineConfig{Dir: running.dir, Grants: []string{"GRANT ALL ON t*.*"}, Progress: os.Stderr}
		running.engine, running.err = embedded.StartEngine(context.Background(), config)
	})
	if running.err != nil {
		t.Fatal(running.err)
	}
	host, options, _ := strings.Cut(running.engine.DSN(), "?")
	return strings.TrimSuffix(host, "/") + "/" + Name(t) + "?" + options
}

// Name is the name of the test's database.
func Name(t testing.TB) string {
	return "t" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, t.Name())
}
