-- +goose Up

-- What an event posts may depend on the other events of its unit: an order with its cases, or a case without an order. So a
-- line says itself of which case, currency and store it is; the lists are empty where all lines have those of the event. An
-- event says how it stands among the others, and what was known of the cases it changed with it and those before it.
ALTER TABLE ledger
    ADD COLUMN IF NOT EXISTS epoch          UInt32 DEFAULT 0 COMMENT 'closes that counted and stand before it in the log',
    ADD COLUMN IF NOT EXISTS settled        Bool DEFAULT false COMMENT 'its entry was made with the other events of its unit',
    ADD COLUMN IF NOT EXISTS standing       LowCardinality(String) DEFAULT '' COMMENT 'nothing where it counts; double, waits, voided, discarded, voids_nothing, copied',
    ADD COLUMN IF NOT EXISTS of_source      String DEFAULT '' COMMENT 'the event that counts in its place, or that it contradicts',
    ADD COLUMN IF NOT EXISTS of_id          String DEFAULT '',
    ADD COLUMN IF NOT EXISTS settled_with   String DEFAULT '' COMMENT 'the unit, where neither order nor case of the event name it',
    ADD COLUMN IF NOT EXISTS sold_by        LowCardinality(String) DEFAULT '' COMMENT 'the store that placed the order',
    ADD COLUMN IF NOT EXISTS step           Array(Enum8('' = 0, 'perfect' = 1, 'change' = 2, 'fix' = 3)) DEFAULT arrayWithConstant(length(account),
        multiIf('makegood.order.placed.v1' IN (event_type, voids_type), 1, 'makegood.order.cancelled.v1' IN (event_type, voids_type), 2, order_id = '' AND error_id = '', 0, 3)),
    -- A list of tuples, not as many lists: nearly all rows have none of them, and each list costs every row. Readers see the lists.
    ADD COLUMN IF NOT EXISTS own_lines Array(Tuple(case String, currency String, store String)) DEFAULT [],
    ADD COLUMN IF NOT EXISTS facts Array(Tuple(case String, kind String, root_cause String, party String, vendor String, employee String, severity String, avoidable String,
        category String, founded String, reported String, same_as String)) DEFAULT [] COMMENT 'what is known of the cases that the event changed',
    ADD COLUMN IF NOT EXISTS flags Array(Tuple(code String, case String, currency String, amount Decimal(18, 4))) DEFAULT [] COMMENT 'what of it can''t be right',
    ADD COLUMN IF NOT EXISTS line_case      Array(String) ALIAS own_lines.case,
    ADD COLUMN IF NOT EXISTS line_currency  Array(String) ALIAS own_lines.currency,
    ADD COLUMN IF NOT EXISTS line_store     Array(String) ALIAS own_lines.store,
    ADD COLUMN IF NOT EXISTS fact_case       Array(String) ALIAS facts.case,
    ADD COLUMN IF NOT EXISTS fact_kind       Array(String) ALIAS facts.kind,
    ADD COLUMN IF NOT EXISTS fact_root_cause Array(String) ALIAS facts.root_cause,
    ADD COLUMN IF NOT EXISTS fact_party      Array(String) ALIAS facts.party,
    ADD COLUMN IF NOT EXISTS fact_vendor     Array(String) ALIAS facts.vendor,
    ADD COLUMN IF NOT EXISTS fact_employee   Array(String) ALIAS facts.employee,
    ADD COLUMN IF NOT EXISTS fact_severity   Array(String) ALIAS facts.severity,
    ADD COLUMN IF NOT EXISTS fact_avoidable  Array(String) ALIAS facts.avoidable COMMENT 'true, false, or nothing',
    ADD COLUMN IF NOT EXISTS fact_category   Array(String) ALIAS facts.category COMMENT 'internal (found before delivery) or external',
    ADD COLUMN IF NOT EXISTS fact_founded    Array(String) ALIAS facts.founded COMMENT 'yes or no',
    ADD COLUMN IF NOT EXISTS fact_reported   Array(String) ALIAS facts.reported COMMENT 'yes, or no where a fix made the case',
    ADD COLUMN IF NOT EXISTS fact_same_as    Array(String) ALIAS facts.same_as,
    ADD COLUMN IF NOT EXISTS flag_code       Array(String) ALIAS flags.code,
    ADD COLUMN IF NOT EXISTS flag_case       Array(String) ALIAS flags.case,
    ADD COLUMN IF NOT EXISTS flag_currency   Array(String) ALIAS flags.currency,
    ADD COLUMN IF NOT EXISTS flag_amount     Array(Decimal(18, 4)) ALIAS flags.amount;

