arraySum(arrayMap(c -> if(c.1 = {{.}}, c.2, {{template "zero_pieces"}}), came))
