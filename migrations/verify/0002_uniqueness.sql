SELECT 'one connection per provider and calendar provider' AS check, count(*) AS violations FROM (
  SELECT FROM external_calendar_connections GROUP BY provider_id, calendar_provider HAVING count(*) > 1) d
UNION ALL
SELECT 'one row per external event', count(*) FROM (
  SELECT FROM external_calendar_events WHERE external_event_id IS NOT NULL
   GROUP BY provider_id, calendar_provider, external_event_id HAVING count(*) > 1) d
UNION ALL
SELECT 'one mapping per booking and calendar provider', count(*) FROM (
  SELECT FROM external_calendar_events WHERE booking_id IS NOT NULL
   GROUP BY booking_id, calendar_provider HAVING count(*) > 1) d
UNION ALL
SELECT 'one receipt per delivery', count(*) FROM (
  SELECT FROM deliveries GROUP BY connection_id, delivery_key HAVING count(*) > 1) d
UNION ALL
SELECT 'every constraint is validated', count(*) FROM pg_constraint
 WHERE NOT convalidated AND connamespace = current_schema()::regnamespace
UNION ALL
SELECT 'every index is usable', count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace;
