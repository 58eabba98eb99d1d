-- +goose Up

-- One event = one row: the envelope, the data as it came, and the journal lines as arrays, so that a crash can't tear an
-- event from its entry and a retry writes the same row again. What collapses is what the sorting key says: the same
-- event with the same content. The highest version stays: the first recorded copy, unless makegood itself revised it.
CREATE TABLE IF NOT EXISTS ledger
(
    source         LowCardinality(String),
    event_id       String,
    content        UInt64 COMMENT 'hash of what the event means: two rows of one identity with two contents are a conflict',
    event_type     LowCardinality(String),
    order_id       String,
    error_id       String,
    store_id       LowCardinality(String),
    currency       LowCardinality(String),
    occurred_at    DateTime64(6, 'UTC'),
    recorded_at    DateTime64(3, 'UTC'),
    day            Date COMMENT 'of occurred_at in the time zone of the books',
    posting_period Date COMMENT 'first day of the month',
    origin_period  Date COMMENT 'first day of the month',
    stream         Enum8('orders' = 1, 'errors' = 2, 'redeliveries' = 3, 'books' = 4),
    partition      Int32,
    offset         Int64,
    payload        String COMMENT 'the data member, byte for byte' CODEC(ZSTD(1)),
    extensions     String COMMENT 'envelope attributes that the contract does not know, as a JSON object',
    voids_type     LowCardinality(String) COMMENT 'of a void: the type of what it takes back',
    voids_source   LowCardinality(String),
    voids_id       String,
    account        Array(UInt16),
    element        Array(Enum8('' = 0, 'REFUND' = 1, 'GOODS' = 2, 'WRITE_DOWN' = 3, 'FREIGHT_OUT' = 4, 'FREIGHT_RETURN' = 5, 'FLEET' = 6, 'LABOUR' = 7, 'CONCESSION' = 8, 'DISPUTE' = 9, 'MARKETPLACE' = 10, 'RECOVERY' = 11, 'SALVAGE' = 12)),
    basis          Array(Enum8('CASH' = 1, 'ACCRUED' = 2, 'IMPUTED' = 3)),
    amount         Array(Decimal(18, 4)) COMMENT 'debit +, credit -',
    unpriced       Array(String) COMMENT 'the rates that were missing',
    refused        LowCardinality(String) COMMENT 'why the event is out of the books: it has no lines and counts nowhere',
    version        UInt64,
    INDEX by_case error_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (order_id, source, event_id, content)
SETTINGS index_granularity = 2048;

-- Everything that bears on a fix, out of the ledger: some ten per cent of it. Roll-ups and as_of reports read this. What
-- an event says of its case is read from its data here, once.
CREATE TABLE IF NOT EXISTS failures
(
    error_id       String,
    order_id       String,
    source         LowCardinality(String),
    event_id       String,
    content        UInt64,
    event_type     LowCardinality(String),
    store_id       LowCardinality(String),
    currency       LowCardinality(String),
    occurred_at    DateTime64(6, 'UTC'),
    recorded_at    DateTime64(3, 'UTC'),
    day            Date,
    posting_period Date,
    origin_period  Date,
    stream         Enum8('orders' = 1, 'errors' = 2, 'redeliveries' = 3, 'books' = 4),
    partition      Int32,
    offset         Int64,
    voids_type     LowCardinality(String),
    voids_source   LowCardinality(String),
    voids_id       String,
    kind           LowCardinality(String),
    found          LowCardinality(String),
    detected_by    LowCardinality(String),
    root_cause     LowCardinality(String),
    party_at_fault LowCardinality(String),
    vendor_id      String,
    employee_id    String,
    severity       LowCardinality(String),
    avoidable      LowCardinality(String) COMMENT 'true, false, or nothing',
    account        Array(UInt16),
    element        Array(Enum8('' = 0, 'REFUND' = 1, 'GOODS' = 2, 'WRITE_DOWN' = 3, 'FREIGHT_OUT' = 4, 'FREIGHT_RETURN' = 5, 'FLEET' = 6, 'LABOUR' = 7, 'CONCESSION' = 8, 'DISPUTE' = 9, 'MARKETPLACE' = 10, 'RECOVERY' = 11, 'SALVAGE' = 12)),
    basis          Array(Enum8('CASH' = 1, 'ACCRUED' = 2, 'IMPUTED' = 3)),
    amount         Array(Decimal(18, 4)),
    refused        LowCardinality(String),
    version        UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (error_id, order_id, source, event_id, content)
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS failures_feed TO failures AS
WITH event_type IN ('makegood.error.reported.v1', 'makegood.error.classified.v1') AS says,
     JSONExtract(if(says, payload, '{}'), 'Tuple(kind String, found String, detected_by String, root_cause String, party_at_fault String, vendor_id String, employee_id String, severity String, avoidable Nullable(Bool))') AS facts
SELECT error_id, order_id, source, event_id, content, event_type, store_id, currency, occurred_at, recorded_at, day,
       posting_period, origin_period, stream, partition, offset, voids_type, voids_source, voids_id,
       facts.kind AS kind, facts.found AS found, facts.detected_by AS detected_by, facts.root_cause AS root_cause,
       facts.party_at_fault AS party_at_fault, facts.vendor_id AS vendor_id, facts.employee_id AS employee_id,
       facts.severity AS severity, multiIf(facts.avoidable IS NULL, '', facts.avoidable, 'true', 'false') AS avoidable,
       account, element, basis, amount, refused, version
FROM ledger
-- What leaves the books has no lines any more, and must leave here too.
WHERE error_id != '' OR refused != '' OR arrayExists(e -> e != '', element);

-- Where every identity was seen with which content: finds the conflicts that the ledger's key can't fold, since another
-- order or another day is another key. Some 30 bytes an event. By the month of arrival, so that what is new is found by
-- pruning.
CREATE TABLE IF NOT EXISTS identities
(
    identity   UInt64 COMMENT 'cityHash64(source, event_id)',
    content    UInt64,
    month      UInt32 COMMENT 'the partition of the ledger that holds the row',
    arrived_at DateTime64(3, 'UTC') DEFAULT now64(3),
    INDEX arrivals arrived_at TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(arrived_at)
ORDER BY identity;

CREATE MATERIALIZED VIEW IF NOT EXISTS identities_feed TO identities AS
SELECT cityHash64(source, event_id) AS identity, content, toYYYYMM(occurred_at) AS month, now64(3) AS arrived_at
FROM ledger WHERE refused = '';

-- The voids, by what they take back.
CREATE TABLE IF NOT EXISTS voids
(
    voids_source LowCardinality(String),
    voids_id     String,
    source       LowCardinality(String),
    event_id     String,
    content      UInt64,
    order_id     String,
    occurred_at  DateTime64(6, 'UTC'),
    recorded_at  DateTime64(3, 'UTC'),
    refused      LowCardinality(String),
    version      UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (voids_source, voids_id, source, event_id, content);

CREATE MATERIALIZED VIEW IF NOT EXISTS voids_feed TO voids AS
SELECT voids_source, voids_id, source, event_id, content, order_id, occurred_at, recorded_at, refused, version
FROM ledger WHERE voids_id != '';

-- The events with a line that no rate could price.
CREATE TABLE IF NOT EXISTS unpriced
(
    source      LowCardinality(String),
    event_id    String,
    content     UInt64,
    event_type  LowCardinality(String),
    order_id    String,
    error_id    String,
    occurred_at DateTime64(6, 'UTC'),
    recorded_at DateTime64(3, 'UTC'),
    missing     Array(String),
    version     UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, event_id, content);

CREATE MATERIALIZED VIEW IF NOT EXISTS unpriced_feed TO unpriced AS
SELECT source, event_id, content, event_type, order_id, error_id, occurred_at, recorded_at,
       if(refused = '', unpriced, []) AS missing, version
-- A row that was written again (its version's lowest byte, or the highest bit, say so) may have been unpriced before.
FROM ledger WHERE notEmpty(unpriced) OR refused != '' OR version % 256 != 0 OR bitTest(version, 63);

-- Leakage by day, down to the case: recomputed for the cases that new rows are of, never incremented. Read it FINAL.
CREATE TABLE IF NOT EXISTS leakage_daily
(
    day            Date COMMENT 'in the time zone of the books',
    posting_day    Date COMMENT 'day, or the first of the posting period where that is later',
    currency       LowCardinality(String),
    store_id       LowCardinality(String),
    error_id       String,
    order_id       String,
    account        UInt16,
    element        LowCardinality(String),
    basis          LowCardinality(String),
    vendor_id      String,
    kind           LowCardinality(String),
    root_cause     LowCardinality(String),
    party_at_fault LowCardinality(String),
    employee_id    String,
    avoidable      LowCardinality(String),
    category       LowCardinality(String) COMMENT 'internal (found before delivery) or external',
    founded        UInt8,
    amount         Decimal(38, 4),
    lines          UInt64 COMMENT 'journal lines in amount',
    version        UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (error_id, order_id, day, posting_day, currency, store_id, account, element, basis);

-- What could not be booked, as it came.
CREATE TABLE IF NOT EXISTS dead_letters
(
    id         String,
    topic      SimpleAggregateFunction(any, String),
    partition  SimpleAggregateFunction(any, Int32),
    offset     SimpleAggregateFunction(any, Int64),
    reason     SimpleAggregateFunction(any, String),
    detail     SimpleAggregateFunction(any, String),
    pointer    SimpleAggregateFunction(any, String),
    source     SimpleAggregateFunction(any, String),
    event_id   SimpleAggregateFunction(any, String),
    record_key SimpleAggregateFunction(any, String),
    headers    SimpleAggregateFunction(any, Map(String, String)),
    payload    SimpleAggregateFunction(any, String),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY id;

-- What a person did about a dead letter.
CREATE TABLE IF NOT EXISTS dead_letter_actions
(
    id     String,
    action Enum8('replayed' = 1, 'discarded' = 2),
    actor  String,
    at     DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (id, at);

-- How far the background checks have come.
CREATE TABLE IF NOT EXISTS checkpoints
(
    name String,
    at   DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY name;

-- +goose Down
DROP TABLE IF EXISTS failures_feed;
DROP TABLE IF EXISTS identities_feed;
DROP TABLE IF EXISTS voids_feed;
DROP TABLE IF EXISTS unpriced_feed;
DROP TABLE IF EXISTS checkpoints;
DROP TABLE IF EXISTS dead_letter_actions;
DROP TABLE IF EXISTS dead_letters;
DROP TABLE IF EXISTS leakage_daily;
DROP TABLE IF EXISTS unpriced;
DROP TABLE IF EXISTS voids;
DROP TABLE IF EXISTS identities;
DROP TABLE IF EXISTS failures;
DROP TABLE IF EXISTS ledger;
