-- Bookings of a calendar that comes back: found again whatever became of them meanwhile, and fenced against its former life.

-- Up Migration

-- In the order in which a booking is accepted.
LOCK TABLE booking_intents, external_calendar_connections, booking_effects IN ACCESS EXCLUSIVE MODE;

-- An effect comes back under its old key when its owner connects another account. Counting again from zero, it would give
-- out tokens that a worker of its former life still holds; see 0010.
ALTER TABLE booking_effects
  ALTER COLUMN lease_token SET DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- The latest end that an earlier version had: until then an event of it may stand in a calendar that we do not know, however
-- early the booking ends now. Null for a first version.
ALTER TABLE booking_intents ADD COLUMN earlier_end timestamptz;
-- A connection asks for the provider's bookings of which an event may lie ahead, cancelled ones as well.
CREATE INDEX booking_intents_ahead ON booking_intents (provider_id, greatest(end_time, earlier_end));
-- Only the version before asks by it, once per connect, and finds the same without it.
DROP INDEX booking_intents_provider;

-- What is known of an adopted booking's event before any look at it: 'unknown' waits for the connection's first round, and of
-- 'absent' that round has seen everything but the event. Null once it was created, and for bookings that were not adopted.
ALTER TABLE booking_effects ADD COLUMN adopted text CHECK (adopted IN ('unknown', 'absent'));

-- When the bookings of a connection's provider are next held against its effects. A booking that is accepted in the very
-- moment in which a connection is made sees no connection, and the connection sees no booking; a minute later no statement
-- of that moment is open any more.
ALTER TABLE external_calendar_connections
  ADD COLUMN adopt_at timestamptz NOT NULL DEFAULT now() + interval '1 minute';
CREATE INDEX external_calendar_connections_adopt ON external_calendar_connections (adopt_at)
  WHERE status = 'active' AND sync_enabled;
GRANT SELECT (adopt_at) ON external_calendar_connections TO calsync_ingress, calsync_ops;

-- Down Migration

LOCK TABLE booking_intents, external_calendar_connections, booking_effects IN ACCESS EXCLUSIVE MODE;
ALTER TABLE external_calendar_connections DROP COLUMN adopt_at;
CREATE INDEX booking_intents_provider ON booking_intents (provider_id, end_time) WHERE state = 'live';
ALTER TABLE booking_effects DROP COLUMN adopted;
DROP INDEX booking_intents_ahead;
ALTER TABLE booking_intents DROP COLUMN earlier_end;
ALTER TABLE booking_effects ALTER COLUMN lease_token SET DEFAULT 0;
