{{- /* Identities that the books hold with several contents, with the places that they came from. What a rebuild posts for
units is no other event. */ -}}
SELECT source, event_id, arraySort(groupArray(concat(toString(stream), '/', toString(partition), '@', toString(offset)))) AS places
FROM ledger FINAL
WHERE refused = '' AND NOT (event_type = {{event "books.rebuilt"}} AND (order_id != '' OR error_id != '')) AND cityHash64(source, event_id) IN (
    SELECT cityHash64(source, event_id) AS identity FROM ledger FINAL
    WHERE refused = '' AND NOT (event_type = {{event "books.rebuilt"}} AND (order_id != '' OR error_id != ''))
    GROUP BY identity HAVING count() > 1)
GROUP BY source, event_id HAVING count() > 1
ORDER BY source, event_id
SETTINGS max_bytes_before_external_group_by = 500000000
