CREATE TABLE landed (
    source LowCardinality(String), id String, type LowCardinality(String), time DateTime64(6, 'UTC'), order_id String,
    store_id LowCardinality(String), currency LowCardinality(String), payment_fee Decimal(18, 4),
    line_id Array(String), sku Array(String), quantity Array(Decimal(18, 4)), unit_price Array(Decimal(18, 6)),
    tax Array(Decimal(18, 4)), unit_cost Array(Decimal(18, 6))
) ENGINE = MergeTree PARTITION BY toYYYYMM(time) ORDER BY (order_id, source, id)
