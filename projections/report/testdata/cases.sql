WITH events AS (
        SELECT * FROM failures FINAL PREWHERE (unit IN (@units) OR unit IN (SELECT order_id FROM case_units WHERE order_id != '' AND error_id IN (
    SELECT error_id FROM case_units WHERE order_id != '' GROUP BY error_id HAVING uniqExact(order_id) > 1))) WHERE refused = '' AND recorded_at <= toDateTime64('2026-01-15 00:00:00.000', 3, 'UTC')),
    
    cases AS (
        SELECT if(f_order != '', f_order, of_unit) AS unit, fact AS error_id,
               argMax((f_kind, f_root_cause, f_party, f_vendor, f_employee, f_severity, f_avoidable, f_category, f_founded, f_reported, f_same_as),
                      (epoch, occurred_at, source, event_id)) AS known,
               known.1 AS kind, known.2 AS root_cause, known.3 AS party_at_fault, known.4 AS vendor_id, known.5 AS employee_id, known.6 AS severity,
               known.7 AS avoidable, known.8 AS category, known.9 AS was_founded, known.10 AS reported, known.11 AS same_as,
               known.10 = 'gone' AS gone, if(gone, '', was_founded) AS founded
        FROM (SELECT * EXCEPT unit, unit AS of_unit FROM events)
        ARRAY JOIN fact_case AS fact, fact_kind AS f_kind, fact_root_cause AS f_root_cause, fact_party AS f_party, fact_vendor AS f_vendor,
                   fact_employee AS f_employee, fact_severity AS f_severity, fact_avoidable AS f_avoidable, fact_category AS f_category,
                   fact_founded AS f_founded, fact_reported AS f_reported, fact_same_as AS f_same_as, fact_order AS f_order
        GROUP BY unit, error_id)
SELECT unit, error_id, kind, root_cause, party_at_fault, vendor_id, employee_id, avoidable, category, toBool(founded = 'yes') AS founded,
       toBool(reported = 'yes') AS reported, same_as, toBool(gone) AS gone, toBool(was_founded = 'no') AS failed_nobody
FROM cases WHERE unit IN (@units) ORDER BY error_id, unit;
-- with [{units [e1 e2]}]

