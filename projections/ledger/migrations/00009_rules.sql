-- +goose Up

-- By which rules a row was posted, and whether its event asks for rates at all. A rebuild passes over what neither today's
-- rules nor the rates can change. Of rows that were written before nothing is known: a rebuild posts them again.
ALTER TABLE ledger ADD COLUMN IF NOT EXISTS rules UInt32 DEFAULT 0 COMMENT 'fingerprint of the posting rules that the lines follow; 0 where that is not known';
ALTER TABLE ledger ADD COLUMN IF NOT EXISTS rated Bool DEFAULT true COMMENT 'the event asks for rates';

ALTER TABLE rebuilds ADD COLUMN IF NOT EXISTS whole Bool DEFAULT true COMMENT 'it passed over nothing';
ALTER TABLE rebuilds ADD COLUMN IF NOT EXISTS passed_over UInt64 DEFAULT 0 COMMENT 'rows that neither rules nor rates can change';
ALTER TABLE rebuilds ADD COLUMN IF NOT EXISTS rules UInt32 DEFAULT 0 COMMENT 'fingerprint of the posting rules that it was computed with';
ALTER TABLE rebuilds ADD COLUMN IF NOT EXISTS ends String DEFAULT '' COMMENT 'where the other streams ended when it began, stream/partition=offset';

-- +goose Down
ALTER TABLE rebuilds DROP COLUMN IF EXISTS ends;
ALTER TABLE rebuilds DROP COLUMN IF EXISTS rules;
ALTER TABLE rebuilds DROP COLUMN IF EXISTS passed_over;
ALTER TABLE rebuilds DROP COLUMN IF EXISTS whole;
ALTER TABLE ledger DROP COLUMN IF EXISTS rated;
ALTER TABLE ledger DROP COLUMN IF EXISTS rules;
