-- Bookings on their way into calendars: the desired state by version, and per connection how far it has been applied.

-- Up Migration

-- The newest state of each booking that was announced to us. The highest version wins; this row is the commit of a
-- booking event.
CREATE TABLE booking_intents (
  booking_id uuid PRIMARY KEY,
  provider_id uuid NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  state text NOT NULL CHECK (state IN ('live', 'cancelled')),
  start_time timestamptz,
  end_time timestamptz,
  -- What the event shall carry besides its times: title, notes, location, attendee, time_zone.
  details jsonb,
  event_id uuid NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  CHECK (state = 'cancelled' OR (start_time IS NOT NULL AND end_time > start_time AND details IS NOT NULL))
);
-- A new connection asks for the provider's bookings that still lie ahead.
CREATE INDEX booking_intents_provider ON booking_intents (provider_id, end_time) WHERE state = 'live';

-- One booking in one connection's calendar: how far the intent has been carried, under which lease, with which event.
CREATE TABLE booking_effects (
  booking_id uuid NOT NULL REFERENCES booking_intents (booking_id) ON DELETE CASCADE,
  connection_id uuid NOT NULL REFERENCES external_calendar_connections (id) ON DELETE CASCADE,
  version bigint NOT NULL,
  applied_version bigint NOT NULL DEFAULT 0,
  -- A deleted event keeps its id for ever, so each new life of the event needs another one.
  generation integer NOT NULL DEFAULT 0,
  -- Stored before the first call, so that an unanswered create can be found again and an echo be recognised.
  creation_key text,
  external_event_id text,
  etag text,
  -- What the calendar was last known to show, written by us or read; anything else is its owner's doing.
  written_start timestamptz,
  written_end timestamptz,

  -- A read is due while inspect_requested > inspected: the feed hinted that the owner touched the event.
  inspect_requested bigint NOT NULL DEFAULT 0,
  inspected bigint NOT NULL DEFAULT 0,

  lease_owner text,
  lease_token bigint NOT NULL DEFAULT 0,
  lease_until timestamptz,

  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  error_count integer NOT NULL DEFAULT 0,
  last_error jsonb,
  -- Set when trying again cannot help; a replay or a newer version clears it.
  dead_at timestamptz,
  -- When the version that is not yet applied was accepted; the start of the booking lag.
  received_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),

  PRIMARY KEY (booking_id, connection_id),
  CHECK (applied_version <= version),
  CHECK (inspected <= inspect_requested)
) WITH (fillfactor = 80);
CREATE INDEX booking_effects_due ON booking_effects (next_attempt_at)
  WHERE (applied_version < version OR inspected < inspect_requested) AND dead_at IS NULL;
CREATE INDEX booking_effects_event ON booking_effects (connection_id, external_event_id) WHERE external_event_id IS NOT NULL;
CREATE INDEX booking_effects_key ON booking_effects (connection_id, creation_key) WHERE creation_key IS NOT NULL;

-- What owners did to bookings' events, for the booking service to decide on. An outbox: published at least once, under
-- its id.
CREATE TABLE external_changes (
  change_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind text NOT NULL CHECK (kind IN ('moved', 'deleted', 'held')),
  booking_id uuid NOT NULL,
  provider_id uuid NOT NULL,
  connection_id uuid NOT NULL,
  booking_version bigint NOT NULL,
  start_time timestamptz,
  end_time timestamptz,
  -- What was read when the change was seen; the same reading is one change however often it is read.
  reading text NOT NULL,
  observed_at timestamptz NOT NULL DEFAULT now(),
  published_at timestamptz,
  UNIQUE (booking_id, connection_id, kind, reading)
);
CREATE INDEX external_changes_unpublished ON external_changes (observed_at) WHERE published_at IS NULL;

-- Down Migration

DROP TABLE external_changes;
DROP TABLE booking_effects;
DROP TABLE booking_intents;
