-- The constraints that make repeated work harmless: every "exactly once" of the product ends at one of these.

-- Up Migration

ALTER TABLE external_calendar_connections
  ADD CONSTRAINT external_calendar_connections_pkey PRIMARY KEY (id),
  -- One connection per provider and calendar provider: a reconnect finds its row again.
  ADD CONSTRAINT external_calendar_connections_provider_key UNIQUE (provider_id, calendar_provider),
  ADD CONSTRAINT external_calendar_connections_calendar_provider_check CHECK (calendar_provider IN ('google', 'microsoft')),
  ADD CONSTRAINT external_calendar_connections_status_check CHECK (status IN ('active', 'reauth_required', 'disabled')),
  ADD CONSTRAINT external_calendar_connections_counters_check CHECK (applied >= 0 AND applied <= requested),
  ADD CONSTRAINT external_calendar_connections_window_check CHECK (sync_window_start < sync_window_end);

-- What a sweep looks for; holds only connections with work, so its cost does not grow with the idle ones.
CREATE INDEX external_calendar_connections_due ON external_calendar_connections (backoff_until)
  WHERE requested > applied AND status = 'active' AND sync_enabled;
CREATE INDEX external_calendar_connections_reconcile ON external_calendar_connections (reconcile_at)
  WHERE status = 'active' AND sync_enabled;

ALTER TABLE external_calendar_events
  ADD CONSTRAINT external_calendar_events_pkey PRIMARY KEY (id),
  ADD CONSTRAINT external_calendar_events_event_key UNIQUE (provider_id, calendar_provider, external_event_id),
  ADD CONSTRAINT external_calendar_events_connection_fkey FOREIGN KEY (connection_id)
    REFERENCES external_calendar_connections (id) ON DELETE CASCADE,
  ADD CONSTRAINT external_calendar_events_times_check CHECK (end_time > start_time),
  ADD CONSTRAINT external_calendar_events_sync_status_check
    CHECK (sync_status IN ('CREATED', 'UPDATED', 'CANCELLED', 'FAILED')),
  ADD CONSTRAINT external_calendar_events_mapping_check
    CHECK (external_event_id IS NOT NULL OR booking_id IS NOT NULL);

-- One mapping per booking and calendar provider, whatever is retried.
CREATE UNIQUE INDEX external_calendar_events_booking_key ON external_calendar_events (booking_id, calendar_provider)
  WHERE booking_id IS NOT NULL;
-- Overlap questions: everything of a connection that ends after the slot begins.
CREATE INDEX external_calendar_events_overlap ON external_calendar_events (connection_id, end_time, start_time)
  WHERE is_busy AND booking_id IS NULL;
CREATE INDEX external_calendar_events_series ON external_calendar_events (connection_id, series_id)
  WHERE series_id IS NOT NULL;

-- The later page of a round wins over the earlier one.
ALTER TABLE staged_changes
  ADD CONSTRAINT staged_changes_pkey PRIMARY KEY (connection_id, lease_token, external_event_id, operation),
  ADD CONSTRAINT staged_changes_operation_check CHECK (operation IN ('put', 'drop', 'drop_series')),
  ADD CONSTRAINT staged_changes_connection_fkey FOREIGN KEY (connection_id)
    REFERENCES external_calendar_connections (id) ON DELETE CASCADE;

ALTER TABLE deliveries
  ADD CONSTRAINT deliveries_pkey PRIMARY KEY (connection_id, delivery_key),
  ADD CONSTRAINT deliveries_connection_fkey FOREIGN KEY (connection_id)
    REFERENCES external_calendar_connections (id) ON DELETE CASCADE;
CREATE INDEX deliveries_received_at ON deliveries (received_at);

ALTER TABLE channels
  ADD CONSTRAINT channels_pkey PRIMARY KEY (id),
  ADD CONSTRAINT channels_subscription_key UNIQUE (subscription_id),
  ADD CONSTRAINT channels_state_check CHECK (state IN ('registering', 'active', 'retired', 'failed')),
  ADD CONSTRAINT channels_connection_fkey FOREIGN KEY (connection_id)
    REFERENCES external_calendar_connections (id) ON DELETE CASCADE;
CREATE INDEX channels_connection ON channels (connection_id);
CREATE INDEX channels_expires_at ON channels (expires_at) WHERE state = 'active';

-- Down Migration

ALTER TABLE channels
  DROP CONSTRAINT channels_connection_fkey,
  DROP CONSTRAINT channels_state_check,
  DROP CONSTRAINT channels_subscription_key,
  DROP CONSTRAINT channels_pkey;
DROP INDEX channels_connection, channels_expires_at;

DROP INDEX deliveries_received_at;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_connection_fkey, DROP CONSTRAINT deliveries_pkey;

ALTER TABLE staged_changes
  DROP CONSTRAINT staged_changes_connection_fkey,
  DROP CONSTRAINT staged_changes_operation_check,
  DROP CONSTRAINT staged_changes_pkey;

DROP INDEX external_calendar_events_series, external_calendar_events_overlap, external_calendar_events_booking_key;
ALTER TABLE external_calendar_events
  DROP CONSTRAINT external_calendar_events_mapping_check,
  DROP CONSTRAINT external_calendar_events_sync_status_check,
  DROP CONSTRAINT external_calendar_events_times_check,
  DROP CONSTRAINT external_calendar_events_connection_fkey,
  DROP CONSTRAINT external_calendar_events_event_key,
  DROP CONSTRAINT external_calendar_events_pkey;

DROP INDEX external_calendar_connections_reconcile, external_calendar_connections_due;
ALTER TABLE external_calendar_connections
  DROP CONSTRAINT external_calendar_connections_window_check,
  DROP CONSTRAINT external_calendar_connections_counters_check,
  DROP CONSTRAINT external_calendar_connections_status_check,
  DROP CONSTRAINT external_calendar_connections_calendar_provider_check,
  DROP CONSTRAINT external_calendar_connections_provider_key,
  DROP CONSTRAINT external_calendar_connections_pkey;
