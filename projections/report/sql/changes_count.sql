SELECT count() FROM ({{template "changed_rows" .}})
