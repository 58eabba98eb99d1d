-- +goose Up

-- Merges took more of the server's time than inserts: with the usual base of 5 every row was written again 1.4 times while a
-- backlog of a million came in, and as often once more in identities. With 10 it is 0.9 times, and there are a few parts more.
ALTER TABLE ledger MODIFY SETTING merge_selector_base = 10;
ALTER TABLE identities MODIFY SETTING merge_selector_base = 10;

-- +goose Down
ALTER TABLE identities RESET SETTING merge_selector_base;
ALTER TABLE ledger RESET SETTING merge_selector_base;
