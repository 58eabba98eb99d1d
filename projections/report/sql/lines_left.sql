{{- /* What is left of the lines of an order by sku, without what the removals of the named list take off: of a line at most
what is on it. A removal names a line by its line_id, else by its sku. */ -}}
arrayMap(of_sku -> (of_sku, greatest({{template "zero_pieces"}}, arraySum(arrayMap(l -> if(l.2 != of_sku, {{template "zero_pieces"}},
                   greatest({{template "zero_pieces"}}, l.3 - arraySum(arrayMap(r -> if(r.1 = l.1, toDecimal128OrZero(r.3, 8), {{template "zero_pieces"}}), {{.}})))),
                   lines)) - arraySum(arrayMap(r -> if(r.1 = '' AND r.2 = of_sku, toDecimal128OrZero(r.3, 8), {{template "zero_pieces"}}), {{.}})))),
               arrayDistinct(arrayMap(l -> l.2, lines)))
