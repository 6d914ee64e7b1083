-- Who may do what. A login is given to each process and made a member of its role; no process needs to own anything.
-- The point of it: what faces the world stores the tokens of a consent and can never read one again.

-- Up Migration

-- Roles belong to the whole server, so another database of it may have made them already, or be about to.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['calsync_ingress', 'calsync_worker', 'calsync_ops', 'calsync_cli'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', name);
    EXECUTE format('GRANT SELECT ON schema_migrations TO %I', name);
  END LOOP;
END
$$;

-- Workers hold the keys and do all the work; the operator's command may repair whatever they may write. Tables of later
-- migrations are theirs at once, and nobody else's until that migration says so.
GRANT SELECT, INSERT, UPDATE, DELETE ON
  external_calendar_connections, external_calendar_events, staged_changes, deliveries, channels, booking_intents,
  booking_effects, external_changes, sync_runs, dead_letters, operator_switches, audit_log, sweeps, used_connect_links,
  processes, booking_outbox, mailbox_slots
  TO calsync_worker, calsync_cli;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO calsync_worker, calsync_cli;

-- Ingress and ops see a connection without its tokens. A later column is added to these lists by its own migration.
DO $$
DECLARE
  open_columns text;
BEGIN
  SELECT string_agg(quote_ident(attname), ', ') INTO open_columns FROM pg_attribute
   WHERE attrelid = 'external_calendar_connections'::regclass AND attnum > 0 AND NOT attisdropped
     AND attname NOT IN ('access_token_sealed', 'refresh_token_sealed');
  EXECUTE format('GRANT SELECT (%s) ON external_calendar_connections TO calsync_ingress, calsync_ops', open_columns);
  EXECUTE format('GRANT UPDATE (%s) ON external_calendar_connections TO calsync_ops', open_columns);
END
$$;

-- Ingress: receipts of notifications, grants as they are given (stored, never read), booking events, wishes.
GRANT INSERT, UPDATE, DELETE ON external_calendar_connections TO calsync_ingress;
GRANT SELECT, INSERT, DELETE ON deliveries, used_connect_links TO calsync_ingress;
GRANT SELECT, UPDATE, DELETE ON channels TO calsync_ingress;
GRANT SELECT, DELETE ON external_calendar_events TO calsync_ingress;
GRANT SELECT, INSERT, UPDATE, DELETE ON booking_effects TO calsync_ingress;
GRANT SELECT, INSERT, UPDATE ON booking_intents, dead_letters, processes TO calsync_ingress;
GRANT SELECT ON operator_switches TO calsync_ingress;

-- Ops: looks at everything else, turns switches, asks for work, replays.
GRANT SELECT ON
  external_calendar_events, staged_changes, deliveries, channels, booking_intents, booking_effects, external_changes,
  sync_runs, dead_letters, operator_switches, audit_log, sweeps, processes, booking_outbox, mailbox_slots
  TO calsync_ops;
GRANT INSERT, UPDATE, DELETE ON operator_switches TO calsync_ops;
GRANT INSERT ON audit_log TO calsync_ops;
GRANT INSERT, UPDATE ON dead_letters, processes, booking_intents, booking_effects TO calsync_ops;
GRANT UPDATE ON channels, external_changes TO calsync_ops;

-- Down Migration

-- The roles themselves stay: other databases of the server may use them.
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM calsync_worker, calsync_cli;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM calsync_ingress, calsync_worker, calsync_ops, calsync_cli;
REVOKE USAGE ON SCHEMA public FROM calsync_ingress, calsync_worker, calsync_ops, calsync_cli;
