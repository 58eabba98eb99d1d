// Package sql makes the statements that are asked of ClickHouse: from .sql files, which are templates, and from the
// vocabulary of the domain. Which elements are cost, which accounts are profit and loss, what an event's type is called
// and which kinds of cases are no failure stands in no statement: the functions of vocabulary.go write it there.
//
// A question is a struct that gives Statements: text with named placeholders, and the values for them. So what it asks
// can be read, and pinned by a test, without a server. It costs some microseconds a statement.
package sql

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"text/template"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Statement is what is sent to ClickHouse.
type Statement struct {
	Text string
	Args []any // for the placeholders, @name
}

// Waited marks what somebody waits for: it goes before what is Unhurried.
func Waited(ctx context.Context) context.Context {
	return WithSettings(ctx, clickhouse.Settings{"priority": 1})
}

// Unhurried marks what nobody waits for: it takes one thread, and makes way for what is Waited for, a second at a time
// at most.
func Unhurried(ctx context.Context) context.Context {
	return WithSettings(ctx, clickhouse.Settings{"priority": 2, "max_threads": 1})
}

// ThisServer is an expression that tells the servers of a cluster apart, also those of one host. Each has parts of its
// own, so that what is remembered of parts is of one server.
const ThisServer = "sipHash64(hostName(), (SELECT groupArray(path) FROM system.disks))"

// settingsOf is the key of a context's settings.
type settingsOf struct{}

// WithSettings adds ClickHouse's settings to those that the context has: of two of one name the later one counts. The
// driver's own option of that name would replace them all, and shows nobody what they are.
func WithSettings(ctx context.Context, settings clickhouse.Settings) context.Context {
	all := clickhouse.Settings{}
	if had, is := ctx.Value(settingsOf{}).(clickhouse.Settings); is {
		maps.Copy(all, had)
	}
	maps.Copy(all, settings)
	return clickhouse.Context(context.WithValue(ctx, settingsOf{}, all), clickhouse.WithSettings(all))
}

// Rows asks for rows.
func (s Statement) Rows(ctx context.Context, db driver.Conn) (driver.Rows, error) {
	return db.Query(ctx, s.Text, s.Args...)
}

// Row asks for one row.
func (s Statement) Row(ctx context.Context, db driver.Conn) driver.Row {
	return db.QueryRow(ctx, s.Text, s.Args...)
}

// Select asks for rows into a slice of structs with ch tags.
func (s Statement) Select(ctx context.Context, db driver.Conn, into any) error {
	return db.Select(ctx, into, s.Text, s.Args...)
}

// Files are the statements of a room, by the names of their files without .sql.
type Files struct{ all *template.Template }

// Parse reads the .sql files of a folder, which may use those of other rooms as templates. It panics where one is no
// template, or has the name of another: they are part of the program.
func Parse(files fs.FS, folder string, others ...*Files) *Files {
	all := template.New("").Funcs(vocabulary).Option("missingkey=error")
	for _, o := range others {
		for _, t := range o.all.Templates() {
			template.Must(all.AddParseTree(t.Name(), t.Tree))
		}
	}
	names, err := fs.Glob(files, folder+"/*.sql")
	if err != nil || len(names) == 0 {
		panic(fmt.Sprintf("no statements in %s: %v", folder, err))
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err)
		}
		short := strings.TrimSuffix(strings.TrimPrefix(name, folder+"/"), ".sql")
		if all.Lookup(short) != nil {
			panic("two statements are called " + short)
		}
		template.Must(all.New(short).Parse(strings.TrimSuffix(string(text), "\n")))
	}
	return &Files{all}
}

// Text is a statement, or a part of one, made of its file and data. It panics where the file asks for what isn't in the
// data: that is a mistake of the program, which the test of the statement finds.
func (f *Files) Text(name string, data any) string {
	var b strings.Builder
	if err := f.all.ExecuteTemplate(&b, name, data); err != nil {
		panic(err)
	}
	return b.String()
}

// Make is a statement with the values for its placeholders.
func (f *Files) Make(name string, data any, args ...any) Statement {
	return Statement{Text: f.Text(name, data), Args: args}
}

// Named is the value of the placeholder @name. A time is bound as a day, YYYY-MM-DD, in its own zone.
func Named(name string, value any) any {
	if at, is := value.(time.Time); is {
		value = at.Format(time.DateOnly)
	}
	return clickhouse.Named(name, value)
}
