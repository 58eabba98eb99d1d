{{- /* Orders that were placed in the time by the store and who took them, how many of them failed by that person, and how their promises were
kept. A case that names somebody is that person's; one that names nobody is of who took the order, if its cause is work at the counter. Listed, it gives each
of these orders. */ -}}
WITH placed AS (
        SELECT order_id, toString(store_id) AS store, JSONExtractString(payload, 'employee_id') AS employee, day FROM {{.Ledger}}
        {{.First}} event_type = {{event "order.placed"}}
        {{.Then}} {{template "in_period" .}} AND {{template "standing" .}}),
    events AS (
        SELECT * FROM {{.Failures}}
        {{.First}} unit IN (SELECT order_id FROM placed UNION ALL {{.Shared}})
        {{.Then}} refused = '' AND {{.Known}}),
    {{.Cases}}
{{if .Listed}}SELECT *{{else -}}
SELECT store, employee, count() AS orders, countIf(failed) AS failed, countIf(caught) AS caught, countIf(promised) AS promised, countIf(kept) AS kept
{{- end}}
FROM (
SELECT p.order_id AS `order`, p.day AS ordered, p.store AS store, p.employee AS employee, has(w.who, p.employee) OR w.by_counter > 0 AS failed,
       failed AND w.met = 0 AS caught, o.outcome IN ('kept', 'late', 'broken') AS promised, o.outcome = 'kept' AS kept
FROM placed AS p
LEFT JOIN (
    SELECT unit, groupArrayIf(employee_id, employee_id != '') AS who,
           countIf(employee_id = '' AND root_cause IN ('', 'unknown', 'order_capture', 'pick_pack', 'preparation', 'training')) AS by_counter,
           countIf(category != 'internal') AS met
    FROM cases
    WHERE founded = 'yes' AND party_at_fault IN ('', 'unknown', 'own') AND root_cause NOT IN ('supplier_quality', 'carrier', 'customer')
    GROUP BY unit) AS w ON w.unit = p.order_id
LEFT JOIN ({{template "order_outcomes" .}}) AS o ON o.order_id = p.order_id)
{{- if not .Listed}}
GROUP BY store, employee ORDER BY store, employee
{{- end}}
