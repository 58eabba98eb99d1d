-- +goose Up

-- What came after a rebuild began is told by the numbers that ClickHouse gives to blocks of rows, and by no clock. Rows keep
-- theirs when parts are merged.
ALTER TABLE identities MODIFY SETTING enable_block_number_column = 1;
ALTER TABLE rebuilds ADD COLUMN IF NOT EXISTS seen String COMMENT 'the blocks of identities that are in the shadow, as JSON' AFTER snapshot;

-- Of two notes of one order the later insert counts: their versions are the same, and stand above all that a clock gave.
ALTER TABLE unplaced_orders MODIFY COLUMN version UInt64 DEFAULT 4611686018427387904;

-- +goose Down
ALTER TABLE unplaced_orders MODIFY COLUMN version UInt64 DEFAULT toUnixTimestamp64Nano(now64(9));
ALTER TABLE rebuilds DROP COLUMN IF EXISTS seen;
ALTER TABLE identities RESET SETTING enable_block_number_column;
