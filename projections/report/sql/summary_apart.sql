SELECT toDecimalString(sumIf(amount, part = 'changed_mind'), 4), toDecimalString(sumIf(amount, part = 'unfounded'), 4),
       toDecimalString(-sumIf(amount, part = 'customer_changes'), 4)
FROM {{.Leakage}}
WHERE part != 'leakage' AND lines > 0 AND {{.Day}} >= toDate(@from) AND {{.Day}} < toDate(@to)
    AND (@store = '' OR store_id = @store) AND currency = @currency
