package ledger

import "github.com/makegood/makegood/projections/sql"

// FailureLines is the one place where a line meets the case that it belongs to: journal lines that are leakage, and
// those by which customers changed their orders, summed by unit, day and case, each with what is known of the case.
// filter names the rows of failures to look at: those of some units for the roll-up, those recorded by a moment for an
// as_of report.
func FailureLines(filter string) string { return FailureLinesOf("failures FINAL", filter) }

// FailureLinesOf is the same of other rows than those of failures.
func FailureLinesOf(failures, filter string) string {
	return `
    WITH events AS (SELECT * FROM ` + failures + ` WHERE refused = '' AND ` + filter + `), ` + CaseFacts + `
    SELECT e.unit AS unit, e.day AS day, greatest(e.day, e.posting_period) AS posting_day, l_currency AS currency,
        l_store AS store_id,
           max(e.sold_by) AS selling_store, l_case AS error_id,
           -- What a person decided names no order: it is that of its unit, where that is no case.
           if(e.order_id = '' AND e.unit != e.error_id AND NOT has(e.line_case, e.unit), e.unit,
              e.order_id) AS order_id, l_account AS account,
           toString(l_element) AS element, toString(l_basis) AS basis,
           any(c.vendor_id) AS vendor_id, any(c.kind) AS kind, any(c.root_cause) AS root_cause,
           any(c.party_at_fault) AS party_at_fault, any(c.employee_id) AS employee_id, any(c.avoidable) AS avoidable,
           if(any(c.category) = '', 'external', any(c.category)) AS category, any(c.founded) AS founded,
           ` + partOf("element", "kind", "any(c.was_founded)") + ` AS part,
           sum(CAST(l_amount AS Decimal(38, 4))) AS amount, countIf(l_amount != 0) AS lines
    FROM events AS e
    ARRAY JOIN e.account AS l_account, e.element AS l_element, e.basis AS l_basis, e.amount AS l_amount,
        e.step AS l_step,
               e.line_case AS l_case, e.line_currency AS l_currency, e.line_store AS l_store
    LEFT JOIN cases AS c ON c.unit = e.unit AND c.error_id = l_case
    WHERE l_element != '' OR l_step = 'change' AND ` + sql.ProfitAndLoss("l_account") + `
    GROUP BY unit, day, posting_day, currency, store_id, error_id, order_id, account, element, basis`
}

// partOf says to which figure an amount belongs. What customers changed themselves has no element, and an order that
// the business cancelled has no case.
func partOf(element, kind, founded string) string {
	return `multiIf(` + element + ` = '', 'customer_changes', ` + sql.NotFailed(kind) + `, 'changed_mind', ` + founded +
		` = 'no', 'unfounded', 'leakage')`
}

// CaseFacts are what is known of the cases of events, a row a unit and case: what the last event says that changed the
// case, in the sequence of the unit's events. Rows that were recorded by some moment know what was known then. What is
// gone was a case once: founded is empty then, and was_founded what it was last.
const CaseFacts = `
    cases AS (
        SELECT unit, fact AS error_id,
               argMax((f_kind, f_root_cause, f_party, f_vendor, f_employee, f_severity, f_avoidable, f_category,
                   f_founded, f_reported, f_same_as),
                      (epoch, occurred_at, source, event_id)) AS known,
               known.1 AS kind, known.2 AS root_cause, known.3 AS party_at_fault, known.4 AS vendor_id,
                   known.5 AS employee_id, known.6 AS severity,
               known.7 AS avoidable, known.8 AS category, known.9 AS was_founded, known.10 AS reported,
                   known.11 AS same_as, known.10 = '` + goneCase + `' AS gone, if(gone, '', was_founded) AS founded
        FROM events
        ARRAY JOIN fact_case AS fact, fact_kind AS f_kind, fact_root_cause AS f_root_cause, fact_party AS f_party,
            fact_vendor AS f_vendor,
                   fact_employee AS f_employee, fact_severity AS f_severity, fact_avoidable AS f_avoidable,
                       fact_category AS f_category,
                   fact_founded AS f_founded, fact_reported AS f_reported, fact_same_as AS f_same_as
        GROUP BY unit, error_id)`

const (
	LeakageKey   = "unit, error_id, day, posting_day, currency, store_id, account, element, basis"
	LeakageFacts = "order_id, selling_store, part, vendor_id, kind, root_cause, party_at_fault, employee_id, " +
		"avoidable, category, founded"
)
