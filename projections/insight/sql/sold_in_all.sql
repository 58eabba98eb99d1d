{{- /* Net sales and cost of goods of the orders of the time as the journal has them: what they were placed with. */ -}}
SELECT toDecimalString(-sum({{sum_lines (is_account "sales")}}), 4), toDecimalString(sum({{sum_lines (is_account "cogs")}}), 4)
FROM {{.Ledger}}
{{.First}} event_type = {{event "order.placed"}}
{{.Then}} currency = @currency AND {{template "in_period" .}} AND {{template "standing" .}}
