package dashboards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/embedded"
	"github.com/makegood/makegood/projections/ledger"
)

func TestMain(m *testing.M) {
	if embedded.IsChild(os.Args) {
		embedded.RunChild()
	}
	code := m.Run()
	if err := books.close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// hostile is what a link or a till's store could be called to become SQL, or to be taken for several values or for All.
var hostile = []string{
	`\`, `'`, `\'`, `''`, `"`, "`", `\\'`, `' OR 1 = 1 -- `, `\' OR 1 = 1 -- `, `\' OR 1 = 1 /* `,
	`') UNION ALL SELECT 1 -- `, "line\nbreak", "tab\tnul\x00", `/*`, `*/`, `--`, `#`, `;`, `${currency}`, `$currency`,
	`[[currency]]`, `$__fromTime`,
	`$__dateFilter(day)`, `a,b`, `{a,b}`, `a&v=b`, `v=a`, `all`, `$__all`, `'__all'`, `%`, `%27`, `%5C%27`,
	`+`, ` `, ``, `Zürich`, `店`, `🔧`,
	"\u00a0\u2028", `{{currency}}`, `{x:String}`, `?`, `@from`, `$1`, `$$`, `$tag$`,
	"\x00", "\x00' OR 1 = 1 -- ", `’ OR 1 = 1 -- `, `＇`, `\x27`, `\u0027`, `\N`, `.*`, `(a+)+$`, `^`,
	"\x1a", "\ufeff'", `{{`, `*/ OR 1 = 1 /*`,
	strings.Repeat(`\'`, 2000),
}

// TestEveryVariableIsEncoded: no query has a variable in any form but the one that no value breaks out of.
func TestEveryVariableIsEncoded(t *testing.T) {
	encoded := regexp.MustCompile(`'\$\{\w+:customqueryparam:v\}'`)
	macro := regexp.MustCompile(`\$__(dateFilter\(day\)|fromTime\b|toTime\b)`)
	seen := 0
	for _, q := range bookQueries(t) {
		seen += len(encoded.FindAllString(q.sql, -1))
		rest := macro.ReplaceAllString(encoded.ReplaceAllString(q.sql, ""), "")
		if strings.Contains(rest, "$") || strings.Contains(rest, "[[") {
			t.Errorf("%s has a variable in another form:\n%s", q.where, rest)
		}
	}
	if seen < 50 {
		t.Errorf("only %d variables were seen", seen)
	}
}

// bookQuery is a query of the books.
type bookQuery struct{ where, sql string }

func bookQueries(t *testing.T) []bookQuery {
	t.Helper()
	var all []bookQuery
	for _, b := range boards(t) {
		for _, v := range b.Templating.List {
			if v.Type != "query" {
				continue
			}
			var query string
			if err := json.Unmarshal(v.Query, &query); err != nil {
				t.Fatal(err)
			}
			all = append(all, bookQuery{b.Title + ": variable " + v.Name, query})
		}
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				if q.RawSQL != "" {
					all = append(all, bookQuery{b.Title + ": " + p.Title + " " + q.RefID, q.RawSQL})
				}
			}
		}
	}
	return all
}

// TestNoValueBreaksOut gives hostile values to every variable of every query of every board, alone and as one of
// several. In a real engine each query has the same syntax tree as with harmless values, text of literals apart, and
// runs.
func TestNoValueBreaksOut(t *testing.T) {
	e := startEngine(t)
	if harmless, broken := e.tree(t, "SELECT 'x'"), e.tree(t, `SELECT '\\' OR 1 = 1 -- '`); harmless == broken {
		t.Fatalf("what became SQL isn't seen:\n%s", broken)
	}
	for _, q := range bookQueries(t) {
		var names []string
		for _, m := range reference.FindAllStringSubmatch(q.sql, -1) {
			names = append(names, m[1])
		}
		with := func(values ...string) string {
			every := chosen{}
			for _, name := range names {
				every[name] = values
			}
			return expand(q.sql, every, e.from, e.to)
		}
		one, two := e.tree(t, with("x")), e.tree(t, with("x", "y"))
		for _, v := range hostile {
			if e.tree(t, with(v)) != one || e.tree(t, with("x", v)) != two {
				t.Errorf("%s: %q became SQL", q.where, v)
			}
		}
		if _, err := e.sql(with(hostile...)); err != nil {
			t.Errorf("%s: %v", q.where, err)
		}
	}
}

