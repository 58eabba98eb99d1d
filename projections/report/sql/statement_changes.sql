SELECT l_currency AS of_currency, toDecimalString(-sum({{money "x"}}), 4)
FROM {{.Ledger}}
ARRAY JOIN account AS a, element AS e, step AS s, amount AS x, {{line_currency}} AS l_currency, {{line_store}} AS l_store
WHERE refused = '' AND {{.Month}} = toDate(@month) AND {{.Known}} AND s = 'change' AND NOT {{leaks "e"}} AND {{profit_and_loss "a"}} AND l_store = @store
GROUP BY of_currency
ORDER BY of_currency
