-- Taking notifications in by three small statements instead of one large one: each is set up in a few microseconds, and
-- what seldom happens is not set up at all. `take_in_deliveries` stays for processes of the release before.

-- Up Migration

-- Says the same as `take_in_deliveries`: what is out of the ordinary. `complete`: every genuine one was stored. Otherwise
-- `stored` for each that was. `ring`: this connection was clean until now. Anything else is the verdict on the item of
-- that ordinal.
--
-- One item is one position in the arrays. Each is judged once, by one look at the tables; what happens to a channel after
-- that happens to a notification that was here before.
CREATE FUNCTION receive_deliveries(
  connections uuid[], channels text[], resources text[], subscriptions text[], keys text[], handshakes boolean[],
  allowed_providers jsonb, allowed_connections jsonb)
  RETURNS TABLE (told text, ordinal int, connection_id uuid, delivery_key text)
  LANGUAGE plpgsql
  -- Each item is looked up by its keys whatever the planner believes about the sizes of tables.
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off
  SET enable_bitmapscan = off
  SET enable_hashjoin = off
  SET enable_mergejoin = off
AS $$
DECLARE
  refused int[];
  verdicts text[];
  unsaid uuid[];
  stored_connections uuid[];
  stored_keys text[];
  cleared uuid[];
  stored int;
  is_complete boolean;
BEGIN
  SELECT array_agg(j.position) FILTER (WHERE j.verdict IS NOT NULL),
         array_agg(j.verdict) FILTER (WHERE j.verdict IS NOT NULL),
         array_agg(j.connection_id) FILTER (WHERE j.verdict IS NULL AND NOT j.is_said)
    INTO refused, verdicts, unsaid
    FROM (
      SELECT i.position::int, i.connection_id,
             -- A look by somebody is still to come, and whoever takes it takes it after now: nothing new to say.
             coalesce(c.sync_needed AND c.lease_owner IS NULL AND c.notified_at IS NOT NULL
                      AND c.last_webhook_received_at > now() - interval '1 second', false) AS is_said,
             CASE
               WHEN c.id IS NOT NULL AND i.channel_id IS NOT NULL AND h.id IS NULL THEN 'unknown_channel'
               WHEN h.resource_id <> i.resource_id THEN 'unauthentic'
               -- Another channel's subscription, presented with this one's proof.
               WHEN CASE WHEN h.subscription_id <> i.subscription_id
                         THEN (SELECT true FROM channels o WHERE o.subscription_id = i.subscription_id) END
                 THEN 'unauthentic'
               WHEN NOT allowed_connections ? i.connection_id::text THEN 'not_allowed'
               WHEN c.id IS NULL THEN 'unknown_connection'
               WHEN NOT allowed_providers ? c.provider_id::text THEN 'not_allowed'
               WHEN h.subscription_id <> i.subscription_id THEN 'unknown_subscription'
               WHEN i.is_handshake THEN 'handshake'
               WHEN h.state = 'retired' THEN 'retired_channel'
             END AS verdict
        FROM unnest(connections, channels, resources, subscriptions, handshakes) WITH ORDINALITY
          AS i (connection_id, channel_id, resource_id, subscription_id, is_handshake, position)
        LEFT JOIN LATERAL (
          SELECT k.id, k.provider_id, k.sync_needed, k.lease_owner, k.notified_at, k.last_webhook_received_at
            FROM external_calendar_connections k WHERE k.id = i.connection_id OFFSET 0
        ) c ON true
        LEFT JOIN LATERAL (
          SELECT k.id, k.resource_id, k.subscription_id, k.state FROM channels k
           -- By its connection, of which it is one of a few: ids that are text take several times as long to compare.
           WHERE k.id COLLATE "C" = i.channel_id AND k.connection_id = i.connection_id OFFSET 0
        ) h ON true
      OFFSET 0
    ) j;

  INSERT INTO deliveries (connection_id, delivery_key, channel_id)
  SELECT i.connection_id, i.delivery_key, i.channel_id
    FROM unnest(connections, keys, channels) WITH ORDINALITY AS i (connection_id, delivery_key, channel_id, position)
   WHERE refused IS NULL OR i.position <> ALL (refused)
   ORDER BY i.connection_id, i.delivery_key
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS stored = ROW_COUNT;

  is_complete := stored + coalesce(cardinality(refused), 0) = cardinality(keys);
  IF NOT is_complete AND stored > 0 THEN
    -- Told apart from what was there by who wrote it, so that a batch without repeats need not say what it stored.
    SELECT array_agg(d.connection_id), array_agg(d.delivery_key) INTO stored_connections, stored_keys
      FROM unnest(connections, keys) AS i (connection_id, delivery_key)
      JOIN deliveries d ON d.connection_id = i.connection_id AND d.delivery_key = i.delivery_key
     WHERE d.xmin = pg_current_xact_id()::xid;
  END IF;

  IF unsaid IS NOT NULL AND stored > 0 THEN
    -- By the index of its key, which reads a list of keys in their order: the order in which everybody locks them.
    WITH raised AS (
      UPDATE external_calendar_connections c
         SET requested = c.requested + 1, requested_by = 'webhook', last_webhook_received_at = now(),
             notified_at = coalesce(c.notified_at, now())
       WHERE c.id = ANY (unsaid) AND (is_complete OR c.id = ANY (stored_connections))
         -- Somebody else may have said so meanwhile.
         AND NOT coalesce(c.sync_needed AND c.lease_owner IS NULL AND c.notified_at IS NOT NULL
                          AND c.last_webhook_received_at > now() - interval '1 second', false)
      RETURNING c.id, c.requested = c.applied + 1 AS was_clean
    )
    SELECT array_agg(r.id) FILTER (WHERE r.was_clean) INTO cleared FROM raised r;
  END IF;

  IF is_complete THEN
    told := 'complete';
    RETURN NEXT;
  ELSE
    RETURN QUERY SELECT 'stored', NULL::int, s.c, s.k FROM unnest(stored_connections, stored_keys) AS s (c, k);
  END IF;
  IF refused IS NOT NULL THEN
    RETURN QUERY SELECT v.verdict, v.position - 1, NULL::uuid, NULL::text
                   FROM unnest(refused, verdicts) AS v (position, verdict);
  END IF;
  IF cleared IS NOT NULL THEN
    RETURN QUERY SELECT 'ring', NULL::int, u.id, NULL::text FROM unnest(cleared) AS u (id);
  END IF;
END
$$;

-- Down Migration

DROP FUNCTION receive_deliveries;
