package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
)

// CreateViews makes the views for people who bring their own tools. They hold no data, so they are made when a process
// starts instead of by a migration; but only those that are missing or were another version's. ClickHouse writes a
// definition to disk, and one that a full disk cuts short keeps the server from ever starting again: a process that is
// started again and again because the disk is full must not be what does that.
func CreateViews(ctx context.Context, db driver.Conn) error {
	for _, v := range []struct{ name, query string }{{"journal", journalView()}, {"cases", casesView()},
		{"orders", ordersView()}} {
		version := fmt.Sprintf("version %x", sha256.Sum256([]byte(v.query)))
		var have []string
		if err := db.QueryRow(ctx, "SELECT groupArray(comment) FROM system.tables WHERE database = currentDatabase() AND "+
			"name = ?", v.name).Scan(&have); err != nil {
			return fmt.Errorf("look at the view %s: %w", v.name, err)
		}
		if slices.Contains(have, version) {
			continue
		}
		if err := db.Exec(ctx, "CREATE OR REPLACE VIEW "+v.name+" AS "+v.query+" COMMENT '"+version+"'"); err != nil {
			return fmt.Errorf("make the view %s: %w", v.name, err)
		}
	}
	return nil
}

// journalView is one row a journal line.
func journalView() string {
	var numbers, names []string
	for _, c := range domain.Chart() {
		numbers = append(numbers, fmt.Sprint(uint16(c.Account)))
		names = append(names, "'"+c.Name+"'")
	}
	return fmt.Sprintf(`
SELECT source, event_id, event_type, order_id, l_case AS error_id, l_store AS store_id, toString(a) AS account,
       transform(a, [%s], [%s], '') AS name, toString(e) AS element, toString(b) AS basis, toString(s) AS step,
           x AS amount,
       l_currency AS currency, occurred_at, recorded_at, formatDateTime(posting_period, '%%Y-%%m') AS posting_period,
           formatDateTime(origin_period, '%%Y-%%m') AS origin_period
FROM (SELECT *, %s AS cases, %s AS currencies, %s AS stores FROM ledger FINAL) AS l
ARRAY JOIN l.account AS a, l.element AS e, l.basis AS b, l.step AS s, l.amount AS x, l.cases AS l_case,
    l.currencies AS l_currency, l.stores AS l_store`,
		strings.Join(numbers, ", "), strings.Join(names, ", "), sql.LineCase, sql.LineCurrency, sql.LineStore)
}

var (
	viewCost   = sql.Cost("e")
	viewHidden = sql.Cost("e") + " AND " + sql.Imputed("b")
	viewAmount = sql.Money("x")
)

// casesView is one row a case and currency: what is known of it, and what it cost. A fix that nobody reported is a case
// too.
func casesView() string {
	return `
WITH events AS (SELECT * FROM failures FINAL WHERE refused = ''), ` + CaseFacts + `,
    facts AS (
        SELECT unit, fact AS error_id, minIf(order_id, order_id != '') AS order_id,
            argMin(store_id, (occurred_at, source, event_id)) AS store_id,
            min(occurred_at) AS reported_at
        FROM events ARRAY JOIN fact_case AS fact GROUP BY unit, error_id),
    money AS (
        SELECT unit, l_case AS error_id, l_currency AS currency,
               sumIf(` + viewAmount + `, ` + viewCost + `) AS gross, sumIf(` + viewAmount + `, e != '') AS net,
               sumIf(` + viewAmount + `, ` + viewHidden + `) AS hidden
        FROM events ARRAY JOIN element AS e, basis AS b, amount AS x, line_case AS l_case, line_currency AS l_currency
        GROUP BY unit, error_id, currency)
SELECT f.error_id AS error_id, f.order_id AS order_id, f.store_id AS store_id, f.reported_at AS reported_at,
       c.kind AS kind, c.root_cause AS root_cause, c.party_at_fault AS party_at_fault, c.vendor_id AS vendor_id,
       c.employee_id AS employee_id, c.avoidable AS avoidable, c.category AS category,
       c.founded = 'yes' AS founded, c.reported = 'yes' AS reported, c.same_as AS same_as,
       m.currency AS currency, m.gross AS gross, m.net AS net, m.hidden AS hidden
FROM facts AS f LEFT JOIN cases AS c ON c.unit = f.unit AND c.error_id = f.error_id
    LEFT JOIN money AS m ON m.unit = f.unit AND m.error_id = f.error_id
WHERE NOT c.gone`
}

