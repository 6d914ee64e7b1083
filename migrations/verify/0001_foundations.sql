-- Each row: a statement about the data, and how many rows break it. All counts must be zero.
SELECT 'connections have applied no more than was requested' AS check, count(*) AS violations
  FROM external_calendar_connections WHERE applied > requested
UNION ALL
SELECT 'sync_needed says what the counters say', count(*)
  FROM external_calendar_connections WHERE sync_needed IS DISTINCT FROM (requested > applied)
UNION ALL
SELECT 'events end after they start', count(*) FROM external_calendar_events WHERE end_time <= start_time
UNION ALL
SELECT 'events carry the provider of their connection', count(*)
  FROM external_calendar_events e JOIN external_calendar_connections c ON c.id = e.connection_id
 WHERE e.provider_id <> c.provider_id OR e.calendar_provider <> c.calendar_provider
UNION ALL
SELECT 'no event without its connection', count(*)
  FROM external_calendar_events e WHERE NOT EXISTS (SELECT FROM external_calendar_connections c WHERE c.id = e.connection_id);
