SELECT count() FROM (SELECT 1 FROM failures FINAL WHERE vendor_id = @vendor AND refused = '' AND {{.Known}} LIMIT 1)
