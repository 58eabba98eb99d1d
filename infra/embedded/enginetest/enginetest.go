// Package enginetest gives tests a ClickHouse of their own: the embedded engine, started once for a test binary when
// the first of its tests asks for a database. That takes some seconds; a database of its own takes none.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/makegood/makegood/infra/embedded"
)

var running struct {
	once   sync.Once
	engine *embedded.Engine
	dir    string
	err    error
	names  sync.Map // of the databases that tests have asked for, each with a func that makes it
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
	return DatabaseOf(t, t.Name())
}

// DatabaseOf is the same for a name: a test that starts something twice on the same books asks for one name. The
// database goes when the test that asked first ends: what a test leaves costs those after it merges and memory.
func DatabaseOf(t testing.TB, name string) string {
	t.Helper()
	return MadeDatabase(t, name, func(string) error { return nil })
}

// MadeDatabase is the same, and makes the database where nobody asked for that name before.
func MadeDatabase(t testing.TB, name string, made func(address string) error) string {
	t.Helper()
	name = nameOf(name)
	address := Kept(t, name)
	ready, asked := running.names.LoadOrStore(name, sync.OnceValue(func() error { return made(address) }))
	if !asked {
		t.Cleanup(func() { drop(t, name) })
	}
	if err := ready.(func() error)(); err != nil {
		t.Fatal(err)
	}
	return address
}

// Kept is the address of a database that stays until all tests have ended. Its name has letters and digits alone, and
// begins with t.
func Kept(t testing.TB, name string) string {
	t.Helper()
	start(t)
	host, options, _ := strings.Cut(running.engine.DSN(), "?")
	return strings.TrimSuffix(host, "/") + "/" + name + "?" + options
}

// start starts the engine if nobody has.
func start(t testing.TB) {
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
}

// drop takes the database away at once: nobody asks for it any more.
func drop(t testing.TB, name string) {
	t.Helper()
	running.names.Delete(name)
	options, err := clickhouse.ParseDSN(running.engine.DSN())
	if err != nil {
		t.Fatal(err)
	}
	db, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" SYNC"), db.Close()); err != nil {
		t.Errorf("dropping the test's database: %v", err)
	}
}

func nameOf(name string) string {
	return "t" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}
