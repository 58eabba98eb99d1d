
    WITH events AS (
        SELECT * FROM {{.Failures}} WHERE refused = '' AND {{.Known}} AND unit IN (
            SELECT order_id FROM ledger WHERE event_type = {{event "order.placed"}} AND {{template "in_period" .}}
            UNION ALL {{.Shared}})),
        {{.Cases}}
    SELECT DISTINCT unit FROM cases WHERE founded = 'yes'