// TestValuesAreWhatWasChosen: a store with a hostile name is chosen by it, and no other store is; All is all of them.
func TestValuesAreWhatWasChosen(t *testing.T) {
	e := startEngine(t)
	stores := slices.DeleteFunc(slices.Clone(hostile), func(s string) bool { return s == "" })
	stores = append(stores, "a", "b", "x")
	for i, s := range stores {
		if err := e.store.DB.Exec(t.Context(), `INSERT INTO leakage_daily
(error_id, order_id, day, posting_day, currency, store_id, account, element, basis, kind, part, amount, lines)
VALUES (?, 'o', toDate(?), toDate(?), 'USD', ?, 4100, 'REFUND', 'CASH', 'late', 'leakage', 1, 1)`,
			fmt.Sprint("e", i), e.from, e.from, s); err != nil {
			t.Fatal(err)
		}
	}
	var query string
	for _, q := range bookQueries(t) {
		if strings.HasPrefix(q.where, "Stores and counter: What goes wrong where") && strings.HasSuffix(q.where, " A") {
			query = strings.Replace(q.sql, "LIMIT 50", "", 1)
		}
	}
	shown := func(c chosen) []string {
		t.Helper()
		rows, err := e.sql(expand(query, c, e.from, e.to))
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, r := range strings.Split(rows, "\n") {
			if r != "" {
				name, _, _ := strings.Cut(r, "\t")
				names = append(names, unescape(name))
			}
		}
		slices.Sort(names)
		return names
	}
	usd := []string{"USD"}
	for _, s := range stores {
		if got := shown(chosen{"currency": usd, "store": {s}}); !slices.Equal(got, []string{s}) {
			t.Errorf("%q was chosen, %q are shown", s, got)
		}
	}
	want := slices.Sorted(slices.Values(stores))
	if got := shown(chosen{"currency": usd, "store": stores}); !slices.Equal(got, want) {
		t.Errorf("several: %q are shown, not %q", got, want)
	}
	// Other tests have stores in these books too.
	got := slices.DeleteFunc(shown(chosen{"currency": usd}), func(s string) bool { return !slices.Contains(want, s) })
	if !slices.Equal(got, want) {
		t.Errorf("All: %q are shown, not %q", got, want)
	}
	none := []chosen{{"currency": usd, "store": {}}, {"currency": {`' OR '' = '`}}, {"currency": {"USD", "EUR"}}}
	for _, c := range none {
		if got := shown(c); len(got) != 0 {
			t.Errorf("%q shows %q", c, got)
		}
	}
}

// unescape reads a field of ClickHouse's TabSeparated.
func unescape(field string) string {
	return strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\n`, "\n", `\t`, "\t", `\0`, "\x00").Replace(field)
}

// engine is a real ClickHouse with the tables of the books, empty but for what a test puts there.
type engine struct {
	once     sync.Once
	planted  sync.Once
	err      error
	dir      string
	running  *embedded.Engine
	store    *clickhouse.Store
	from, to time.Time // the day in view
}

// books is one engine for all tests of this package.
var books engine

func startEngine(t *testing.T) *engine {
	t.Helper()
	if books.once.Do(books.start); books.err != nil {
		t.Fatal(books.err)
	}
	return &books
}

func (e *engine) start() {
	e.from = time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	e.to = e.from.AddDate(0, 0, 1)
	if e.dir, e.err = os.MkdirTemp("", "makegood"); e.err != nil {
		return
	}
	ctx := context.Background()
	if e.running, e.err = embedded.StartEngine(ctx, embedded.EngineConfig{Dir: e.dir,
		HTTPPort: embedded.AnyPort, Progress: os.Stderr}); e.err != nil {
		return
	}
	host, options, _ := strings.Cut(e.running.DSN(), "?")
	config := clickhouse.Config{DSN: strings.TrimSuffix(host, "/") + "/makegood?" + options,
		Logger: slog.New(slog.DiscardHandler)}
	if e.store, e.err = clickhouse.Open(ctx, config, ledger.Migrations()); e.err == nil {
		if e.err = ledger.CreateViews(ctx, e.store.DB); e.err == nil {
			_, e.err = ledger.CreateFinanceViews(ctx, e.store.DB)
		}
	}
}

func (e *engine) close() error {
	var errs []error
	if e.store != nil {
		errs = append(errs, e.store.Close())
	}
	if e.running != nil {
		errs = append(errs, e.running.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(e.dir))...)
}

// sql runs a query and gives the rows as TabSeparated.
func (e *engine) sql(query string) (string, error) {
	address := fmt.Sprintf("http://%s:%s@%s/?database=finance", e.running.ReaderUser(), e.running.ReaderPassword(),
		e.running.HTTPAddr())
	answer, err := http.Post(address, "text/plain", strings.NewReader(query))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s\n%s", answer.Status, text, query)
	}
	return string(text), err
}

var literal = regexp.MustCompile(`Literal .*`)

// tree is the syntax tree of a query, without the text of its literals.
func (e *engine) tree(t *testing.T, query string) string {
	t.Helper()
	// As makegood: finance may not explain.
	var lines []string
	rows, err := e.store.DB.Query(t.Context(), "EXPLAIN AST "+query)
	for err == nil && rows.Next() {
		var line string
		err = rows.Scan(&line)
		lines = append(lines, line)
	}
	if err == nil {
		err = errors.Join(rows.Err(), rows.Close())
	}
	if err != nil {
		t.Error(err)
	}
	text := strings.Join(lines, "\n")
	return literal.ReplaceAllString(text, "Literal")
}
