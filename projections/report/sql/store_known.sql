SELECT count() FROM (SELECT 1 FROM ledger FINAL WHERE store_id = @store AND refused = '' AND {{.Known}} LIMIT 1)
