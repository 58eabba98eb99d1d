SELECT formatDateTime({{.Day}}, '%Y-%m') AS month,
       toDecimalString(sumIf(amount, {{cost "element"}}), 4), toDecimalString(sum(amount), 4),
       toDecimalString(sumIf(amount, {{cost "element"}} AND {{imputed "basis"}}), 4),
       toDecimalString(sumIf(amount, founded = 'yes' AND avoidable = 'true'), 4),
       toDecimalString(sumIf(amount, founded = 'yes' AND avoidable != ''), 4),
       toDecimalString(sumIf(amount, founded = 'yes' AND avoidable = ''), 4),
       toDecimalString(sumIf(amount, founded = 'yes'), 4), groupUniqArrayIf(concat(unit, '\n', error_id), founded = 'yes'),
       toDecimalString(sumIf(amount, category = 'internal'), 4), toDecimalString(sumIf(amount, category = 'external'), 4)
FROM {{.Leakage}}
WHERE part = 'leakage' AND lines > 0 AND {{.Day}} >= toDate(@from) AND {{.Day}} < toDate(@to)
    AND (@store = '' OR store_id = @store) AND currency = @currency
GROUP BY month ORDER BY month
