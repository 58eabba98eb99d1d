package bookstest

import (
	"sort"
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/sql"
)

// Journal reads the books back in the form of the reference's Journal.
func Journal(t testing.TB, store *clickhouse.Store) string {
	t.Helper()
	return journalOf(t, store, "1")
}

// journalOf is the journal of those rows of the ledger for which a condition in SQL holds: whole units.
func journalOf(t testing.TB, store *clickhouse.Store, where string) string {
	t.Helper()
	rows, err := store.DB.Query(t.Context(), `
SELECT arrayStringConcat([source, event_id, event_type, if(event_type = 'makegood.books.rebuilt.v1', '', order_id),
    if(event_type = 'makegood.books.rebuilt.v1', '', error_id), store_id,
    formatDateTime(occurred_at, '%Y-%m-%dT%H:%i:%SZ', 'UTC'), formatDateTime(origin_period, '%Y-%m'),
    formatDateTime(posting_period, '%Y-%m'),
    l_currency, toString(a), toString(e), toString(b), toDecimalString(x, 4), l_case, toString(s),
    if(l_unit IN (SELECT order_id FROM ledger WHERE `+where+`), l_unit, ''), l_store], '\t')
FROM (SELECT *, `+sql.LineCase+` AS cases, `+sql.LineCurrency+` AS currencies, `+sql.LineStore+` AS stores,
    `+sql.LineUnit+` AS units
    FROM ledger FINAL WHERE `+where+`)
ARRAY JOIN account AS a, element AS e, basis AS b, amount AS x, step AS s, cases AS l_case,
    currencies AS l_currency, stores AS l_store, units AS l_unit`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	sort.Strings(all)
	return strings.Join(all, "\n")
}

// Difference is what of two texts is in one of them alone, line by line: + of got, - of want; 40 lines at most.
func Difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	in := func(all []string) map[string]int {
		m := map[string]int{}
		for _, l := range all {
			m[l]++
		}
		return m
	}
	gm, wm := in(g), in(w)
	var out []string
	for _, l := range g {
		if wm[l] < gm[l] {
			out = append(out, "+ "+l)
		}
	}
	for _, l := range w {
		if gm[l] < wm[l] {
			out = append(out, "- "+l)
		}
	}
	sort.Strings(out)
	return strings.Join(out[:min(len(out), 40)], "\n")
}
