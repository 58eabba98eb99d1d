SELECT table, name FROM system.detached_parts
WHERE database = currentDatabase() AND table IN (?)
    -- What a server of a cluster detaches by itself, it fetches from another one.
    AND (reason = '' OR table NOT IN (
        SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(engine, 'Replicated')))
    AND concat('detached ', table, ' ', name) NOT IN (SELECT toString(name) FROM checkpoints)
