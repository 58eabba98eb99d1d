(
    SELECT l.* EXCEPT (amount), CAST(l.amount AS Decimal(76, 4)) * x.exact AS amount, x.number AS rate_number
    FROM (SELECT * FROM {{.Source}} WHERE {{.Where}}) AS l
    INNER JOIN (SELECT currency, day, number, CAST(rate AS Decimal(76, 6)) AS exact FROM exchange) AS x
        ON x.currency = l.currency AND x.day = l.{{.Day}})
