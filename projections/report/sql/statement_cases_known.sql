WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND {{.Known}}),
    {{.Cases}}
