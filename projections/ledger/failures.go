package ledger

import "fmt"

// FailureLines is the one place where an element line meets the case that it belongs to: journal lines with an element,
// summed by day and case, each with what is known of the case. filter names the rows of failures to look at: those of
// the touched cases for the roll-up, those recorded by a moment for an as_of report.
func FailureLines(filter string) string { return FailureLinesOf("failures FINAL", filter) }

// FailureLinesOf is the same of other rows than those of failures.
func FailureLinesOf(failures, filter string) string {
	return `
    WITH events AS (SELECT * FROM ` + failures + ` WHERE refused = '' AND ` + filter + `), ` + CaseFacts + `
    SELECT e.day AS day, greatest(e.day, e.posting_period) AS posting_day, e.currency AS currency, e.store_id AS store_id,
           e.error_id AS error_id, e.order_id AS order_id, l_account AS account, toString(l_element) AS element, toString(l_basis) AS basis,
           any(c.vendor_id) AS vendor_id, any(c.kind) AS kind, any(c.root_cause) AS root_cause,
           any(c.party_at_fault) AS party_at_fault, any(c.employee_id) AS employee_id, any(c.avoidable) AS avoidable,
           if(any(c.found_when) = 'before_delivery', 'internal', 'external') AS category,
           any(c.is_founded) AS founded,
           sum(CAST(l_amount AS Decimal(38, 4))) AS amount, countIf(l_amount != 0) AS lines
    FROM events AS e
    ARRAY JOIN e.account AS l_account, e.element AS l_element, e.basis AS l_basis, e.amount AS l_amount
    LEFT JOIN cases AS c ON c.error_id = e.error_id
    WHERE l_element != ''
    GROUP BY day, posting_day, currency, store_id, error_id, order_id, account, element, basis`
}

// CaseFacts are what is known of the cases of events.
//
// What an event says of a case counts unless it was voided (and the void wasn't voided in its turn). The report is the base; per field, the classification with
// the latest time wins; among equals, identity decides, so that the order of arrival never matters.
var CaseFacts = fmt.Sprintf(`
    targets AS (SELECT voids_source, voids_id FROM events WHERE voids_id != ''),
    voided AS (SELECT voids_source, voids_id FROM events WHERE voids_id != '' AND (source, event_id) NOT IN targets),
    cases AS (
        SELECT error_id,
               %s AS kind, %s AS root_cause, %s AS party_at_fault,
               %s AS vendor_id, %s AS employee_id, %s AS avoidable,
               argMinIf(found, (occurred_at, source, event_id), found != '') AS found_when,
               countIf(event_type = 'makegood.error.rejected.v1') = 0 AS is_founded
        FROM events
        WHERE event_type IN ('makegood.error.reported.v1', 'makegood.error.classified.v1', 'makegood.error.rejected.v1')
          AND (source, event_id) NOT IN voided
        GROUP BY error_id)`,
	lastSaid("kind"), lastSaid("root_cause"), lastSaid("party_at_fault"), lastSaid("vendor_id"), lastSaid("employee_id"), lastSaid("avoidable"))

func lastSaid(field string) string {
	return fmt.Sprintf(`if(countIf(%[1]s != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(%[1]s, (occurred_at, source, event_id), %[1]s != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(%[1]s, (occurred_at, source, event_id), %[1]s != ''))`, field)
}

const (
	LeakageKey   = "error_id, order_id, day, posting_day, currency, store_id, account, element, basis"
	LeakageFacts = "vendor_id, kind, root_cause, party_at_fault, employee_id, avoidable, category, founded"
)
