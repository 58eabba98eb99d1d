package clickhouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// replicatedFS is migrations for servers of a cluster: tables get engines that replicate. Each gets an identity of its
// own, by which the servers know which of their tables belong together: the engine's default path in the Keeper is made
// of it, so that a table that is dropped and made again is another one.
type replicatedFS struct{ fs.FS }

func (f replicatedFS) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return file, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &replicatedFile{File: file, text: bytes.NewReader([]byte(replicated(string(text))))}, nil
}

type replicatedFile struct {
	fs.File
	text *bytes.Reader
}

func (f *replicatedFile) Read(b []byte) (int, error) { return f.text.Read(b) }

// replicated is a migration for servers of a cluster.
func replicated(migration string) string {
	lines := strings.Split(migration, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "CREATE TABLE ") {
			line = withIdentity(line, uuid.NewString())
		}
		lines[i] = strings.Replace(line, "ENGINE = ", "ENGINE = Replicated", 1)
	}
	return strings.Join(lines, "\n")
}

// withIdentity is a CREATE TABLE, or its first line, with the identity after the table's name.
func withIdentity(create, id string) string {
	name, rest, columns := strings.Cut(create, " (")
	if columns {
		rest = " (" + rest
	}
	return name + " UUID '" + id + "'" + rest
}

// object is something of the schema as a server has it.
type object struct{ name, engine, id, create string }

func (o *object) isTable() bool { return strings.HasSuffix(o.engine, "MergeTree") }

// isFeed reports whether it is a view that feeds a table, and keeps no rows of its own.
func (o *object) isFeed() bool {
	return o.engine == "MaterializedView" && strings.Contains(o.create, " TO ")
}

// objects are the tables of a server that migrations make, and what feeds them; tables first. Nothing else in the
// database is looked at: the schema's lock and versions and the shadows of rebuilds belong to one server alone, views
// are made by Everywhere, and a copy that somebody made by hand is not ours.
func (r *replica) objects(ctx context.Context, known *steps) ([]object, error) {
	rows, err := r.db.Query(ctx, `
SELECT name, engine, toString(uuid), create_table_query FROM system.tables
WHERE database = currentDatabase() AND engine != 'View' ORDER BY engine = 'MaterializedView', name`)
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	defer rows.Close()
	var all []object
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.name, &o.engine, &o.id, &o.create); err != nil {
			return nil, fmt.Errorf("list the tables: %w", err)
		}
		if known.made[o.name] {
			all = append(all, o)
		}
	}
	return all, rows.Err()
}

// mirror makes the schema of a server like that of another one, and notes its version last.
func mirror(ctx context.Context, from, to *replica, known *steps) error {
	todo, err := plan(ctx, from, to, known, from.version)
	if err != nil {
		return err
	}
	// First of all: tables in a database without the versions are taken for somebody else's.
	if err := makeVersions(ctx, from, to); err != nil {
		return err
	}
	for i := range todo {
		if err := to.do(ctx, &todo[i]); err != nil {
			return err
		}
	}
	return noteVersions(ctx, from, to)
}

func (r *replica) do(ctx context.Context, d *difference) error {
	if d.drop {
		if err := r.drop(ctx, d.name); err != nil {
			return err
		}
	}
	switch {
	case d.want == nil:
		return nil
	case d.settings:
		return r.change(ctx, d.want)
	}
	return r.create(ctx, d.want)
}

func (r *replica) create(ctx context.Context, o *object) error {
	statement := o.create
	if o.isTable() {
		statement = withIdentity(statement, o.id)
	}
	if err := r.db.Exec(ctx, statement); err != nil {
		return fmt.Errorf("make %s: %w", o.name, err)
	}
	return nil
}

func (r *replica) drop(ctx context.Context, name string) error {
	if err := r.db.Exec(ctx, "DROP TABLE IF EXISTS "+quote(name)+" SYNC"); err != nil {
		return fmt.Errorf("drop %s: %w", name, err)
	}
	return nil
}

// change gives a table the settings that it has at another server. Settings don't replicate, columns do.
func (r *replica) change(ctx context.Context, o *object) error {
	settings := slices.DeleteFunc(settingsOf(o.create), func(s string) bool {
		return strings.HasPrefix(s, "index_granularity ") // is given when a table is made, and never changes
	})
	if len(settings) == 0 {
		return nil
	}
	if err := r.db.Exec(ctx, "ALTER TABLE "+quote(o.name)+" MODIFY SETTING "+strings.Join(settings, ", ")); err != nil {
		return fmt.Errorf("change the settings of %s: %w", o.name, err)
	}
	return nil
}

// settingsOf are the settings of a CREATE TABLE as ClickHouse writes it, each with its value. They are at its end, or
// before a comment. Words and commas between quotes don't count.
func settingsOf(create string) (all []string) {
	bare := []byte(create) // the same, without what stands between quotes
	var quote byte
	for i := 0; i < len(bare); i++ {
		c := bare[i]
		switch {
		case quote == 0 && (c == '\'' || c == '`' || c == '"'):
			quote = c
		case quote == 0:
			continue
		case c == '\\' && i+1 < len(bare):
			bare[i] = '_'
			i++
		case c == quote:
			quote = 0
		}
		bare[i] = '_'
	}
	at := bytes.LastIndex(bare, []byte(" SETTINGS "))
	if at < 0 {
		return nil
	}
	from := at + len(" SETTINGS ")
	end := len(bare)
	if comment := bytes.Index(bare[from:], []byte(" COMMENT ")); comment >= 0 {
		end = from + comment
	}
	for from < end {
		next := bytes.Index(bare[from:end], []byte(", "))
		if next < 0 {
			break
		}
		all = append(all, create[from:from+next])
		from += next + len(", ")
	}
	return append(all, create[from:end])
}

// makeVersions makes the table of the versions that a server has.
func makeVersions(ctx context.Context, from, to *replica) error {
	var create string
	if err := from.db.QueryRow(ctx, "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() "+
		"AND name = 'schema_versions'").Scan(&create); err != nil {
		return fmt.Errorf("read how the versions are kept: %w", err)
	}
	create = strings.Replace(create, "CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ", 1)
	if err := to.db.Exec(ctx, create); err != nil {
		return fmt.Errorf("make the table of versions: %w", err)
	}
	return nil
}

// noteVersions notes at a server which migrations it has by now.
func noteVersions(ctx context.Context, from, to *replica) error {
	var versions []int64
	if err := from.db.QueryRow(ctx, "SELECT groupArray(version_id) FROM schema_versions WHERE is_applied = 1").
		Scan(&versions); err != nil {
		return fmt.Errorf("read the versions: %w", err)
	}
	err := to.db.Exec(ctx, "INSERT INTO schema_versions (version_id, is_applied) SELECT version, 1 FROM "+
		"(SELECT arrayJoin(?) AS version) WHERE version NOT IN (SELECT version_id FROM schema_versions)", versions)
	if err != nil {
		return fmt.Errorf("note the versions: %w", err)
	}
	return nil
}
