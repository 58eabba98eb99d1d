SELECT DISTINCT order_id, if(order_id = '', error_id, '') AS case_id
FROM ledger FINAL
WHERE (order_id != '' OR error_id != '') AND ({{range $n, $of := .Sealed}}{{if $n}}
    OR {{end}}{{$of}}{{end}})
