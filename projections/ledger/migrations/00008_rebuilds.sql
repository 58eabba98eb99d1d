-- +goose Up

-- What there is to know of each rebuild of the books: how far it is, who asked for it, what it changes. The newest version
-- of a row counts. Its shadow stands in tables of its own while it is under way, named for it.
CREATE TABLE IF NOT EXISTS rebuilds
(
    id             String,
    state          LowCardinality(String) COMMENT 'computing, ready, swapping, done, failed or discarded',
    actor          String,
    reason         String,
    closed_periods Bool COMMENT 'months that are closed may move',
    started        DateTime64(3, 'UTC'),
    snapshot       DateTime64(3, 'UTC') COMMENT 'what arrived before is in the shadow',
    terms          Int64 COMMENT 'offset of the books stream up to which it knows the rates and the closed months',
    done           UInt64 COMMENT 'rows of the ledger looked at',
    total          UInt64 COMMENT 'rows of the ledger, copies included',
    report         String COMMENT 'what it changes, as JSON; empty until that is known',
    error          String,
    updated        DateTime64(3, 'UTC') DEFAULT now64(3),
    version        UInt64 DEFAULT toUnixTimestamp64Nano(now64(9))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id;

-- +goose Down
DROP TABLE IF EXISTS rebuilds;
