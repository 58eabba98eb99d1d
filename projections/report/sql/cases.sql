WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND {{.Known}} AND error_id IN (@ids)),
    {{.Cases}}
SELECT error_id, kind, root_cause, party_at_fault, vendor_id, employee_id, avoidable,
       if(found_when = {{before_delivery}}, 'internal', 'external') AS category, toBool(is_founded) AS founded
FROM cases ORDER BY error_id
