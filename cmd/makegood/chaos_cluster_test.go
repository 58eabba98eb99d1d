//go:build chaos

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
)

// TestChaosCluster is the same with a cluster of ClickHouse, of one shard, in place of the engine: its servers and its
// Keeper are killed, stopped and paused, the paths to its servers are cut, slowed and held up, and in the end each
// server has the reference's books. The cluster is one that somebody else made. In the environment:
//
//	MAKEGOOD_CLUSTER       its address: clickhouse://user:password@host:port,host:port
//	MAKEGOOD_CLUSTER_NAME  its name in system.clusters
//	MAKEGOOD_CLUSTER_DO    a command that is called with what to do (kill, stop, start, pause, resume), and to which part
//	MAKEGOOD_CLUSTER_PARTS names of the parts, between blanks: first the servers, as in its address, then the Keepers
//
// Without them it doesn't run, and says so.
func TestChaosCluster(t *testing.T) {
	c := newCluster(t)
	if c == nil {
		return
	}
	chaos(t, false, embeddedBroker, c)
}

// cluster is servers of ClickHouse that somebody else made.
type cluster struct {
	dsn, name string
	command   string
	parts     []string
}

// newCluster is the cluster that the environment names, with a database for this test. It is nil where none is named,
// and says so.
func newCluster(t *testing.T) *cluster {
	dsn := os.Getenv("MAKEGOOD_CLUSTER")
	if dsn == "" {
		t.Log("NOT RUN: no cluster is named in the environment (MAKEGOOD_CLUSTER)")
		return nil
	}
	database := "chaos_" + strconv.FormatInt(time.Now().UnixNano(), 36)
	c := &cluster{dsn: strings.TrimSuffix(dsn, "/") + "/" + database, name: os.Getenv("MAKEGOOD_CLUSTER_NAME"),
		command: os.Getenv("MAKEGOOD_CLUSTER_DO"), parts: strings.Fields(os.Getenv("MAKEGOOD_CLUSTER_PARTS"))}
	t.Cleanup(func() {
		if t.Failed() {
			return // it may be looked at
		}
		c.each(t, func(_ string, db driver.Conn) {
			for _, name := range []string{database, database + "_finance"} {
				if err := db.Exec(context.Background(), "DROP DATABASE IF EXISTS "+name); err != nil {
					t.Error(err)
				}
			}
		})
	})
	return c
}

func (c *cluster) part(name string) part { return clusterPart{c, name} }

// clusterPart is a server or a Keeper.
type clusterPart struct {
	cluster *cluster
	name    string
}

func (p clusterPart) kill() error                 { return p.do("kill") }
func (p clusterPart) stop() error                 { return p.do("stop") }
func (p clusterPart) start(context.Context) error { return p.do("start") }
func (p clusterPart) pause() error                { return p.do("pause") }
func (p clusterPart) resume() error               { return p.do("resume") }
func (p clusterPart) pid() int                    { return 0 }

func (p clusterPart) do(what string) error {
	said, err := exec.Command(p.cluster.command, what, p.name).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", what, p.name, err, said)
	}
	return nil
}

// possible is what can go wrong with what runs.
func (f *fleet) possible() map[string][]string {
	if f.cluster == nil {
		return possible
	}
	all := maps.Clone(possible)
	for target := range all {
		if strings.Contains(target, "engine") {
			delete(all, target)
		}
	}
	for _, name := range f.cluster.parts {
		all[name] = []string{"kill", "kill", "stop", "pause"}
		all[name+" "] = all[name] // more often than the rest
	}
	for path := range f.serverPaths {
		all[path] = possible["path to engine"]
	}
	return all
}

// startServerPaths starts a proxy before each server, and gives the cluster's address by them. A process that has lost
// these goes to the addresses that the cluster itself names.
func (f *fleet) startServerPaths(t *testing.T) string {
	t.Helper()
	options, err := clickhousego.ParseDSN(f.cluster.dsn)
	if err != nil {
		t.Fatal(err)
	}
	if len(options.Addr) > len(f.cluster.parts) {
		t.Fatalf("of %d servers only %v are named", len(options.Addr), f.cluster.parts)
	}
	f.serverPaths = map[string]*proxy{}
	dsn := f.cluster.dsn
	for i, addr := range options.Addr {
		p := startProxy(t, addr)
		f.serverPaths["path to "+f.cluster.parts[i]] = p
		dsn = strings.Replace(dsn, addr, p.addr(), 1)
	}
	return dsn
}

// each does something at each server by itself.
func (c *cluster) each(t *testing.T, do func(addr string, db driver.Conn)) {
	t.Helper()
	options, err := clickhousego.ParseDSN(c.dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range options.Addr {
		own := *options
		own.Addr = []string{addr}
		db, err := clickhousego.Open(&own)
		if err != nil {
			t.Fatal(err)
		}
		do(addr, db)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// ask asks each server by itself, once it has what the others have.
func (c *cluster) ask(t *testing.T, do func(addr string, ask func(into any, query string))) {
	t.Helper()
	c.each(t, func(addr string, db driver.Conn) {
		for _, table := range ledger.Tables() {
			if err := db.Exec(t.Context(), "SYSTEM SYNC REPLICA "+table); err != nil {
				t.Fatalf("%s at %s: %v", table, addr, err)
			}
		}
		do(addr, func(into any, query string) {
			if err := db.QueryRow(t.Context(), query).Scan(into); err != nil {
				t.Fatalf("%s at %s: %v", query, addr, err)
			}
		})
	})
}

// checkReplicas holds each server's books against the first one's, row by row. Those of the first one were held against
// the reference.
func (f *fleet) checkReplicas(t *testing.T, seed uint64) {
	t.Helper()
	sums, servers := map[string]string{}, 0
	f.cluster.ask(t, func(addr string, ask func(into any, query string)) {
		servers++
		// With FINAL where there may be copies: one server may have folded them already, and another one not.
		for _, table := range []string{"ledger FINAL", "leakage_daily FINAL", "failures FINAL", "identities", "places",
			"dead_letters FINAL"} {
			var sum string
			ask(&sum, "SELECT concat(toString(count()), ' rows, ', hex(sum(cityHash64(*)))) FROM "+table)
			if first, is := sums[table]; is && first != sum {
				t.Errorf("seed %d: %s at %s has %s, and not %s", seed, table, addr, sum, first)
			}
			sums[table] = sum
		}
	})
	t.Logf("%d servers have the same: %v", servers, sums)
}
