WITH events AS (
        SELECT * FROM {{.Failures}} {{.First}} (unit IN (@units) OR unit IN ({{.Shared}})) {{.Then}} refused = '' AND {{.Known}}),
    {{.Cases}}
SELECT unit, error_id, kind, root_cause, party_at_fault, vendor_id, employee_id, avoidable, category, toBool(founded = 'yes') AS founded,
       toBool(reported = 'yes') AS reported, same_as, toBool(gone) AS gone, toBool(was_founded = 'no') AS failed_nobody
FROM cases WHERE unit IN (@units) ORDER BY error_id, unit
