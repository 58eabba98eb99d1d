SELECT count() AS delivered, countIf(is_promised) AS promised, countIf(is_on_time) AS on_time, countIf(is_in_full) AS in_full,
       countIf(is_kept) AS kept, countIf(is_right) AS right_first_time, countIf(is_silent) AS silent
FROM ({{template "kept_promises" .}})
WHERE (@store = '' OR store_id = @store) AND (@currency = '' OR currency IN ('', @currency))
