
    WITH events AS (
        SELECT * FROM {{.Failures}}
        {{.First}} unit IN (
            SELECT order_id FROM ledger WHERE event_type = {{event "order.placed"}} AND {{template "in_period" .}}
            UNION ALL {{.Shared}})
        {{.Then}} refused = '' AND {{.Known}}),
        {{.Cases}}
    SELECT DISTINCT unit FROM cases WHERE founded = 'yes'
