-- Violations of what 0020 promises; every count must be 0.
SELECT 'every event belongs to a connection' AS check, count(*) AS violations FROM external_calendar_events e
 WHERE NOT EXISTS (SELECT FROM external_calendar_connections c WHERE c.id = e.connection_id)
UNION ALL
SELECT 'nothing keeps events to their connections: ' || name, 1
  FROM unnest(ARRAY['external_calendar_events_added', 'external_calendar_events_moved', 'external_calendar_connections_gone',
                    'external_calendar_connections_truncated', 'external_calendar_connections_kept_id']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                    WHERE t.tgname = name AND t.tgenabled = 'O' AND c.relnamespace = current_schema()::regnamespace);
