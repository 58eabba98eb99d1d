SELECT arraySort(groupUniqArray(toString(currency))) FROM {{.Leakage}}
WHERE part = 'leakage' AND lines > 0 AND error_id != '' AND day >= toDate(@from) AND day < toDate(@to) AND {{template "vendor_caused"}}
