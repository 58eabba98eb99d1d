//go:build chaos

package main

import (
	"context"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestClusterDoctor: with a cluster that is whole the doctor finds nothing. Where a server is away it names the server,
// and the others say that not all are up; where the Keeper is away each server says that it takes nothing. The
// environment names the cluster: see TestChaosCluster.
func TestClusterDoctor(t *testing.T) {
	c := newCluster(t)
	if c == nil {
		return
	}
	if len(c.parts) < 3 {
		t.Fatalf("two servers and a Keeper are wanted, and the cluster has %v", c.parts)
	}
	brokerAddr := freeAddress(t)
	broker := newHost(t, "broker", hostArguments{Dir: t.TempDir(), Addr: brokerAddr})
	if _, err := broker.await(t.Context()); err != nil {
		t.Fatal(err)
	}
	args := []string{"--brokers", brokerAddr, "--clickhouse", c.dsn, "--clickhouse-cluster", c.name, "--people-key",
		filepath.Join(t.TempDir(), "people.key")}
	m := newRole(t, "all", append([]string{"--http", freeAddress(t), "--data-dir", filepath.Join(t.TempDir(), "none")},
		args...)...)
	if _, err := m.await(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.end(syscall.SIGTERM)
	// ClickHouse takes a while to see that another one, or the Keeper, is away or back.
	becomes := func(what string, codes ...string) {
		t.Helper()
		var wrong []string
		var said string
		for range 40 {
			if wrong, said = wrongCodes(t, args); slices.Equal(wrong, codes) {
				return
			}
			if err := pause(t.Context(), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		t.Errorf("%s: found %v, and not %v\n%s", what, wrong, codes, said)
	}
	away := func(name string, codes ...string) {
		t.Helper()
		p := c.part(name)
		must(t, p.stop())
		back := false
		t.Cleanup(func() {
			if !back {
				must(t, p.start(context.Background()))
			}
		})
		becomes("without "+name, codes...)
		must(t, p.start(t.Context()))
		back = true
		becomes("with " + name + " again")
	}
	becomes("a cluster that is whole")
	away(c.parts[1], "connect", "replicas")
	away(c.parts[2], "replicas")
}
