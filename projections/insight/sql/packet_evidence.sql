SELECT unit, of AS error_id, arrayMap(x -> concat(x.2, ' ', x.3), arraySort(groupUniqArray((occurred_at, toString(source), event_id)))) AS events
FROM (
    SELECT unit, occurred_at, source, event_id, arrayJoin(arrayFilter(c -> c != '', arrayDistinct(arrayConcat([error_id], line_case, fact_case)))) AS of
    FROM {{.Failures}}
    WHERE refused = '' AND {{.Known}} AND standing NOT IN ('double', 'waits', 'discarded', 'copied') AND unit IN ({{template "vendor_units" .}}))
GROUP BY unit, error_id
