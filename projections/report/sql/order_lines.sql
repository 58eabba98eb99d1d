{{- /* The lines of the named list, with what was ordered of each. */ -}}
arrayMap(of -> (of.1, of.2, arraySum(arrayMap(l -> if((l.1, l.2) = of, toDecimal128OrZero(l.4, 8), {{template "zero_pieces"}}), {{.}}))),
               arrayDistinct(arrayMap(l -> (l.1, l.2), {{.}})))
