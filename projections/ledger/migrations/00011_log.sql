-- +goose Up

-- What an insert acknowledges is on disk, and no insert is taken for another one: of our tables, whatever the server's
-- own settings say. A batch that is written again must be written, since what it brought may have been lost.
ALTER TABLE ledger MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
ALTER TABLE identities MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
ALTER TABLE voids MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
ALTER TABLE unpriced MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
ALTER TABLE failures MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
ALTER TABLE case_units MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
ALTER TABLE unplaced_orders MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
ALTER TABLE leakage_daily MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
ALTER TABLE dead_letters MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
ALTER TABLE dead_letter_actions MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
ALTER TABLE rebuilds MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

-- Which place of the log every row came from, copies included, and what to look for conflicts by: the event's identity,
-- and of an order.placed its order, both as in identities. It finds what is new by its place, and what is missing.
CREATE TABLE IF NOT EXISTS places
(
    stream    Enum8('orders' = 1, 'errors' = 2, 'redeliveries' = 3, 'books' = 4),
    partition Int32,
    offset    Int64 CODEC(Delta, ZSTD(1)),
    month     UInt32 COMMENT 'the partition of the ledger that holds the row' CODEC(ZSTD(1)),
    identity  UInt64,
    placed    UInt64 COMMENT 'of an order.placed' CODEC(ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (stream, partition, offset)
SETTINGS merge_selector_base = 10, fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

INSERT INTO places SELECT stream, partition, offset, toYYYYMM(occurred_at), cityHash64(source, event_id),
       if(event_type = 'makegood.order.placed.v1', cityHash64('order.placed', order_id), 0) FROM ledger;

CREATE MATERIALIZED VIEW IF NOT EXISTS places_feed TO places AS
SELECT stream, partition, offset, toYYYYMM(occurred_at) AS month, cityHash64(source, event_id) AS identity,
       if(event_type = 'makegood.order.placed.v1', cityHash64('order.placed', order_id), 0) AS placed
-- A row that makegood wrote again (its version's lowest byte says so) has its place already.
FROM ledger WHERE version % 256 = 0;

-- How far the background checks have come: by places in the log, since no clock tells what was there when they looked.
DROP TABLE IF EXISTS checkpoints;
CREATE TABLE checkpoints
(
    name      LowCardinality(String),
    stream    Enum8('orders' = 1, 'errors' = 2, 'redeliveries' = 3, 'books' = 4),
    partition Int32,
    upto      Int64 COMMENT 'the offset after the last one that was checked'
)
ENGINE = ReplacingMergeTree(upto)
ORDER BY (name, stream, partition)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

-- What was booked once and was not there any more, and is read again from the log.
CREATE TABLE IF NOT EXISTS gaps
(
    stream    Enum8('orders' = 1, 'errors' = 2, 'redeliveries' = 3, 'books' = 4),
    partition Int32,
    first     Int64 COMMENT 'offset of the first record',
    upto      Int64 COMMENT 'the offset after the last one',
    records   UInt64,
    found     DateTime64(3, 'UTC') COMMENT 'by the clock of who found it',
    closed    UInt8 COMMENT '1: all of it is booked again'
)
ENGINE = ReplacingMergeTree(closed)
ORDER BY (stream, partition, first, upto, found)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

-- The topics that the books are made of, by the id that the cluster gave them.
CREATE TABLE IF NOT EXISTS log_topics
(
    stream LowCardinality(String),
    topic  String,
    id     String
)
ENGINE = ReplacingMergeTree
ORDER BY (stream, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

-- +goose Down
DROP TABLE IF EXISTS places_feed;
DROP TABLE IF EXISTS places;
DROP TABLE IF EXISTS gaps;
DROP TABLE IF EXISTS log_topics;
DROP TABLE IF EXISTS checkpoints;
CREATE TABLE checkpoints (name String, at DateTime64(3, 'UTC')) ENGINE = ReplacingMergeTree(at) ORDER BY name;
