-- +goose Up

-- Where a dead letter was last seen, and what somebody had seen of it who dealt with it: places in the log, since the
-- clocks of two machines can't tell which was first.
ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS last_offset SimpleAggregateFunction(max, Int64) DEFAULT offset;
ALTER TABLE dead_letter_actions ADD COLUMN IF NOT EXISTS seen_offset Int64 DEFAULT 9223372036854775807;

-- +goose Down
ALTER TABLE dead_letters DROP COLUMN IF EXISTS last_offset;
ALTER TABLE dead_letter_actions DROP COLUMN IF EXISTS seen_offset;
