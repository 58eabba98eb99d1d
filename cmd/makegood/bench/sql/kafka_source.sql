CREATE TABLE queue (
    source String, id String, type String, time DateTime64(6, 'UTC'),
    data Tuple(order_id String, store_id String, currency String, payment_fee Decimal(18, 4),
        lines Array(Tuple(line_id String, sku String, quantity Decimal(18, 4), unit_price Decimal(18, 6),
        tax Decimal(18, 4), unit_cost Decimal(18, 6))))
) ENGINE = Kafka SETTINGS kafka_broker_list = '%s', kafka_topic_list = '%s', kafka_group_name = '%s',
    kafka_format = 'JSONEachRow',
    kafka_num_consumers = 2, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536,
    kafka_poll_max_batch_size = 65536, kafka_flush_interval_ms = 1000,
    input_format_skip_unknown_fields = 1, date_time_input_format = 'best_effort'
