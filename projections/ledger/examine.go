package ledger

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Finding is something that was looked at.
type Finding struct {
	// Where it is: "ClickHouse 10.0.0.1:9000".
	Where string
	// Code says for machines what was looked at: see server.Examine.
	Code string
	// Wrong says what is wrong; empty where all is well.
	Wrong string
	// Do says what to do about it.
	Do string
	// Seen says what was seen.
	Seen string
}

//go:embed sql/examine_tables.sql
var examineTables string

//go:embed sql/examine_replicas.sql
var examineReplicas string

//go:embed sql/examine_disks.sql
var examineDisks string

// Skew is how far a server's clock may be from ours. It decides nothing of the books, but reports take it for now.
const Skew = 2 * time.Second

// Examine looks at a server that has the books: its tables, their engines and settings, its replicas, disks, rights and
// clock. It changes nothing. Where clustered, the tables must replicate. Its error says that the server could not be
// asked.
func Examine(ctx context.Context, db driver.Conn, clustered bool, now func() time.Time) ([]Finding, error) {
	var all []Finding
	check := CheckEngines
	if clustered {
		check = CheckReplicatedEngines
	}
	all = append(all, finding("engines", check(ctx, db), "give makegood a database whose tables it made itself"))
	all = append(all, finding("schema", CheckSchema(ctx, db), "start a process of this version: it makes what is missing"))
	wanted := slices.Clone(rights)
	if clustered {
		wanted = append(wanted, "SYSTEM SYNC REPLICA")
	}
	for _, look := range []func(context.Context, driver.Conn) ([]Finding, error){lookAtSettings, lookAtReplicas,
		lookAtDisks, func(ctx context.Context, db driver.Conn) ([]Finding, error) { return lookAtRights(ctx, db, wanted) }} {
		found, err := look(ctx, db)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	clock, err := lookAtClock(ctx, db, now)
	if err != nil {
		return nil, err
	}
	return append(all, clock), nil
}

func finding(code string, err error, do string) Finding {
	f := Finding{Code: code, Seen: "as this version makes them"}
	if err != nil {
		f.Wrong, f.Do, f.Seen = err.Error(), do, ""
	}
	return f
}

// ourSettings are those that our tables must have, whatever the server's own are: what is acknowledged is on disk, and
// no insert is taken for another one. ClickHouse writes each of them after a blank.
var ourSettings = []string{"fsync_after_insert = 1", "fsync_part_directory = 1",
	"non_replicated_deduplication_window = 0", "replicated_deduplication_window = 0"}

func lookAtSettings(ctx context.Context, db driver.Conn) ([]Finding, error) {
	var found []struct {
		Name    string `ch:"name"`
		Create  string `ch:"create_table_query"`
		Failure string `ch:"failure"`
		Shadow  bool   `ch:"shadow"`
	}
	if err := db.Select(ctx, &found, examineTables, Tables()); err != nil {
		return nil, fmt.Errorf("look at the tables: %w", err)
	}
	settings := Finding{Code: "settings", Seen: strings.Join(ourSettings, ", ")}
	mutations := Finding{Code: "mutations", Seen: "none has failed"}
	var lacking, failed, left []string
	for _, t := range found {
		if t.Failure != "" {
			failed = append(failed, t.Name+": "+t.Failure)
		}
		if t.Shadow {
			left = append(left, t.Name)
			continue
		}
		for _, setting := range ourSettings {
			if !strings.Contains(t.Create, " "+setting) {
				lacking = append(lacking, t.Name+" lacks "+setting)
			}
		}
	}
	if len(lacking) > 0 {
		settings.Wrong = strings.Join(lacking, "; ")
		settings.Do = "ALTER TABLE … MODIFY SETTING …, as migration 00011 does"
	}
	if len(failed) > 0 {
		mutations.Wrong = strings.Join(failed, "; ")
		mutations.Do = "system.mutations shows the reason"
	}
	shadows := Finding{Code: "shadows", Seen: "no rebuild has left tables behind"}
	if len(left) > 0 {
		shadows.Wrong = "tables of rebuilds that are over: " + strings.Join(left, ", ")
		shadows.Do = "DROP TABLE … SYNC"
	}
	return []Finding{settings, mutations, shadows}, nil
}

func lookAtReplicas(ctx context.Context, db driver.Conn) ([]Finding, error) {
	var count, readonly, silent, queued, delay uint64
	if err := db.QueryRow(ctx, examineReplicas).Scan(&count, &readonly, &silent, &queued, &delay); err != nil {
		return nil, fmt.Errorf("look at the replicas: %w", err)
	}
	if count == 0 {
		return nil, nil
	}
	f := Finding{Code: "replicas", Seen: fmt.Sprintf("%d tables replicate, %d changes to come, %d s behind", count, queued,
		delay)}
	const late = 60
	switch {
	case readonly > 0:
		f.Wrong = fmt.Sprintf("%d tables are read-only: the server has no session with its Keeper", readonly)
		f.Do = "look at the Keeper, and at system.zookeeper_connection"
	case silent > 0:
		f.Wrong = fmt.Sprintf("for %d tables, not all servers are up", silent)
		f.Do = "look at the other servers of the cluster"
	case delay > late:
		f.Wrong = fmt.Sprintf("the server is %d s behind the others", delay)
		f.Do = "wait; where it doesn't catch up, look at system.replication_queue"
	}
	return []Finding{f}, nil
}

func lookAtDisks(ctx context.Context, db driver.Conn) ([]Finding, error) {
	var disks []struct {
		Name  string `ch:"name"`
		Free  uint64 `ch:"free_space"`
		Total uint64 `ch:"total_space"`
	}
	if err := db.Select(ctx, &disks, examineDisks); err != nil {
		return nil, fmt.Errorf("look at the disks: %w", err)
	}
	var all []Finding
	for _, d := range disks {
		const gib = 1 << 30
		f := Finding{Code: "disk", Seen: fmt.Sprintf("disk %s has %d of %d GiB left", d.Name, d.Free/gib, d.Total/gib)}
		if d.Free < d.Total/10 {
			f.Wrong, f.Do = f.Seen, "free space now; when the disk is full, booking stops"
		}
		all = append(all, f)
	}
	return all, nil
}

// rights are those on the database that serving needs, with one server.
var rights = []string{"SELECT", "INSERT", "ALTER", "CREATE TABLE", "CREATE VIEW", "DROP TABLE", "OPTIMIZE"}

func lookAtRights(ctx context.Context, db driver.Conn, rights []string) ([]Finding, error) {
	f := Finding{Code: "rights", Seen: strings.Join(rights, ", ") + " on the database"}
	var lacking []string
	for _, right := range rights {
		var granted uint8
		if err := db.QueryRow(ctx, "CHECK GRANT "+right+" ON *").Scan(&granted); err != nil {
			return nil, fmt.Errorf("look at the rights: %w", err)
		}
		if granted == 0 {
			lacking = append(lacking, right)
		}
	}
	if len(lacking) > 0 {
		f.Wrong = "the user lacks " + strings.Join(lacking, ", ")
		f.Do = "GRANT these on the database to the user"
	}
	return []Finding{f}, nil
}

func lookAtClock(ctx context.Context, db driver.Conn, now func() time.Time) (Finding, error) {
	before := now()
	var theirs time.Time
	if err := db.QueryRow(ctx, "SELECT now64(3, 'UTC')").Scan(&theirs); err != nil {
		return Finding{}, fmt.Errorf("look at the clock: %w", err)
	}
	after := now()
	// The server may have answered at any moment between the two.
	skew := max(before.Sub(theirs), theirs.Sub(after), 0).Round(time.Millisecond)
	f := Finding{Code: "clock", Seen: fmt.Sprintf("its clock is within %s of this machine's", max(skew, time.Millisecond))}
	if skew > Skew {
		f.Wrong, f.Do = fmt.Sprintf("its clock is %s away from this machine's", skew), "let both follow the same time (NTP)"
	}
	return f, nil
}
