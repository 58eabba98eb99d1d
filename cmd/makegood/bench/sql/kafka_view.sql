CREATE MATERIALIZED VIEW feed TO landed AS
SELECT source, id, type, time, data.order_id AS order_id, data.store_id AS store_id, data.currency AS currency,
    data.payment_fee AS payment_fee,
    tupleElement(tupleElement(data, 'lines'), 'line_id') AS line_id,
    tupleElement(tupleElement(data, 'lines'), 'sku') AS sku,
    tupleElement(tupleElement(data, 'lines'), 'quantity') AS quantity,
    tupleElement(tupleElement(data, 'lines'), 'unit_price') AS unit_price,
    tupleElement(tupleElement(data, 'lines'), 'tax') AS tax,
    tupleElement(tupleElement(data, 'lines'), 'unit_cost') AS unit_cost
FROM queue
