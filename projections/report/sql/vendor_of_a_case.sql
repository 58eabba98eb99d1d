SELECT count() FROM (SELECT 1 FROM {{.Failures}} WHERE has(fact_vendor, @vendor) AND refused = '' AND {{.Known}} LIMIT 1)
