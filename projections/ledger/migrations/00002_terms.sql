-- +goose Up

-- Up to which offset of the books stream the rates and closed months were known when the row was posted. A record can be
-- booked while a close (or a rate) that it follows by its position is still on its way to the books stream; this finds
-- those rows again when it has arrived, without posting anything twice that knew it already.
ALTER TABLE ledger ADD COLUMN IF NOT EXISTS terms Int64 DEFAULT 0 COMMENT 'offset of the books stream up to which it was known when the row was posted' CODEC(Delta, ZSTD(1));

-- +goose Down
ALTER TABLE ledger DROP COLUMN IF EXISTS terms;
