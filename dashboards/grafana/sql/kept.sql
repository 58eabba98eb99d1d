SELECT concat(figure.1, ', before: ', if(isNull(figure.2.2), 'nothing known',
           concat(toString(round(100 * figure.2.2, 1)), ' %'))) AS "Figure", figure.2.1 AS "Share"
FROM (
    SELECT arrayJoin([('Right first time', {{.right}}),
        ('Perfect orders', {{.perfect}}),
        ('On time', {{.on_time}}),
        ('In full', {{.in_full}}),
        ('Silent failures', {{.silent}})]) AS figure
    FROM (SELECT day >= toDate($__fromTime) AS now, * FROM {{.delivered}}))
