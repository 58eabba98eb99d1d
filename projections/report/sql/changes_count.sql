SELECT uniqExact((source, event_id, order_id)) FROM ({{template "changed_rows" .}})
