SELECT groupUniqArray(currency) FROM {{.Source}} WHERE {{.Where}}
