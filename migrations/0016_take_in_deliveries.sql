-- Taking notifications in at half the cost: what was measured to be wasted is gone. `record_deliveries` stays for
-- processes of the release before and is dropped by the next.

-- Up Migration

-- Answers with what is out of the ordinary. `complete`: every genuine one was stored. Otherwise `stored` for each that
-- was. `ring`: this connection was clean until now. Anything else is the verdict on the item of that ordinal.
--
-- Each item is looked up by its keys whatever the planner believes about the sizes of tables: a join that reads a whole
-- table is right for a hundred channels and wrong for a million, and the plan is made once per session.
CREATE FUNCTION take_in_deliveries(items jsonb, provider_ids jsonb, connection_ids jsonb)
  RETURNS TABLE (told text, ordinal int, connection_id uuid, delivery_key text)
  LANGUAGE plpgsql
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off
  SET enable_hashjoin = off
  SET enable_mergejoin = off
AS $$
BEGIN
  RETURN QUERY
  WITH judged AS MATERIALIZED (
    SELECT i.n AS ordinal, i.connection_id, i.channel_id, i.delivery_key,
           CASE
             WHEN c.id IS NOT NULL AND i.channel_id IS NOT NULL AND h.id IS NULL THEN 'unknown_channel'
             WHEN h.resource_id <> i.resource_id THEN 'unauthentic'
             -- Another channel's subscription, presented with this one's proof.
             WHEN CASE WHEN h.subscription_id <> i.subscription_id
                       THEN (SELECT true FROM channels o WHERE o.subscription_id = i.subscription_id) END
               THEN 'unauthentic'
             WHEN NOT take_in_deliveries.connection_ids ? i.connection_id::text THEN 'not_allowed'
             WHEN c.id IS NULL THEN 'unknown_connection'
             WHEN NOT take_in_deliveries.provider_ids ? c.provider_id::text THEN 'not_allowed'
             WHEN h.subscription_id <> i.subscription_id THEN 'unknown_subscription'
             WHEN i.is_handshake THEN 'handshake'
             WHEN h.state = 'retired' THEN 'retired_channel'
             ELSE 'genuine'
           END AS verdict
      FROM jsonb_to_recordset(items)
        AS i (n int, connection_id uuid, channel_id text, resource_id text, subscription_id text, delivery_key text,
              is_handshake boolean)
      LEFT JOIN LATERAL (
        SELECT k.id, k.provider_id FROM external_calendar_connections k WHERE k.id = i.connection_id OFFSET 0
      ) c ON true
      LEFT JOIN LATERAL (
        SELECT k.id, k.resource_id, k.subscription_id, k.state FROM channels k
         WHERE k.id = i.channel_id AND k.connection_id = i.connection_id OFFSET 0
      ) h ON true
  ), receipt AS (
    INSERT INTO deliveries AS d (connection_id, delivery_key, channel_id)
    SELECT j.connection_id, j.delivery_key, j.channel_id
      FROM judged j WHERE j.verdict = 'genuine' ORDER BY j.connection_id, j.delivery_key
    ON CONFLICT DO NOTHING
    RETURNING d.connection_id, d.delivery_key
  ), locked AS (
    SELECT c.id FROM external_calendar_connections c
     WHERE c.id IN (SELECT r.connection_id FROM receipt r)
       -- Unless a look by somebody is still to come: whoever takes it takes it after now, there is nothing new to say.
       AND NOT coalesce(c.sync_needed AND c.lease_owner IS NULL AND c.notified_at IS NOT NULL
                        AND c.last_webhook_received_at > now() - interval '1 second', false)
     ORDER BY c.id FOR NO KEY UPDATE
  ), raised AS (
    UPDATE external_calendar_connections c
       SET requested = c.requested + 1, requested_by = 'webhook', last_webhook_received_at = now(),
           notified_at = coalesce(c.notified_at, now())
      FROM locked WHERE c.id = locked.id
    RETURNING c.id, c.requested = c.applied + 1 AS was_clean
  ), counted AS MATERIALIZED (
    SELECT (SELECT count(*) FROM receipt) = count(*) AS is_complete FROM judged j WHERE j.verdict = 'genuine'
  )
  SELECT j.verdict, j.ordinal, NULL::uuid, NULL::text FROM judged j WHERE j.verdict <> 'genuine'
  UNION ALL
  SELECT 'ring', NULL, u.id, NULL FROM raised u WHERE u.was_clean
  UNION ALL
  SELECT 'complete', NULL, NULL, NULL FROM counted n WHERE n.is_complete
  UNION ALL
  SELECT 'stored', NULL, r.connection_id, r.delivery_key FROM counted n, receipt r WHERE NOT n.is_complete;
END
$$;

-- Down Migration

DROP FUNCTION take_in_deliveries;
