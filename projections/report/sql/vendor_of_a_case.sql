SELECT count() FROM (SELECT 1 FROM failures FINAL WHERE has(fact_vendor, @vendor) AND refused = '' AND {{.Known}} LIMIT 1)
