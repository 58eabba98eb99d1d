-- +goose Up

-- What each seal of a closed month is made of: per event a digest of what it says and one of what it posted. The root that
-- a list makes is its name: a list that was changed doesn't make its name any more. It proves nothing; it tells which event
-- is another than when the month was sealed.
CREATE TABLE IF NOT EXISTS sealed_events
(
    root      FixedString(32) COMMENT 'of the seal, on the books stream',
    source    LowCardinality(String),
    event_id  String,
    order_id  String,
    error_id  String,
    content   UInt64,
    stream    Enum8('orders' = 1, 'errors' = 2, 'redeliveries' = 3, 'books' = 4),
    partition Int32,
    offset    Int64,
    said      FixedString(32) COMMENT 'SHA-256 of what the event says',
    posted    FixedString(32) COMMENT 'SHA-256 of its lines'
)
ENGINE = ReplacingMergeTree
ORDER BY (root, source, event_id, order_id, error_id, content)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

-- +goose Down
DROP TABLE IF EXISTS sealed_events;
