package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/pressly/goose/v3"
)

// Servers are made alike without loss. What no migration makes is left alone. A table is dropped only where it has no
// rows, or where a migration drops it and the servers have had the same ledger before. All else is refused before
// anything is changed at that server, for its rows may be nowhere else.

// steps are what the migrations make and drop.
type steps struct {
	made    map[string]bool    // names of all tables and of what feeds them
	dropped map[string][]int64 // the migrations that drop a name, whether or not they make it again
	newest  int64              // the last migration
}

var (
	makes = regexp.MustCompile(`(?m)^CREATE (?:TABLE|MATERIALIZED VIEW) (?:IF NOT EXISTS )?(\w+)`)
	drops = regexp.MustCompile(`(?m)^DROP (?:TABLE|VIEW) (?:IF EXISTS )?(\w+)`)
)

func readSteps(migrations fs.FS) (*steps, error) {
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	known := &steps{made: map[string]bool{}, dropped: map[string][]int64{}}
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("the migration %s has no number: %w", name, err)
		}
		known.newest = max(known.newest, version)
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			return nil, fmt.Errorf("read the migration %s: %w", name, err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, m := range makes.FindAllStringSubmatch(up, -1) {
			known.made[m[1]] = true
		}
		for _, m := range drops.FindAllStringSubmatch(up, -1) {
			known.dropped[m[1]] = append(known.dropped[m[1]], version)
		}
	}
	return known, nil
}

// dropsBetween reports whether a migration after one version, up to another one, drops a name.
func (s *steps) dropsBetween(name string, after, upto int64) bool {
	for _, version := range s.dropped[name] {
		if after < version && version <= upto {
			return true
		}
	}
	return false
}

// difference is what is to be done at a server about a name, so that it has what another one has.
type difference struct {
	name     string
	want     *object // nil: the name goes
	settings bool    // it is there, with other settings
	drop     bool    // what is there is another one, and goes first
	ifEmpty  bool    // it may go only where it has no rows
}

// differences are what is to be done at a server that has some objects, so that it has those that are wanted. Where
// both servers have had one ledger, what a migration drops is dropped with its rows, as it is with one server.
func differences(want, have []object, migrated func(name string) bool) (todo []difference) {
	there, theirs := map[string]object{}, map[string]object{}
	for _, o := range have {
		there[o.name] = o
	}
	for _, o := range want {
		theirs[o.name] = o
	}
	id := there["ledger"].id
	one := id != "" && id == theirs["ledger"].id
	ifEmpty := func(o *object) bool { return !o.isFeed() && !(one && migrated(o.name)) }
	for i := range want {
		o := &want[i]
		old, is := there[o.name]
		delete(there, o.name)
		switch {
		case is && old.create == o.create && (old.id == o.id || !o.isTable()):
		case is && o.isTable() && old.id == o.id:
			todo = append(todo, difference{name: o.name, want: o, settings: true})
		default:
			todo = append(todo, difference{name: o.name, want: o, drop: is, ifEmpty: is && ifEmpty(&old)})
		}
	}
	for _, o := range have {
		if _, left := there[o.name]; left { // the newer schema doesn't have it
			todo = append(todo, difference{name: o.name, drop: true, ifEmpty: ifEmpty(&o)})
		}
	}
	return todo
}

// plan is what is to be done at a server so that it has what another one has by migrations up to a version. It refuses
// to lose rows.
func plan(ctx context.Context, from, to *replica, known *steps, upto int64) ([]difference, error) {
	want, err := from.objects(ctx, known)
	if err != nil {
		return nil, err
	}
	have, err := to.objects(ctx, known)
	if err != nil {
		return nil, err
	}
	todo := differences(want, have, func(name string) bool {
		return known.dropsBetween(name, to.version, upto)
	})
	var errs []error
	for _, d := range todo {
		if !d.ifEmpty {
			continue
		}
		rows, err := to.count(ctx, d.name)
		if err != nil {
			return nil, err
		}
		if rows > 0 {
			errs = append(errs, fmt.Errorf("the table %s at %s has %d rows and isn't the one of %s", d.name, to.addr(), rows,
				from.addr()))
		}
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("rows would be lost, so nothing was changed at %s: see whether the cluster names the right "+
			"servers (system.clusters); where these rows may go, DROP TABLE … SYNC there, or else RENAME the table, and "+
			"start again: %w", to.addr(), errors.Join(errs...))
	}
	return todo, nil
}

func (r *replica) count(ctx context.Context, table string) (rows uint64, err error) {
	if err := r.db.QueryRow(ctx, "SELECT count() FROM "+quote(table)).Scan(&rows); err != nil {
		return 0, fmt.Errorf("count the rows of %s at %s: %w", table, r.addr(), err)
	}
	return rows, nil
}

// oneLedger refuses servers whose ledgers are not replicas of one: they were made separately, and what is written at
// one of them never comes to the other.
func oneLedger(ctx context.Context, all []*replica) error {
	var first *replica
	var identity string
	for _, r := range all {
		var id string
		err := r.db.QueryRow(ctx, "SELECT toString(uuid) FROM system.tables WHERE database = currentDatabase() AND "+
			"name = 'ledger'").Scan(&id)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return fmt.Errorf("look at the ledger of %s: %w", r.addr(), err)
		case first == nil:
			first, identity = r, id
			continue
		case id == identity:
			continue
		}
		was, err := first.count(ctx, "ledger")
		if err != nil {
			return err
		}
		is, err := r.count(ctx, "ledger")
		if err != nil {
			return err
		}
		return fmt.Errorf("%s and %s have ledgers that were made separately (%d and %d rows) and don't replicate, so "+
			"nothing was changed: see whether the cluster names the right servers (system.clusters); where the books at one "+
			"of them may go, DROP DATABASE %s SYNC there, and start again", first.addr(), r.addr(), was, is,
			quote(r.options.Auth.Database))
	}
	return nil
}
