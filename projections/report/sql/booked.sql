{{template "booked_days" .}} AND (@store = '' OR store_id = @store)
