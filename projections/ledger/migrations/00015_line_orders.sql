-- +goose Up

-- Two orders that name one case are settled together. What one event of theirs changes may be of the other order: a line, and
-- what is known of a case, say of which order they are where that isn't the event's.
DROP TABLE IF EXISTS failures_feed;
ALTER TABLE ledger
    MODIFY COLUMN own_lines Array(Tuple(case String, currency String, store String, order String)) DEFAULT [],
    MODIFY COLUMN facts Array(Tuple(case String, kind String, root_cause String, party String, vendor String, employee String, severity String, avoidable String,
        category String, founded String, reported String, same_as String, order String)) DEFAULT [] COMMENT 'what is known of the cases that the event changed';
ALTER TABLE ledger
    ADD COLUMN IF NOT EXISTS line_order Array(String) ALIAS own_lines.order,
    ADD COLUMN IF NOT EXISTS fact_order Array(String) ALIAS facts.order;
ALTER TABLE failures
    ADD COLUMN IF NOT EXISTS line_order Array(String) DEFAULT arrayWithConstant(length(account), '') AFTER line_store,
    ADD COLUMN IF NOT EXISTS fact_order Array(String) DEFAULT arrayWithConstant(length(fact_case), '') AFTER fact_same_as;

CREATE MATERIALIZED VIEW failures_feed TO failures AS
SELECT multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id) AS unit, order_id, error_id, source, event_id, content, event_type, store_id, currency, occurred_at, recorded_at, day,
       posting_period, origin_period, stream, partition, offset, epoch, voids_type, voids_source, voids_id, standing, of_source, of_id, sold_by,
       account, element, basis, amount, step,
       if(empty(line_case), arrayWithConstant(length(account), error_id), line_case) AS line_case,
       if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS line_currency,
       if(empty(line_store), arrayWithConstant(length(account), toString(store_id)), line_store) AS line_store,
       if(empty(line_order), arrayWithConstant(length(account), ''), line_order) AS line_order,
       fact_case, fact_kind, fact_root_cause, fact_party, fact_vendor, fact_employee, fact_severity, fact_avoidable, fact_category, fact_founded, fact_reported, fact_same_as, fact_order,
       flag_code, flag_case, flag_currency, flag_amount, refused, version
FROM ledger
WHERE error_id != '' OR refused != '' OR settled;

-- +goose Down
SELECT throwIf(true, 'the books know of which order their lines are: restore a backup of before');
