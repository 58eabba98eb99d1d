package ledger

import (
	"fmt"
	"io/fs"
	"strings"
)

// Feed is the query by which the view TABLE_feed fills a table from the ledger, over other rows: from is what follows
// FROM. It is the text of the newest migration that makes the view, so the two can't differ.
func Feed(table, from string) string {
	query, known := feeds[table]
	if !known {
		panic("no migration feeds " + table)
	}
	return strings.Replace(query, fromLedger, "FROM "+from, 1)
}

const fromLedger = "FROM ledger"

// feeds are the queries of the views, by the tables that they fill.
var feeds = func() map[string]string {
	all := map[string]string{}
	names, err := fs.Glob(migrations, "migrations/*.sql") // in order
	if err != nil || len(names) == 0 {
		panic(fmt.Sprintf("no migrations: %v", err))
	}
	for _, name := range names {
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			panic(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, statement := range strings.Split(up, "CREATE MATERIALIZED VIEW ")[1:] {
			statement = strings.TrimPrefix(statement, "IF NOT EXISTS ")
			query, _, ended := strings.Cut(statement, ";")
			name, query, made := strings.Cut(query, "_feed TO ")
			table, query, is := strings.Cut(query, " AS\n")
			if !ended || !made || !is || name != table || strings.Count(query, fromLedger) != 1 {
				panic("a feed is not written as the others are: " + statement)
			}
			all[table] = query
		}
	}
	return all
}()
