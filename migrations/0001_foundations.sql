-- Connections, the busy time read through them, and the receipts of notifications.
-- A connection is dirty while requested > applied: intent is a counter, so nothing piles up and nothing reorders.

-- Up Migration

CREATE TABLE external_calendar_connections (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  provider_id uuid NOT NULL,
  calendar_provider text NOT NULL,
  -- The calendar bookings are written to and busy time is read from, by the calendar provider's id.
  external_calendar_id text NOT NULL DEFAULT 'primary',
  -- Who granted, as the calendar provider names the account; a reconnect with another account starts afresh.
  account_id text,
  provider_email text,

  status text NOT NULL DEFAULT 'active',
  status_reason text,
  sync_enabled boolean NOT NULL DEFAULT true,

  -- Sealed with AES-256-GCM; the key's id stands inside the record.
  access_token_sealed text,
  refresh_token_sealed text,
  access_token_expires_at timestamptz,
  granted_scopes text[] NOT NULL DEFAULT '{}',
  -- Grows with every stored grant, so that a late refresh cannot put an older one over it.
  token_version bigint NOT NULL DEFAULT 0,
  -- One refresh at a time over the whole fleet.
  token_lease_until timestamptz,

  sync_cursor text,
  sync_window_start timestamptz,
  sync_window_end timestamptz,

  requested bigint NOT NULL DEFAULT 1,
  applied bigint NOT NULL DEFAULT 0,
  sync_needed boolean GENERATED ALWAYS AS (requested > applied) STORED,
  -- Who asked last: webhook, manual, schedule, retry, connect.
  requested_by text NOT NULL DEFAULT 'connect',
  -- When the oldest notification that is not yet applied was accepted; the start of the change lag.
  notified_at timestamptz,

  -- The sole right to sync this connection. The token only grows and is required to record results.
  lease_owner text,
  lease_token bigint NOT NULL DEFAULT 0,
  lease_until timestamptz,

  last_webhook_received_at timestamptz,
  last_synced_at timestamptz,
  error_count integer NOT NULL DEFAULT 0,
  last_error jsonb,
  backoff_until timestamptz,
  -- Looked at again then, notification or not.
  reconcile_at timestamptz NOT NULL DEFAULT now(),

  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);

CREATE TABLE external_calendar_events (
  id bigint GENERATED ALWAYS AS IDENTITY,
  connection_id uuid NOT NULL,
  provider_id uuid NOT NULL,
  calendar_provider text NOT NULL,
  -- Null only for a booking whose event does not exist yet.
  external_event_id text,
  -- The series an occurrence belongs to: a tombstone of the series takes its occurrences with it.
  series_id text,
  ical_uid text,
  start_time timestamptz NOT NULL,
  end_time timestamptz NOT NULL,
  is_busy boolean NOT NULL,
  -- Of all that is stored of the event; equal means nothing to write.
  checksum text NOT NULL,
  -- Set for a booking's own event (its mapping), null for the provider's own busy time.
  booking_id uuid,
  sync_status text,
  last_error jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Pages of a round that has more than one; they take effect together with the cursor, in one transaction.
CREATE TABLE staged_changes (
  connection_id uuid NOT NULL,
  lease_token bigint NOT NULL,
  -- put | drop | drop_series; for drop_series the event id is the series' id.
  operation text NOT NULL,
  external_event_id text NOT NULL,
  series_id text,
  ical_uid text,
  start_time timestamptz,
  end_time timestamptz,
  checksum text
);

-- Receipt of one notification. A row here is what makes a repeated delivery a duplicate.
CREATE TABLE deliveries (
  connection_id uuid NOT NULL,
  delivery_key text NOT NULL,
  channel_id text,
  received_at timestamptz NOT NULL DEFAULT now()
);

-- Our registrations for push. The id carries the connection's id; the secret is an HMAC of it and is stored nowhere.
CREATE TABLE channels (
  id text NOT NULL,
  connection_id uuid NOT NULL,
  calendar_provider text NOT NULL,
  state text NOT NULL DEFAULT 'registering',
  -- Google's opaque id of the watched collection.
  resource_id text,
  -- Graph's id of the subscription.
  subscription_id text,
  expires_at timestamptz,
  last_delivery_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Down Migration

DROP TABLE channels;
DROP TABLE deliveries;
DROP TABLE staged_changes;
DROP TABLE external_calendar_events;
DROP TABLE external_calendar_connections;
