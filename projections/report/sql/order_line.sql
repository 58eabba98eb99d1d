{{- /* JSON has one kind of number and tills have two ways to write one: both come out as text here, and only then as a
decimal, whose digits are those that were sent. */ -}}
Tuple(line_id String, sku String, kind String, quantity String, components Array(Tuple(sku String, quantity String)))
