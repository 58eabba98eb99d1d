SELECT DISTINCT currency, {{.Day}} AS on_day FROM {{.Source}} WHERE {{.Where}} ORDER BY currency, on_day
