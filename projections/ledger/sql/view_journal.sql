SELECT source, event_id, event_type, if(l_order != '', l_order, order_id) AS order_id, l_case AS error_id, l_store AS store_id, toString(a) AS account,
       transform(a, [{{range $i, $c := .Chart}}{{if $i}}, {{end}}{{printf "%d" $c.Account}}{{end}}], [{{range $i, $c := .Chart}}{{if $i}}, {{end}}'{{$c.Name}}'{{end}}], '') AS name,
       toString(e) AS element, toString(b) AS basis, toString(s) AS step, x AS amount, l_currency AS currency, occurred_at, recorded_at,
       formatDateTime(posting_period, '%Y-%m') AS posting_period, formatDateTime(origin_period, '%Y-%m') AS origin_period
FROM (SELECT *, {{line_case}} AS cases, {{line_currency}} AS currencies, {{line_store}} AS stores,
      if(empty(line_order), arrayWithConstant(length(account), ''), line_order) AS orders FROM ledger FINAL) AS l
ARRAY JOIN l.account AS a, l.element AS e, l.basis AS b, l.step AS s, l.amount AS x, l.cases AS l_case, l.currencies AS l_currency, l.stores AS l_store, l.orders AS l_order
