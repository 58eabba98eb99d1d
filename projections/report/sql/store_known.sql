SELECT count() FROM (SELECT 1 FROM {{.Ledger}} WHERE store_id = @store AND refused = '' AND {{.Known}} LIMIT 1)
