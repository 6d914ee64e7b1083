SELECT 'effects are never ahead of their booking' AS check, count(*) AS violations
  FROM booking_effects e JOIN booking_intents i USING (booking_id) WHERE e.version > i.version
UNION ALL
SELECT 'effects have applied no more than is wanted', count(*) FROM booking_effects WHERE applied_version > version
UNION ALL
SELECT 'live bookings have times and details', count(*)
  FROM booking_intents WHERE state = 'live' AND (start_time IS NULL OR end_time IS NULL OR details IS NULL)
UNION ALL
SELECT 'a cancelled mapping blocks nothing', count(*)
  FROM external_calendar_events WHERE booking_id IS NOT NULL AND sync_status = 'CANCELLED' AND is_busy
UNION ALL
SELECT 'every mapping has an ical_uid', count(*)
  FROM external_calendar_events WHERE booking_id IS NOT NULL AND ical_uid IS NULL;
