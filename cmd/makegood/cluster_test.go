//go:build chaos

package main

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/ledger"
)

// TestClusterLeftAlone: one of two servers stops, the other one acknowledges an event alone and stops as well, and the
// first one comes back. It is not worked with until it has that event, whatever comes meanwhile; then both of them have
// the same books. The event that comes meanwhile has the identity of the other one, and another content: a process that
// didn't wait would take it for the first. The environment names the cluster: see TestChaosCluster.
func TestClusterLeftAlone(t *testing.T) {
	c := newCluster(t)
	if c == nil {
		return
	}
	if len(c.parts) < 2 {
		t.Fatalf("two servers are wanted, and the cluster has %v", c.parts)
	}
	first, second := c.part(c.parts[0]), c.part(c.parts[1])
	labour := func(minutes string) string {
		return bookstest.Event("x", "labour.spent", "2026-03-01T00:00:00Z", "o1", `{"order_id":"o1","store_id":"s1",`+
			`"error_id":"e1","labour_id":"l1","role":"driver","currency":"USD","minutes":`+minutes+`}`)
	}
	records := bookstest.Sequence(labour("10"), labour("20"))
	store := c.open(t)
	must(t, second.stop())
	up := false
	t.Cleanup(func() {
		if !up {
			must(t, first.start(context.Background()))
		}
	})
	feed(t, store, records, 0)
	must(t, first.stop(), store.Close(), second.start(t.Context()))

	store = c.open(t)
	t.Cleanup(func() { must(t, store.Close()) })
	var behind *clickhouse.BehindError
	if err := store.CatchUp()(t.Context()); !errors.As(err, &behind) {
		t.Fatalf("the server that lacks an event says: %v", err)
	}
	var n uint64
	if err := store.Reports.QueryRow(t.Context(), "SELECT count() FROM ledger").Scan(&n); err != nil || n != 0 {
		t.Errorf("a report reads %d events (%v)", n, err)
	}
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		feed(t, store, records, 1)
	}()
	select {
	case <-fed:
		t.Error("an event was acknowledged by a server that lacks another one")
	case <-time.After(2 * time.Second):
	}
	must(t, first.start(t.Context()))
	up = true
	<-fed
	if _, err := bookstest.NewProjector(t, store, bookstest.With{Log: &bookstest.Log{Records: records}}).
		SettleConflicts(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.ask(t, func(addr string, ask func(into any, query string)) {
		var said []string
		ask(&said, "SELECT arraySort(groupArray(concat(toString(offset), ' ', toString(refused)))) FROM ledger FINAL")
		if !slices.Equal(said, []string{"1 ", "2 conflict"}) {
			t.Errorf("%s has %q", addr, said)
		}
	})
}

// TestClusterTakesTablesOfOneServer: tables of one server are refused, and the statements of the operators' page move
// them.
func TestClusterTakesTablesOfOneServer(t *testing.T) {
	c := newCluster(t)
	if c == nil {
		return
	}
	options, err := clickhousego.ParseDSN(c.dsn)
	must(t, err)
	database, first := options.Auth.Database, options.Addr[0]
	old := *c
	old.dsn = strings.NewReplacer(strings.Join(options.Addr, ","), first, database, database+"_old").Replace(c.dsn)
	old.name = ""
	records := bookstest.WithoutVoidedConflicts(t, reference.Generate(7, reference.Everything))
	store := old.open(t)
	bookstest.Book(t, store, records, rand.New(rand.NewPCG(7, 7)))
	was := bookstest.Journal(t, store)
	must(t, store.Close())

	_, err = clickhouse.Open(t.Context(), clickhouse.Config{DSN: old.dsn, Cluster: c.name, Logger: slog.Default(),
		Check: ledger.CheckReplicatedEngines}, ledger.Migrations())
	if err == nil || !strings.Contains(err.Error(), "move them to another database") {
		t.Fatalf("tables of one server: %v", err)
	}
	must(t, c.open(t).Close())
	c.each(t, func(addr string, db driver.Conn) {
		if addr == first {
			moveTables(t, db, database)
		}
		must(t, db.Exec(t.Context(), "DROP DATABASE IF EXISTS "+database+"_old"))
	})
	store = c.open(t)
	t.Cleanup(func() { must(t, store.Close()) })
	if is := bookstest.Journal(t, store); is != was || is == "" {
		t.Errorf("the journal changed:\n%s", bookstest.Difference(is, was))
	}
	want, err := reference.Run(records, time.UTC)
	must(t, err)
	bookstest.CompareBooks(t, store, want, rand.New(rand.NewPCG(7, 8)))
	sums := map[string]bool{}
	c.ask(t, func(_ string, ask func(into any, query string)) {
		var sum string
		ask(&sum, "SELECT concat(toString(count()), ' rows, ', hex(sum(cityHash64(*)))) FROM ledger")
		sums[sum] = true
	})
	if len(sums) != 1 {
		t.Errorf("the servers have %v", sums)
	}
}

// moveTables does what the operators' page says.
func moveTables(t *testing.T, db driver.Conn, database string) {
	t.Helper()
	page, err := os.ReadFile("../../infra/README.md")
	must(t, err)
	const begin = "SELECT concat('ALTER TABLE makegood.'"
	at := strings.Index(string(page), begin)
	if at < 0 {
		t.Fatal("the operators' page has no statement that moves tables")
	}
	query, _, _ := strings.Cut(string(page)[at:], "```")
	query = strings.NewReplacer("makegood_old", database+"_old", "makegood", database).Replace(query)
	rows, err := db.Query(t.Context(), query)
	must(t, err)
	var all []string
	for rows.Next() {
		var statement string
		must(t, rows.Scan(&statement))
		all = append(all, statement)
	}
	must(t, rows.Err(), rows.Close())
	if len(all) == 0 {
		t.Fatal("there is nothing to move")
	}
	for _, statement := range all {
		must(t, db.Exec(t.Context(), statement))
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// feed books one of the records.
func feed(t *testing.T, store *clickhouse.Store, records []reference.Record, n int) {
	l := &bookstest.Log{Records: records}
	bookstest.Feed(t, bookstest.NewProjector(t, store, bookstest.With{Log: l}), l,
		[]*message.Message{l.Message(records[n])})
}

// open makes the schema where it is missing, as a process does that starts.
func (c *cluster) open(t *testing.T) *clickhouse.Store {
	store, err := clickhouse.Open(t.Context(), clickhouse.Config{DSN: c.dsn, Cluster: c.name,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}, ledger.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	return store
}
