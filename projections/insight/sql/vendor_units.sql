SELECT unit FROM {{.Leakage}}
        WHERE part = 'leakage' AND lines > 0 AND error_id != '' AND day >= toDate(@from) AND day < toDate(@to) AND currency = @currency
            AND (@store = '' OR store_id = @store) AND {{template "vendor_caused"}}
