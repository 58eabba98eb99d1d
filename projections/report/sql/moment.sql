parseDateTime64BestEffortOrNull(upper({{.}}), 6, 'UTC')
