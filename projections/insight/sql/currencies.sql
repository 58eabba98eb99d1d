{{- /* The currencies of what happened in the time and the store. */ -}}
SELECT groupUniqArrayArray(arrayFilter((c, t) -> @store = '' OR t = @store, {{line_currency}}, {{line_store}}))
FROM {{.Ledger}}
WHERE notEmpty(account) AND refused = '' AND {{template "booked_days" .}} AND {{.Known}}
