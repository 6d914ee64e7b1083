-- Violations of what 0022 promises; every count must be 0.
SELECT 'an index of what belongs to a connection is missing or broken: ' || name AS check,
       (NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(name) AND indisvalid))::int AS violations
  FROM unnest(ARRAY['booking_effects_connection', 'external_calendar_events_connection']) AS name
UNION ALL
SELECT 'the age of work is not noted: ' || name,
       (NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = name AND tgenabled = 'O'))::int
  FROM unnest(ARRAY['external_calendar_connections_due_since', 'booking_effects_inspect_since']) AS name;
