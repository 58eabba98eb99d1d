{{- /* What must come of each sku, as a list of pieces, for the named goods to have come: what of a kit didn't come as such
must come as its components. */ -}}
arrayConcat(arrayFilter(w -> NOT has(kits.1, w.1), {{.}}),
               arrayFlatten(arrayMap(k -> arrayMap(c -> (c.1, CAST(toDecimal128OrZero(c.2, 4) * toDecimal128(greatest({{template "zero_pieces"}},
                   arraySum(arrayMap(w -> if(w.1 = k.1, w.2, {{template "zero_pieces"}}), {{.}})) - {{template "came_of" "k.1"}}), 4) AS Decimal(38, 8))), k.2), kits)))
