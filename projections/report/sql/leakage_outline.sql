{{- /* Of each currency: all of the time and of the one before it, then the time by day or month, then by element. A row of
the first kind has all parts, the others the leakage alone. To count distinct cases takes longer than all of this. */ -}}
SELECT currency, part, now, multiIf(grouping(at) = 0, 'at', grouping(element) = 0, 'element', '') AS split_by,
    if(split_by = 'at', at, toString(element)) AS key, count() AS all_rows, toBool(countIf(error_id = '' OR founded != '') > 0) AS any_row,
    toDecimalString(if(part = 'customer_changes', -1, 1) * sum(amount), {{.Decimals}}) AS beside,
{{template "leakage_amounts" .}}
FROM (
    SELECT currency, part, toBool({{.Day}} >= toDate(@since)) AS now, {{index .Keys 0}} AS at, element, basis, error_id, founded, amount
    FROM {{.Source}} WHERE {{.Where}})
GROUP BY GROUPING SETS ((currency, part, now), (currency, part, now, at), (currency, part, now, element))
HAVING split_by = '' OR now AND part = 'leakage' AND ({{template "leakage_shown" .}})
ORDER BY currency, split_by, key
