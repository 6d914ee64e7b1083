SELECT 'processes were seen after they started' AS check, count(*) AS violations FROM processes WHERE seen_at < started_at;
