SELECT currency, count() AS events, toDecimalString(sum(net_amount), 4) AS net, toDecimalString(sum(profit_amount), 4) AS profit,
       toDecimalString(sum(cash_amount), 4) AS cash
FROM ({{template "changed_rows" .}}) WHERE currency != '' GROUP BY currency ORDER BY currency
