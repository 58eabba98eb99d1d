toDateTime64(@now, 6, 'UTC')
