-- +goose Up

-- What a rebuild posts for units stands in rows of their own, under the identity of the rebuild's event. They are no other
-- event of that identity, and no conflict with it.
DROP TABLE IF EXISTS identities_feed;
CREATE MATERIALIZED VIEW identities_feed TO identities AS
WITH arrayJoin(if(event_type = 'makegood.order.placed.v1', [0, 1], [0])) AS of_order
SELECT if(of_order = 1, cityHash64('order.placed', order_id), cityHash64(source, event_id)) AS identity,
       if(of_order = 1, cityHash64(source, event_id), content) AS content, toYYYYMM(occurred_at) AS month, now64(3) AS arrived_at
FROM ledger WHERE refused = '' AND NOT (event_type = 'makegood.books.rebuilt.v1' AND (order_id != '' OR error_id != ''));

-- +goose Down
SELECT throwIf(true, 'what a rebuild posted has rows of their own: restore a backup of before');
