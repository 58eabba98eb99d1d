SELECT concat(toString(day), ' ', store_id, ' ', currency, ' ', toString(account), ' ', element, ' ', basis, ', case ', error_id, ', order ',
           any(order_id)) AS bucket,
       toDecimalString(sumIf(amount, fresh), 4) AS expected, toDecimalString(sumIf(amount, NOT fresh), 4) AS actual,
       toString(anyIf(({{.Facts}}), fresh)) AS expected_facts, toString(anyIf(({{.Facts}}), NOT fresh)) AS actual_facts,
       error_id, unit, day, currency
FROM (
    SELECT {{.Key}}, {{.Facts}}, amount, lines, true AS fresh FROM ({{.Fresh}}) WHERE lines > 0
    UNION ALL
    SELECT {{.Key}}, {{.Facts}}, amount, lines, false AS fresh FROM leakage_daily FINAL WHERE lines > 0)
GROUP BY {{.Key}}
HAVING sumIf(amount, fresh) != sumIf(amount, NOT fresh) OR sumIf(lines, fresh) != sumIf(lines, NOT fresh)
    OR expected_facts != actual_facts
ORDER BY bucket
