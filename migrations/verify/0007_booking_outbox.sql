SELECT 'what was relayed is known or a dead letter' AS check, count(*) AS violations
  FROM booking_outbox o
 WHERE o.relayed_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM booking_intents i WHERE i.booking_id = o.booking_id)
   AND NOT EXISTS (SELECT FROM dead_letters d WHERE d.kind = 'booking_event' AND d.subject = 'outbox:' || o.event_id);