-- Under which orders a case is named; an empty one for a case without an order. A case that is made part of another one names
-- that as well.
CREATE TABLE IF NOT EXISTS case_units
(
    error_id String,
    order_id String
)
ENGINE = ReplacingMergeTree
ORDER BY (error_id, order_id);

INSERT INTO case_units SELECT DISTINCT error_id, order_id FROM ledger WHERE error_id != '';

CREATE MATERIALIZED VIEW IF NOT EXISTS case_units_feed TO case_units AS
WITH arrayJoin(if(event_type = 'makegood.error.classified.v1', [error_id, JSONExtractString(payload, 'same_as')], [error_id])) AS named
SELECT named AS error_id, order_id FROM ledger WHERE error_id != '' AND named != '';

-- Orders that were settled without their order.placed: when that comes, they are settled again.
CREATE TABLE IF NOT EXISTS unplaced_orders
(
    order_id String,
    placed   Bool COMMENT 'it came since',
    version  UInt64 DEFAULT toUnixTimestamp64Nano(now64(9))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY order_id;

-- The failures of version 1 asked the data of events what they say of their case. They are made again, by unit: what is
-- known of a case stands on the rows that changed it, and a line has its case, currency and store.
DROP TABLE IF EXISTS failures_feed;
DROP TABLE IF EXISTS failures;
CREATE TABLE failures
(
    unit           String COMMENT 'the order, or the case that has none',
    order_id       String,
    error_id       String,
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
    epoch          UInt32,
    voids_type     LowCardinality(String),
    voids_source   LowCardinality(String),
    voids_id       String,
    standing       LowCardinality(String),
    of_source      String,
    of_id          String,
    sold_by        LowCardinality(String),
    account        Array(UInt16),
    element        Array(Enum8('' = 0, 'REFUND' = 1, 'GOODS' = 2, 'WRITE_DOWN' = 3, 'FREIGHT_OUT' = 4, 'FREIGHT_RETURN' = 5, 'FLEET' = 6, 'LABOUR' = 7, 'CONCESSION' = 8, 'DISPUTE' = 9, 'MARKETPLACE' = 10, 'RECOVERY' = 11, 'SALVAGE' = 12)),
    basis          Array(Enum8('CASH' = 1, 'ACCRUED' = 2, 'IMPUTED' = 3)),
    amount         Array(Decimal(18, 4)),
    step           Array(Enum8('' = 0, 'perfect' = 1, 'change' = 2, 'fix' = 3)),
    line_case      Array(String),
    line_currency  Array(String),
    line_store     Array(String),
    fact_case       Array(String),
    fact_kind       Array(String),
    fact_root_cause Array(String),
    fact_party      Array(String),
    fact_vendor     Array(String),
    fact_employee   Array(String),
    fact_severity   Array(String),
    fact_avoidable  Array(String),
    fact_category   Array(String),
    fact_founded    Array(String),
    fact_reported   Array(String),
    fact_same_as    Array(String),
    flag_code       Array(String),
    flag_case       Array(String),
    flag_currency   Array(String),
    flag_amount     Array(Decimal(18, 4)),
    refused        LowCardinality(String),
    version        UInt64,
    INDEX by_case error_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_line_case line_case TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (unit, source, event_id, content)
SETTINGS index_granularity = 1024;

-- What version 1 knew of its cases, from the data, on each of their rows: a rebuild brings the rest.
INSERT INTO failures
WITH events AS (
        SELECT source, event_id, error_id, event_type, occurred_at, voids_source, voids_id,
               JSONExtract(if(event_type IN ('makegood.error.reported.v1', 'makegood.error.classified.v1'), payload, '{}'),
                   'Tuple(kind String, found String, root_cause String, party_at_fault String, vendor_id String, employee_id String, severity String, avoidable Nullable(Bool))') AS said
        FROM ledger FINAL WHERE refused = '' AND (error_id != '' OR voids_id != '')),
    targets AS (SELECT voids_source, voids_id FROM events WHERE voids_id != ''),
    voided AS (SELECT voids_source, voids_id FROM events WHERE voids_id != '' AND (source, event_id) NOT IN targets),
    cases AS (
        SELECT error_id,
               arrayMap(f -> if(notEmpty(arrayFilter(s -> s.2 != '', f.2)), arraySort(arrayFilter(s -> s.2 != '', f.2))[-1].2,
                   if(notEmpty(arrayFilter(s -> s.2 != '', f.1)), arraySort(arrayFilter(s -> s.2 != '', f.1))[1].2, '')), [
                   (groupArrayIf((at, said.kind), NOT later), groupArrayIf((at, said.kind), later)),
                   (groupArrayIf((at, said.root_cause), NOT later), groupArrayIf((at, said.root_cause), later)),
                   (groupArrayIf((at, said.party_at_fault), NOT later), groupArrayIf((at, said.party_at_fault), later)),
                   (groupArrayIf((at, said.vendor_id), NOT later), groupArrayIf((at, said.vendor_id), later)),
                   (groupArrayIf((at, said.employee_id), NOT later), groupArrayIf((at, said.employee_id), later)),
                   (groupArrayIf((at, said.severity), NOT later), groupArrayIf((at, said.severity), later)),
                   (groupArrayIf((at, avoids), NOT later), groupArrayIf((at, avoids), later)),
                   (groupArrayIf((at, said.found), NOT later), groupArrayIf((at, said.found), later))]) AS known,
               if(countIf(event_type = 'makegood.error.rejected.v1') > 0 OR known[1] = 'changed_mind', 'no', 'yes') AS founded,
               if(countIf(event_type = 'makegood.error.reported.v1') > 0, 'yes', 'no') AS reported
        FROM (SELECT *, (occurred_at, toString(source), event_id) AS at, event_type = 'makegood.error.classified.v1' AS later,
                     multiIf(said.avoidable IS NULL, '', said.avoidable, 'true', 'false') AS avoids FROM events)
        WHERE error_id != '' AND (source, event_id) NOT IN voided
        GROUP BY error_id)
SELECT if(l.order_id != '', l.order_id, l.error_id) AS unit, l.order_id, l.error_id, l.source, l.event_id, l.content, l.event_type, l.store_id, l.currency, l.occurred_at,
       l.recorded_at, l.day, l.posting_period, l.origin_period, l.stream, l.partition, l.offset, l.epoch, l.voids_type, l.voids_source, l.voids_id, l.standing, l.of_source, l.of_id, l.sold_by,
       l.account, l.element, l.basis, l.amount, l.step, arrayWithConstant(length(l.account), l.error_id), arrayWithConstant(length(l.account), toString(l.currency)),
       arrayWithConstant(length(l.account), toString(l.store_id)),
       if(c.error_id = '', [], [c.error_id]) AS of, if(empty(of), [], [c.known[1]]), if(empty(of), [], [c.known[2]]), if(empty(of), [], [c.known[3]]), if(empty(of), [], [c.known[4]]),
       if(empty(of), [], [c.known[5]]), if(empty(of), [], [c.known[6]]), if(empty(of), [], [c.known[7]]), if(empty(of), [], [if(c.known[8] = 'before_delivery', 'internal', 'external')]),
       if(empty(of), [], [c.founded]), if(empty(of), [], [c.reported]), if(empty(of), [], ['']), [], [], [], [], l.refused, l.version
FROM (SELECT * FROM ledger FINAL) AS l LEFT JOIN cases AS c ON c.error_id = l.error_id
WHERE l.error_id != '' OR l.refused != '' OR arrayExists(e -> e != '', l.element);

CREATE MATERIALIZED VIEW failures_feed TO failures AS
SELECT multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id) AS unit, order_id, error_id, source, event_id, content, event_type, store_id, currency, occurred_at, recorded_at, day,
       posting_period, origin_period, stream, partition, offset, epoch, voids_type, voids_source, voids_id, standing, of_source, of_id, sold_by,
       account, element, basis, amount, step,
       if(empty(line_case), arrayWithConstant(length(account), error_id), line_case) AS line_case,
       if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS line_currency,
       if(empty(line_store), arrayWithConstant(length(account), toString(store_id)), line_store) AS line_store,
       fact_case, fact_kind, fact_root_cause, fact_party, fact_vendor, fact_employee, fact_severity, fact_avoidable, fact_category, fact_founded, fact_reported, fact_same_as,
       flag_code, flag_case, flag_currency, flag_amount, refused, version
FROM ledger
-- What leaves the books, and what was settled once and bears on nothing any more, must say so here too.
WHERE error_id != '' OR refused != '' OR settled;

-- Orders placed twice are found as conflicts are: by a hash of the order, and of the event as its content.
DROP TABLE IF EXISTS identities_feed;
CREATE MATERIALIZED VIEW identities_feed TO identities AS
WITH arrayJoin(if(event_type = 'makegood.order.placed.v1', [0, 1], [0])) AS of_order
SELECT if(of_order = 1, cityHash64('order.placed', order_id), cityHash64(source, event_id)) AS identity,
       if(of_order = 1, cityHash64(source, event_id), content) AS content, toYYYYMM(occurred_at) AS month, now64(3) AS arrived_at
FROM ledger WHERE refused = '';

INSERT INTO identities (identity, content, month, arrived_at)
SELECT cityHash64('order.placed', order_id), cityHash64(source, event_id), toYYYYMM(occurred_at), now64(3)
FROM ledger WHERE refused = '' AND event_type = 'makegood.order.placed.v1';

-- The roll-up, by unit; part says to which figure its amounts belong.
DROP TABLE IF EXISTS leakage_daily;
CREATE TABLE leakage_daily
(
    unit           String COMMENT 'the order, or the case that has none',
    day            Date COMMENT 'in the time zone of the books',
    posting_day    Date COMMENT 'day, or the first of the posting period where that is later',
    currency       LowCardinality(String),
    store_id       LowCardinality(String) COMMENT 'who fixed it',
    selling_store  LowCardinality(String) COMMENT 'who sold it',
    error_id       String,
    order_id       String,
    account        UInt16,
    element        LowCardinality(String) COMMENT 'nothing where the customer changed the order',
    basis          LowCardinality(String),
    part           LowCardinality(String) COMMENT 'leakage, changed_mind, unfounded or customer_changes',
    vendor_id      String,
    kind           LowCardinality(String),
    root_cause     LowCardinality(String),
    party_at_fault LowCardinality(String),
    employee_id    String,
    avoidable      LowCardinality(String),
    category       LowCardinality(String) COMMENT 'internal (found before delivery) or external',
    founded        LowCardinality(String) COMMENT 'yes, no, or nothing where there is no case',
    amount         Decimal(38, 4) COMMENT 'the sign of a cost',
    lines          UInt64 COMMENT 'journal lines in amount',
    version        UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (unit, error_id, day, posting_day, currency, store_id, account, element, basis);

INSERT INTO leakage_daily
WITH known AS (
        SELECT unit, of, argMax((kind, cause, party, vendor, employee, avoids, internal, founds), (epoch, occurred_at, source, event_id)) AS f
        FROM failures FINAL ARRAY JOIN fact_case AS of, fact_kind AS kind, fact_root_cause AS cause, fact_party AS party, fact_vendor AS vendor, fact_employee AS employee,
             fact_avoidable AS avoids, fact_category AS internal, fact_founded AS founds
        WHERE refused = '' GROUP BY unit, of)
SELECT e.unit, e.day, greatest(e.day, e.posting_period), lc, ls, any(e.sold_by), le, e.order_id, a, toString(k), toString(b),
       multiIf(le != '' AND any(c.f.1) = 'changed_mind', 'changed_mind', le != '' AND any(c.f.8) = 'no', 'unfounded', 'leakage'),
       any(c.f.4), any(c.f.1), any(c.f.2), any(c.f.3), any(c.f.5), any(c.f.6), if(any(c.f.7) = '', 'external', any(c.f.7)), any(c.f.8),
       sum(CAST(x AS Decimal(38, 4))), countIf(x != 0), toUnixTimestamp64Nano(now64(9))
FROM (SELECT * FROM failures FINAL WHERE refused = '') AS e
ARRAY JOIN e.account AS a, e.element AS k, e.basis AS b, e.amount AS x, e.line_case AS le, e.line_currency AS lc, e.line_store AS ls
LEFT JOIN known AS c ON c.unit = e.unit AND c.of = le
WHERE k != ''
GROUP BY e.unit, e.day, greatest(e.day, e.posting_period), lc, ls, le, e.order_id, a, k, b
SETTINGS max_partitions_per_insert_block = 0;

-- +goose Down
SELECT throwIf(true, 'version 2 of the contract has no way back: restore a backup of before');
