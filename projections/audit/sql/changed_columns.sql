source, event_id, event_type, occurred_at, recorded_at, toUInt8(stream) AS stream_number, partition, offset, payload,
           voids_source, voids_id, voids_type, token
