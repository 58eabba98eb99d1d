SELECT groupUniqArray(currency) FROM ledger
WHERE notEmpty(account) AND refused = '' AND {{template "booked" .}} AND {{.Known}}
