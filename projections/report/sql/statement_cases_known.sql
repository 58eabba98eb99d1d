WITH events AS (SELECT * FROM {{.Failures}} WHERE refused = '' AND {{.Known}}),
    {{.Cases}}
