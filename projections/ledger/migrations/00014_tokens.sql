-- +goose Up

-- Who sends an event is let in by a token. Its name is kept beside the actor that the event claims, for what an audit shows.
ALTER TABLE ledger ADD COLUMN IF NOT EXISTS token LowCardinality(String) DEFAULT '' COMMENT 'name of the token that it was sent with; empty where that is not known';

-- +goose Down
ALTER TABLE ledger DROP COLUMN IF EXISTS token;
