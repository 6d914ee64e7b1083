-- Taking notifications in at a tenth of the cost. What each part saves was measured with batches of 32.

-- Up Migration

-- A receipt is no child: it is short-lived, holds ids only, and its connection was looked up a moment before. Checking
-- the parent again for every row took as long as everything else together. Who deletes a connection deletes its receipts.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_connection_fkey;

-- Receipts arrive in the order of time, so a summary of each range of pages finds the old ones as well as a tree would.
DROP INDEX deliveries_received_at;
CREATE INDEX deliveries_received_at ON deliveries USING brin (received_at);

-- Says the same as requested > applied, in a column that does not change while a connection stays dirty: raising its
-- counter then touches no index.
DROP INDEX external_calendar_connections_due;
CREATE INDEX external_calendar_connections_due ON external_calendar_connections (backoff_until)
  WHERE sync_needed AND status = 'active' AND sync_enabled;

-- A function because its plan is kept in the server's session: planning took as long as executing, and statements
-- prepared by clients do not survive a pooler in transaction mode.
CREATE FUNCTION record_deliveries(items jsonb, provider_ids jsonb, connection_ids jsonb)
  RETURNS TABLE (ordinal int, verdict text, must_ring boolean)
  LANGUAGE plpgsql
  -- Everything is found by its key, however few rows there were when the plan was made.
  SET enable_seqscan = off
AS $$
BEGIN
  RETURN QUERY
  WITH judged AS MATERIALIZED (
    SELECT i.ordinal, i.connection_id, i.channel_id,
           coalesce(i.delivery_key, 'unkeyed:' || gen_random_uuid()) AS delivery_key,
           -- A look by somebody is still to come, and whoever takes it takes it after now: nothing new to say.
           coalesce(c.sync_needed AND c.lease_owner IS NULL AND c.notified_at IS NOT NULL
                    AND c.last_webhook_received_at > now() - interval '1 second', false) AS is_said,
           CASE
             WHEN c.id IS NOT NULL AND i.channel_id IS NOT NULL AND h.id IS NULL THEN 'unknown_channel'
             WHEN h.resource_id <> i.resource_id OR (h.subscription_id <> i.subscription_id AND EXISTS (
                    SELECT FROM channels o WHERE o.subscription_id = i.subscription_id)) THEN 'unauthentic'
             WHEN NOT record_deliveries.connection_ids ? i.connection_id::text THEN 'not_allowed'
             WHEN c.id IS NULL THEN 'unknown_connection'
             WHEN NOT record_deliveries.provider_ids ? c.provider_id::text THEN 'not_allowed'
             WHEN h.subscription_id <> i.subscription_id THEN 'unknown_subscription'
             WHEN i.is_handshake THEN 'handshake'
             WHEN h.state = 'retired' THEN 'retired_channel'
             ELSE 'genuine'
           END AS verdict
      FROM jsonb_to_recordset(items)
        AS i (ordinal int, connection_id uuid, channel_id text, resource_id text, subscription_id text, delivery_key text,
              is_handshake boolean)
      LEFT JOIN external_calendar_connections c ON c.id = i.connection_id
      LEFT JOIN channels h ON h.id = i.channel_id AND h.connection_id = i.connection_id
  ), receipt AS (
    INSERT INTO deliveries AS d (connection_id, delivery_key, channel_id)
    SELECT j.connection_id, j.delivery_key, j.channel_id
      FROM judged j WHERE j.verdict = 'genuine' ORDER BY j.connection_id, j.delivery_key
    ON CONFLICT DO NOTHING
    RETURNING d.connection_id, d.delivery_key
  ), locked AS (
    SELECT c.id FROM external_calendar_connections c
     WHERE c.id IN (SELECT r.connection_id FROM receipt r JOIN judged j USING (connection_id, delivery_key)
                     WHERE NOT j.is_said)
     ORDER BY c.id FOR NO KEY UPDATE
  ), raised AS (
    UPDATE external_calendar_connections c
       SET requested = c.requested + 1, requested_by = 'webhook', last_webhook_received_at = now(),
           notified_at = coalesce(c.notified_at, now())
      FROM locked WHERE c.id = locked.id
    RETURNING c.id, c.requested = c.applied + 1 AS was_clean
  )
  SELECT j.ordinal,
         CASE WHEN j.verdict <> 'genuine' THEN j.verdict
              WHEN r.delivery_key IS NOT NULL THEN 'accepted'
              ELSE 'duplicate' END,
         coalesce(u.was_clean, false)
    FROM judged j
    LEFT JOIN receipt r ON r.connection_id = j.connection_id AND r.delivery_key = j.delivery_key
    LEFT JOIN raised u ON u.id = r.connection_id;
END
$$;

-- Down Migration

DROP FUNCTION record_deliveries;
DROP INDEX external_calendar_connections_due;
CREATE INDEX external_calendar_connections_due ON external_calendar_connections (backoff_until)
  WHERE requested > applied AND status = 'active' AND sync_enabled;
DROP INDEX deliveries_received_at;
CREATE INDEX deliveries_received_at ON deliveries (received_at);
DELETE FROM deliveries d WHERE NOT EXISTS (SELECT FROM external_calendar_connections c WHERE c.id = d.connection_id);
ALTER TABLE deliveries ADD CONSTRAINT deliveries_connection_fkey FOREIGN KEY (connection_id)
  REFERENCES external_calendar_connections (id) ON DELETE CASCADE;
