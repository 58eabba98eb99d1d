{{template "in_months" .}} AND day >= toDate(@from) AND day < toDate(@to)
