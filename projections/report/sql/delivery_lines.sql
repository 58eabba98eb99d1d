JSONExtract(payload, 'lines', 'Array(Tuple(sku String, quantity String, condition String))')
