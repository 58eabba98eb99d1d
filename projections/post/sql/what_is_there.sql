{{- /* What the ledger has of orders: how many rows, with the sum of their versions and these bit by bit (of a row the highest
version counts), and how many copies of one row at most share its highest version; under which orders cases are named; and the
highest version that leakage_daily has of the orders. */ -}}
SELECT 'order' AS what, order_id AS name, '' AS other, count() AS n, sum(highest) AS sum_of, groupBitXor(highest) AS bits,
       max(alike) AS copies
FROM (
    SELECT order_id, groupArray(version) AS versions, arrayMax(versions) AS highest,
           toUInt64(countEqual(versions, highest)) AS alike
    FROM ledger
    WHERE order_id IN (SELECT name FROM names)
    GROUP BY order_id, source, event_id, content)
GROUP BY order_id
UNION ALL
SELECT DISTINCT 'case', error_id, order_id, 0, 0, 0, 0 FROM case_units WHERE error_id IN (SELECT name FROM named_cases)
UNION ALL
SELECT 'leakage', unit, '', 0, max(version), 0, 0 FROM leakage_daily WHERE unit IN (SELECT name FROM names) GROUP BY unit
