{{template "statement_cases_known" .}}
SELECT e.currency AS currency, e.error_id AS id, anyIf(e.order_id, e.order_id != ''), any(c.kind), any(c.root_cause),
       any(c.party_at_fault), any(c.vendor_id), toBool(any(c.is_founded)),
       toDecimalString({{.Sum (cost "k")}}, 4),
       toDecimalString(-{{.Sum (recovery "k")}}, 4),
       toDecimalString({{.Sum (leaks "k")}}, 4),
       arrayMap(x -> concat(x.2, ' ', x.3),
           arraySort(arrayConcat(groupArray((e.occurred_at, e.source, e.event_id)), any(s.events)))) AS evidence
FROM events AS e LEFT JOIN cases AS c ON c.error_id = e.error_id LEFT JOIN (
    -- What says something of a case and carries no money: it is of every currency.
    SELECT error_id, groupArray((occurred_at, source, event_id)) AS events FROM events AS e
    WHERE error_id != '' AND currency = '' AND e.{{.Month}} <= toDate(@month) GROUP BY error_id) AS s ON s.error_id = e.error_id
WHERE e.{{.Month}} <= toDate(@month) AND e.currency != ''
    AND (@store = '' OR e.store_id = @store) AND (@vendor = '' OR e.error_id != '' AND c.vendor_id = @vendor)
GROUP BY currency, id, if(e.error_id = '', e.order_id, '')
HAVING countIf(e.{{.Month}} = toDate(@month) AND arrayExists(k -> {{leaks "k"}}, e.element)) > 0
ORDER BY currency, id, anyIf(e.order_id, e.order_id != '')
