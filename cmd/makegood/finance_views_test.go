package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/infra/embedded"
)

// openForFinance makes the app start an engine inside that finance can ask.
func openForFinance(c *server.Config) {
	engineInside(c)
	c.ClickHouseHTTPPort = embedded.AnyPort
}

// asFinance connects to the engine inside as the user finance.
func asFinance(t *testing.T, app *server.App) driver.Conn {
	t.Helper()
	db, err := clickhouse.Open(&clickhouse.Options{Protocol: clickhouse.HTTP, Addr: []string{app.Engine.HTTPAddr()},
		Auth: clickhouse.Auth{Username: app.Engine.ReaderUser(), Password: app.Engine.ReaderPassword()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// notForFinance are questions whose answers hold what was sent, or who somebody is.
var notForFinance = []string{
	"SELECT payload FROM makegood.ledger", "SELECT customer_id FROM makegood.ledger", "SELECT * FROM makegood.ledger",
	"SELECT facts FROM makegood.ledger", "SELECT count() FROM makegood.ledger", "SELECT * FROM makegood.failures",
	"SELECT employee_id FROM makegood.leakage_daily", "SELECT * FROM makegood.leakage_daily",
	"SELECT payload FROM makegood.dead_letters", "SELECT * FROM makegood.rebuilds",
	"INSERT INTO finance.ledger SELECT * FROM finance.ledger", "DROP VIEW finance.ledger",
	"ALTER TABLE finance.ledger MODIFY QUERY SELECT 1", "CREATE VIEW finance.x AS SELECT payload FROM makegood.ledger",
}

// forFinance are those of people who bring their own tools.
var forFinance = []string{
	"SELECT * FROM makegood.journal", "SELECT * FROM makegood.orders", "SELECT * FROM makegood.cases",
	"SELECT sum(amount) FROM makegood.leakage_daily FINAL", "SELECT * FROM finance.ledger FINAL",
	"SELECT * FROM finance.leakage_daily FINAL", "SELECT * FROM finance.failures FINAL", "SELECT * FROM finance.unpriced",
	"SELECT * FROM finance.identities", "SELECT * FROM finance.dead_letters FINAL", "SELECT * FROM finance.journal",
	"SELECT * FROM finance.orders", "SELECT * FROM finance.cases",
}

// TestFinanceSeesNoPeople: the user finance finds nobody in anything that it may read, and no text that somebody wrote.
func TestFinanceSeesNoPeople(t *testing.T) {
	t.Parallel()
	app, c := startTestAppWith(t, t.TempDir(), openForFinance)
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	envelope := func(id, kind, data string) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"urn:till:1","type":"makegood.%s.v1","subject":"o9",
			"time":"2026-01-12T09:00:00Z","extra":"an extension","data":{"order_id":"o9","store_id":"s1",%s}}`, id, kind, data)
	}
	mustPost(t, c, envelope("p1", "order.placed", `"currency":"USD","customer_id":"Anna Muster","employee_id":"Eve Till",
		"note":"ring twice","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","unit_cost":"60"}]`))
	mustPost(t, c, envelope("p2", "error.reported", `"error_id":"x9","kind":"wrong_item","found":"after_delivery",
		"detected_by":"customer","employee_id":"Eve Till"`))
	mustPost(t, c, envelope("p3", "refund.issued", `"error_id":"x9","refund_id":"r9","currency":"USD","net":"100",
		"method":"to Anna herself"`))
	unreadable(t, app, c, "Anna Muster's letter")
	mustCatchUp(t, c)

	// They are there, or nothing would be proven.
	people := []string{"ring twice", "to Anna herself", "an extension", "Anna Muster", "Eve Till"}
	for _, column := range []string{"customer_id", "fact_employee[1]"} {
		var names []string
		if err := app.Store.DB.QueryRow(t.Context(), "SELECT groupUniqArray(toString("+column+")) FROM ledger WHERE "+
			column+" != ''").Scan(&names); err != nil || len(names) == 0 {
			t.Fatalf("%s: nobody is in the books: %v", column, err)
		}
		people = append(people, names...)
	}
	finance := asFinance(t, app)
	for _, question := range notForFinance {
		if err := finance.Exec(t.Context(), question); err == nil || !strings.Contains(err.Error(), "code: 497") {
			t.Errorf("%s: %v", question, err)
		}
	}
	rows := 0
	for _, question := range forFinance {
		var all []string
		if err := finance.QueryRow(t.Context(), "SELECT groupArray(toJSONString(tuple(*))) FROM ("+question+")").Scan(
			&all); err != nil {
			t.Errorf("%s: %v", question, err)
		}
		rows += len(all)
		for _, row := range all {
			for _, p := range people {
				if strings.Contains(row, p) {
					t.Errorf("%s shows %q: %s", question, p, row)
				}
			}
		}
	}
	if rows < 50 {
		t.Errorf("finance sees %d rows in all", rows)
	}
	// What reports need of an event is there.
	var found, lines uint64
	if err := finance.QueryRow(t.Context(), `SELECT countIf(JSONExtractString(payload, 'detected_by') = 'customer'),
		countIf(JSONLength(payload, 'lines') > 0) FROM finance.ledger FINAL`).Scan(&found, &lines); err != nil ||
		found == 0 || lines == 0 {
		t.Errorf("%d finds, %d with lines: %v", found, lines, err)
	}
}
