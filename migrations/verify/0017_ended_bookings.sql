-- Violations of what 0017 promises; every count must be 0.
SELECT 'a mapping whose booking is forgotten' AS check, count(*)::int AS violations
  FROM external_calendar_events m
 WHERE m.booking_id IS NOT NULL AND NOT EXISTS (SELECT FROM booking_intents i WHERE i.booking_id = m.booking_id);
