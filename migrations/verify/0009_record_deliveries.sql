SELECT 'receipts older than they may be, of connections that are gone' AS check, count(*) AS violations
  FROM deliveries d
 WHERE d.received_at < now() - interval '8 days'
   AND NOT EXISTS (SELECT FROM external_calendar_connections c WHERE c.id = d.connection_id);
