package main

import (
	"flag"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/makegood/makegood/infra/embedded/enginetest"
	"github.com/makegood/makegood/projections/bookstest"
)

func TestMain(m *testing.M) {
	hostIfTold()
	// A worker of a fuzz target is this program too, and gets our environment: it is to run tests.
	if os.Getenv(asMakegood) != "" && !slices.Contains(os.Args, "-test.fuzzworker") {
		main()
		return
	}
	// Whatever this starts of its own program is makegood: the processes that tests kill, the broker of the benchmark.
	if err := os.Setenv(asMakegood, "1"); err != nil {
		panic(err)
	}
	flag.Parse()
	if !given("test.parallel") {
		// Most of what these tests do is wait: for a process to start, a group to settle, a watch to look again.
		if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
			panic(err)
		}
	}
	os.Exit(enginetest.Run(m))
}

// event is one of a till.
var event = bookstest.Event

// given tells whether a flag was on the command line.
func given(name string) (is bool) {
	flag.Visit(func(f *flag.Flag) { is = is || f.Name == name })
	return is
}
