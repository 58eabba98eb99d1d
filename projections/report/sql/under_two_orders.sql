{{- /* Candidates are few: refunds and disputes that name no case, with one id in several units. Of these the cases must be
there still: what found the case that it belongs to is no case of its own. A unit that knows it itself has flagged it. */ -}}
WITH own AS (
        SELECT unit, source, event_id, occurred_at, flag_code, arrayJoin(fact_case) AS name FROM failures
        WHERE event_type IN {{events "refund.issued" "dispute.opened" "dispute.won" "dispute.lost"}} AND error_id = '' AND refused = '' AND notEmpty(fact_case)),
    names AS (SELECT name FROM own GROUP BY name HAVING uniqExact(unit) > 1),
    events AS (SELECT * FROM failures FINAL WHERE refused = '' AND unit IN (SELECT unit FROM own WHERE name IN (SELECT name FROM names))),
    {{.Cases}},
    there AS (SELECT unit, error_id FROM cases WHERE NOT gone AND reported = 'no' AND error_id IN (SELECT name FROM names)),
    firsts AS (
        SELECT unit, name, min((occurred_at, source, event_id)) AS first FROM own
        WHERE (unit, name) IN (SELECT unit, error_id FROM there) AND NOT has(flag_code, 'id_under_two_orders') GROUP BY unit, name)
SELECT 'id_under_two_orders' AS code, unit AS order_id, name AS error_id, first.2 AS source, first.3 AS event_id, '' AS currency, '0.0000' AS amount
FROM (SELECT *, row_number() OVER (PARTITION BY name ORDER BY first) AS place FROM firsts)
WHERE place > 1
ORDER BY first
