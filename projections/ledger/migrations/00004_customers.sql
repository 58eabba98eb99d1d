-- +goose Up

-- Who ordered. Whether an order was a customer's first, and whether they came back, is asked of all of history: from a
-- column of its own that is some ten bytes an order, from the data it would be all that was ever sent. Rows written
-- before there was this column compute it from their data.
ALTER TABLE ledger ADD COLUMN IF NOT EXISTS customer_id String
    DEFAULT if(event_type = 'makegood.order.placed.v1', JSONExtractString(payload, 'customer_id'), '') COMMENT 'of order.placed' CODEC(ZSTD(1));

-- +goose Down
ALTER TABLE ledger DROP COLUMN IF EXISTS customer_id;
