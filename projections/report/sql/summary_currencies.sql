SELECT groupUniqArrayArray(arrayFilter((c, t) -> @store = '' OR t = @store, {{line_currency}}, {{line_store}})) FROM ledger
WHERE notEmpty(account) AND refused = '' AND {{template "booked_days" .}} AND {{.Known}}
