package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
)

// CreateViews makes the views (sql/view_*.sql) for people who bring their own tools. They read with the rights of who
// makes them. They hold no data, so they are made when a process starts instead of by a migration; but only those that
// are missing or were another version's. ClickHouse writes a definition to disk, and one that a full disk cuts short
// keeps the server from ever starting again: a process that is started again and again because the disk is full must
// not be what does that.
func CreateViews(ctx context.Context, db driver.Conn) error {
	v, err := newViewer(ctx, db)
	if err != nil {
		return err
	}
	return v.make(ctx, v.books, viewStatements())
}

// CreateFinanceViews makes, in a database of its own (FinanceDatabase), views of what may be seen of the books by who
// may see no payloads, customers and employees: boards ask them. It returns false where that could not be done, since
// it takes rights on that database.
func CreateFinanceViews(ctx context.Context, db driver.Conn) (made bool, err error) {
	v, err := newViewer(ctx, db)
	if err != nil {
		return false, err
	}
	finance := FinanceDatabase(v.books)
	if err = db.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+name(finance)); err == nil {
		err = v.make(ctx, finance, v.seen())
	}
	const accessDenied = 497
	if refused := (&clickhouse.Exception{}); errors.As(err, &refused) && refused.Code == accessDenied {
		return false, nil
	}
	return err == nil, err
}

// FinanceDatabase is where there is what may be seen of the books of a database without seeing people: finance for
// those of makegood.
func FinanceDatabase(books string) string {
	if books == "makegood" {
		return "finance"
	}
	return books + "_finance"
}

type viewer struct {
	db             driver.Conn
	books, definer string
}

func newViewer(ctx context.Context, db driver.Conn) (*viewer, error) {
	v := viewer{db: db}
	if err := db.QueryRow(ctx, "SELECT currentDatabase(), currentUser()").Scan(&v.books, &v.definer); err != nil {
		return nil, fmt.Errorf("ask where the books are: %w", err)
	}
	return &v, nil
}

// make makes the views of a database that are missing or differ.
func (v *viewer) make(ctx context.Context, database string, views map[string]string) error {
	var names, versions []string
	if err := v.db.QueryRow(ctx, "SELECT groupArray(name), groupArray(comment) FROM system.tables WHERE database = ?",
		database).Scan(&names, &versions); err != nil {
		return fmt.Errorf("look at the views of %s: %w", database, err)
	}
	have := map[string]string{}
	for i := range names {
		have[names[i]] = versions[i]
	}
	roomy := false
	for _, view := range slices.Sorted(maps.Keys(views)) {
		version := fmt.Sprintf("version %x", sha256.Sum256([]byte(v.definer+" "+views[view])))
		if have[view] == version {
			continue
		}
		if !roomy {
			if err := EnoughRoom(ctx, v.db); err != nil {
				return err
			}
			roomy = true
		}
		if err := v.db.Exec(ctx, "CREATE OR REPLACE VIEW "+name(database)+"."+name(view)+
			" DEFINER = CURRENT_USER SQL SECURITY DEFINER AS "+views[view]+" COMMENT '"+version+"'"); err != nil {
			return fmt.Errorf("make the view %s: %w", view, err)
		}
	}
	return nil
}

// shown are the members of an event's data that finance may see: what reports need of promises, deliveries and finds.
// None of them says who somebody is, or is free text.
var shown = []string{"agreed_with_customer", "by", "delivered_at", "detected_by", "documents_ok", "lines",
	"lines_added", "lines_removed", "promise", "redelivery_id", "succeeded"}

// shownCauses are causes as an event's data has them. What spending on prevention is meant for may be free text:
// finance sees it where it is a cause.
var shownCauses = `'"` + strings.Join(domain.RootCauses(), `"', '"`) + `"'`

// hidden are the columns that finance sees empty, by table, and what stands in their place.
var hidden = map[string]map[string]string{
	"ledger": {
		"payload": `concat('{', arrayStringConcat(arrayMap(m -> concat('"', m.1, '":', m.2),
    arrayFilter(m -> m.1 IN ('` + strings.Join(shown, `', '`) + `')
        OR m.1 = 'target_cause' AND m.2 IN (` + shownCauses + `),
        JSONExtractKeysAndValuesRaw(payload))), ','), '}')`,
		"extensions": "''", "customer_id": "''", "token": "''", "fact_employee": "arrayMap(e -> '', fact_employee)",
	},
	"failures":      {"fact_employee": "arrayMap(e -> '', fact_employee)"},
	"leakage_daily": {"employee_id": "''"},
	"dead_letters":  {"record_key": "''", "headers": "map()", "payload": "''"},
}

// seen are the views of FinanceDatabase by name. They have the names and the columns of what they show, so that one
// question does for both.
func (v *viewer) seen() map[string]string {
	all := map[string]string{}
	for _, table := range []string{"journal", "orders", "cases", "unpriced", "identities", "case_units"} {
		all[table] = "SELECT * FROM " + v.of(table)
	}
	for table, instead := range hidden {
		var columns []string
		for _, column := range slices.Sorted(maps.Keys(instead)) {
			columns = append(columns, instead[column]+" AS "+column)
		}
		all[table] = "SELECT * REPLACE (" + strings.Join(columns, ", ") + ") FROM " + v.of(table) + " FINAL"
	}
	// Some columns of the ledger are made of others, which an asterisk passes over.
	var columns []string
	for _, c := range Columns {
		if instead, is := hidden["ledger"][c.Name]; is {
			columns = append(columns, instead+" AS "+c.Name)
		} else {
			columns = append(columns, name(c.Name))
		}
	}
	all["ledger"] = "SELECT " + strings.Join(columns, ", ") + " FROM " + v.of("ledger") + " FINAL"
	return all
}

func (v *viewer) of(table string) string { return name(v.books) + "." + name(table) }

// name is an identifier as SQL has it.
func name(identifier string) string { return "`" + strings.ReplaceAll(identifier, "`", "``") + "`" }
