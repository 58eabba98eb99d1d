SELECT formatDateTime({{template "booked_day" .}}, '%Y-%m') AS month,
       toDecimalString(sum({{sum_lines (is_account "prevention")}}), 4), toDecimalString(sum({{sum_lines (is_account "appraisal")}}), 4)
FROM {{.Ledger}}
{{.First}} order_id = ''
{{.Then}} refused = '' AND {{template "booked" .}} AND currency = @currency AND {{.Known}}
GROUP BY month
