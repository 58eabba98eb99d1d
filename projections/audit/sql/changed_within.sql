refused = '' AND recorded_at >= fromUnixTimestamp64Milli(toInt64(@from)) AND recorded_at < fromUnixTimestamp64Milli(toInt64(@to))
