SELECT count(), countIf(is_readonly), countIf(active_replicas < total_replicas), sum(queue_size), max(absolute_delay)
FROM system.replicas
WHERE database = currentDatabase()