// ordersView is one row an order and currency: what it promised to bring, what it brought, and what is between the two.
func ordersView() string {
	placed := `event_type = ` + sql.Event("order.placed") + ` AND standing = ''`
	return `
WITH events AS (SELECT * FROM failures FINAL WHERE refused = ''), ` + CaseFacts + `,
    facts AS (
        SELECT order_id, if(countIf(` + placed + `) > 0, argMinIf(store_id, occurred_at, ` +
		placed + `), argMin(store_id, (occurred_at, source, event_id))) AS store_id,
               anyIf(customer_id, ` + placed + `) AS customer_id,
               minIf(occurred_at, ` + placed + `) AS placed_at,
               maxIf(coalesce(parseDateTime64BestEffortOrNull(JSONExtractString(payload, 'delivered_at'), 6, 'UTC'),
                   occurred_at),
                     event_type = ` + sql.Event("order.delivered") + ` AND standing = '') AS delivered_at
        FROM ledger FINAL WHERE order_id != '' AND refused = '' GROUP BY order_id),
    counted AS (SELECT unit, countIf(NOT gone) AS n FROM cases GROUP BY unit),
    lines AS (
        SELECT order_id, l_currency AS currency, l_case, toString(e_) AS e, toString(b_) AS b, toString(s_) AS s, x, ` +
		sql.ProfitAndLoss("a") + ` AS pl
        FROM (SELECT *, ` + sql.LineCase + ` AS of_case, ` +
		sql.LineCurrency + ` AS of_currency FROM ledger FINAL WHERE order_id != '' AND refused = '' AND notEmpty(account))
        ARRAY JOIN account AS a, element AS e_, basis AS b_, step AS s_, amount AS x, of_case AS l_case,
            of_currency AS l_currency),
    money AS (
        SELECT order_id, currency,
               -sumIf(` + viewAmount + `, pl AND s = 'perfect') AS perfect_contribution, -sumIf(` +
		viewAmount + `, pl) AS contribution,
               -sumIf(` + viewAmount + `, pl AND s = 'change' AND e = '') AS customer_changes,
               sumIf(` + viewAmount + `, e != '' AND part = 'changed_mind') AS changed_mind, sumIf(` +
		viewAmount + `, e != '' AND part = 'unfounded') AS unfounded,
               sumIf(` + viewAmount + `, ` + viewCost + ` AND part = 'leakage') AS gross, sumIf(` +
		viewAmount + `, e != '' AND part = 'leakage') AS net,
               sumIf(` + viewAmount + `, ` + viewHidden + ` AND part = 'leakage') AS hidden
        FROM (SELECT l.*, ` + partOf("l.e", "c.kind",
		"c.was_founded") + ` AS part FROM lines AS l LEFT JOIN cases AS c ON c.unit = l.order_id AND c.error_id = l.l_case)
        GROUP BY order_id, currency)
SELECT f.order_id AS order_id, f.store_id AS store_id, f.customer_id AS customer_id, f.placed_at AS placed_at,
       nullIf(f.delivered_at, toDateTime64(0, 6, 'UTC')) AS delivered_at, n.n AS cases,
       m.currency AS currency, m.perfect_contribution AS perfect_contribution, m.contribution AS contribution,
       m.customer_changes AS customer_changes, m.changed_mind AS changed_mind, m.unfounded AS unfounded,
       m.gross AS gross, m.net AS net, m.hidden AS hidden
FROM facts AS f LEFT JOIN money AS m ON m.order_id = f.order_id LEFT JOIN counted AS n ON n.unit = f.order_id`
}
