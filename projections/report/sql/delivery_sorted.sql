arraySort(arrayFilter(e -> NOT has(voided, (e.2, e.3)), {{.}})) AS {{.}}_sorted,
           arrayFilter((e, i) -> i = 1 OR (e.2, e.3) != ({{.}}_sorted[i - 1].2, {{.}}_sorted[i - 1].3),
               {{.}}_sorted, arrayEnumerate({{.}}_sorted))
