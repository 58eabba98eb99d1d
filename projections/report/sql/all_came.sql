{{- /* Whether what came holds the named list of pieces. A delivery without lines says that it brought what was missing. */ -}}
arrayExists(d -> empty(d.7), arrivals) OR arrayAll(sku -> {{template "came_of" "sku"}}
               >= arraySum(arrayMap(n -> if(n.1 = sku, n.2, {{template "zero_pieces"}}), {{.}})), arrayDistinct(arrayMap(n -> n.1, {{.}})))
