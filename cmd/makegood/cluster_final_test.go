//go:build chaos

package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/bookstest"
)

// TestClusterFinalSeesAll: one of two servers has acknowledged a conflict alone, and a gateway reads the other one,
// which doesn't have it yet. Whether a month is settled is not said without it: a journal would be final that changes
// later. The environment names the cluster: see TestChaosCluster.
func TestClusterFinalSeesAll(t *testing.T) {
	c := newCluster(t)
	if c == nil {
		return
	}
	options, err := clickhousego.ParseDSN(c.dsn)
	must(t, err)
	first, second := options.Addr[0], options.Addr[1]
	brokerAddr := freeAddress(t)
	broker := newHost(t, "broker", hostArguments{Dir: t.TempDir(), Addr: brokerAddr})
	_, err = broker.await(t.Context())
	must(t, err)
	store := c.open(t)
	t.Cleanup(func() { must(t, store.Close()) })
	feed(t, store, bookstest.Sequence(bookstest.Event("x", "labour.spent", "2026-03-01T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","labour_id":"l1","role":"driver","currency":"USD",`+
			`"minutes":10}`)), 0)

	addr := freeAddress(t)
	gateway := newRole(t, "gateway", "--roles", "gateway", "--http", addr, "--brokers", brokerAddr, "--clickhouse",
		strings.Replace(c.dsn, first+","+second, second+","+first, 1), "--clickhouse-cluster", c.name, "--data-dir",
		filepath.Join(t.TempDir(), "none"), "--people-key", filepath.Join(t.TempDir(), "people.key"))
	_, err = gateway.await(t.Context())
	must(t, err)

	at := func(addr, statement string) {
		t.Helper()
		own := *options
		own.Addr = []string{addr}
		db, err := clickhousego.Open(&own)
		must(t, err)
		must(t, db.Exec(context.WithoutCancel(t.Context()), statement), db.Close()) // also when the test has ended
	}
	at(second, "SYSTEM STOP FETCHES")
	fetching := false
	t.Cleanup(func() {
		if !fetching {
			at(second, "SYSTEM START FETCHES")
		}
	})
	at(first, "INSERT INTO ledger SELECT * REPLACE(offset + 9 AS offset, content + 1 AS content) FROM ledger")

	said := make(chan *audit.PeriodState, 1)
	go func() {
		defer close(said)
		state, err := newClient("http://"+addr).period(t.Context(), domain.Period(2026*12+2))
		if err != nil {
			t.Error(err)
			return
		}
		said <- state
	}()
	select {
	case state := <-said:
		t.Fatalf("of a month it is said without what another server has: %+v", state)
	case <-time.After(2 * time.Second):
	}
	at(second, "SYSTEM START FETCHES")
	fetching = true
	if state := <-said; state == nil || state.Unsettled.Conflicts != 1 {
		t.Errorf("one conflict is to be settled, and it is said: %+v", state)
	}
}
