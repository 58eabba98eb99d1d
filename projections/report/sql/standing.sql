{{.Known}} AND refused = '' AND (source, event_id, content) NOT IN (
    SELECT source, event_id, content FROM {{.Failures}} WHERE refused != '' OR {{template "does_not_count" .}})
