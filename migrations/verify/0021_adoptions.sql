-- Violations of what 0021 promises; every count must be 0.
SELECT 'an index that adoptions are found by is missing or broken: ' || name AS check,
       (NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(name) AND indisvalid))::int AS violations
  FROM unnest(ARRAY['booking_intents_ahead', 'external_calendar_connections_adopt']) AS name
UNION ALL
SELECT 'tokens of new effects start by the clock',
       (NOT EXISTS (SELECT FROM information_schema.columns
                     WHERE table_schema = current_schema() AND table_name = 'booking_effects'
                       AND column_name = 'lease_token' AND column_default LIKE '%clock_timestamp()%'))::int;
