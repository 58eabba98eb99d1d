package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
)

// CreateViews makes the views for people who bring their own tools. They hold no data, so they are made when a process
// starts instead of by a migration; but only those that are missing or were another version's. ClickHouse writes a
// definition to disk, and one that a full disk cuts short keeps the server from ever starting again: a process that is
// started again and again because the disk is full must not be what does that.
func CreateViews(ctx context.Context, db driver.Conn) error {
	for _, v := range []struct{ name, query string }{{"journal", journalView()}, {"cases", casesView()}, {"orders", ordersView()}} {
		version := fmt.Sprintf("version %x", sha256.Sum256([]byte(v.query)))
		var have []string
		if err := db.QueryRow(ctx, "SELECT groupArray(comment) FROM system.tables WHERE database = currentDatabase() AND name = ?", v.name).Scan(&have); err != nil {
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
SELECT source, event_id, event_type, order_id, error_id, store_id, toString(a) AS account,
       transform(a, [%s], [%s], '') AS name, toString(e) AS element, toString(b) AS basis, x AS amount,
       currency, occurred_at, recorded_at, formatDateTime(posting_period, '%%Y-%%m') AS posting_period, formatDateTime(origin_period, '%%Y-%%m') AS origin_period
FROM ledger AS l FINAL
ARRAY JOIN l.account AS a, l.element AS e, l.basis AS b, l.amount AS x`, strings.Join(numbers, ", "), strings.Join(names, ", "))
}

// casesView is one row a case and currency: what is known of it, and what it cost.
func casesView() string {
	return `
WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND error_id != ''), ` + CaseFacts + `,
    facts AS (
        SELECT error_id, any(order_id) AS order_id, any(store_id) AS store_id, min(occurred_at) AS reported_at FROM events GROUP BY error_id),
    money AS (
        SELECT error_id, currency,
               sumIf(CAST(x AS Decimal(38, 4)), e NOT IN ('', 'RECOVERY', 'SALVAGE')) AS gross,
               sumIf(CAST(x AS Decimal(38, 4)), e != '') AS net,
               sumIf(CAST(x AS Decimal(38, 4)), e NOT IN ('', 'RECOVERY', 'SALVAGE') AND b = 'IMPUTED') AS hidden
        FROM events ARRAY JOIN element AS e, basis AS b, amount AS x
        GROUP BY error_id, currency)
SELECT f.error_id AS error_id, f.order_id AS order_id, f.store_id AS store_id, f.reported_at AS reported_at,
       c.kind AS kind, c.root_cause AS root_cause, c.party_at_fault AS party_at_fault, c.vendor_id AS vendor_id,
       c.employee_id AS employee_id, c.avoidable AS avoidable,
       if(c.found_when = 'before_delivery', 'internal', 'external') AS category, toBool(c.is_founded) AS founded,
       m.currency AS currency, m.gross AS gross, m.net AS net, m.hidden AS hidden
FROM facts AS f LEFT JOIN cases AS c ON c.error_id = f.error_id LEFT JOIN money AS m ON m.error_id = f.error_id`
}

// ordersView is one row an order and currency: what it promised to bring, and what it brought.
func ordersView() string {
	profit := `-arraySum(arrayMap((a, x) -> if(a >= 4000 AND a < 6000, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount))`
	leaks := func(condition string) string {
		return `arraySum(arrayMap((e, b, x) -> if(` + condition + `, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), element, basis, amount))`
	}
	return `
WITH events AS (SELECT * FROM ledger FINAL WHERE order_id != '' AND refused = ''),
    targets AS (SELECT voids_source, voids_id FROM voids FINAL WHERE refused = ''),
    voided AS (SELECT voids_source, voids_id FROM voids FINAL WHERE refused = '' AND (source, event_id) NOT IN targets),
    changed_mind AS (SELECT error_id FROM cases WHERE kind = 'changed_mind'),
    facts AS (
        SELECT order_id, if(countIf(event_type = 'makegood.order.placed.v1') > 0, argMinIf(store_id, occurred_at, event_type = 'makegood.order.placed.v1'), any(store_id)) AS store_id,
               anyIf(JSONExtractString(payload, 'customer_id'), event_type = 'makegood.order.placed.v1') AS customer_id,
               minIf(occurred_at, event_type = 'makegood.order.placed.v1') AS placed_at,
               maxIf(coalesce(parseDateTime64BestEffortOrNull(JSONExtractString(payload, 'delivered_at'), 6, 'UTC'), occurred_at), event_type = 'makegood.order.delivered.v1') AS delivered_at,
               uniqExactIf(error_id, error_id != '') AS cases
        FROM events WHERE (source, event_id) NOT IN voided GROUP BY order_id),
    money AS (
        SELECT order_id, currency,
               sumIf(` + profit + `, 'makegood.order.placed.v1' IN (event_type, voids_type)) AS perfect_contribution,
               sum(` + profit + `) AS contribution,
               sumIf(` + leaks("e NOT IN ('', 'RECOVERY', 'SALVAGE')") + `, error_id NOT IN changed_mind) AS gross,
               sumIf(` + leaks("e != ''") + `, error_id NOT IN changed_mind) AS net,
               sumIf(` + leaks("e NOT IN ('', 'RECOVERY', 'SALVAGE') AND b = 'IMPUTED'") + `, error_id NOT IN changed_mind) AS hidden
        FROM events WHERE currency != '' GROUP BY order_id, currency)
SELECT f.order_id AS order_id, f.store_id AS store_id, f.customer_id AS customer_id, f.placed_at AS placed_at,
       nullIf(f.delivered_at, toDateTime64(0, 6, 'UTC')) AS delivered_at, f.cases AS cases,
       m.currency AS currency, m.perfect_contribution AS perfect_contribution, m.contribution AS contribution,
       m.gross AS gross, m.net AS net, m.hidden AS hidden
FROM facts AS f LEFT JOIN money AS m ON m.order_id = f.order_id`
}
