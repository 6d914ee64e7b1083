-- Fences that outlive their rows, and the calls that one mailbox takes at a time over the whole fleet.

-- Up Migration

-- A connection's id is derived, so an erased one comes back under its old id. Counting again from zero, it would give
-- out tokens that a worker of its former life still holds; by the clock they start beyond all of those.
ALTER TABLE external_calendar_connections
  ALTER COLUMN lease_token SET DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  ALTER COLUMN token_version SET DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- Who calls a mailbox now. Unlogged: a crash of the database forgets them, and they were free in a moment anyway.
CREATE UNLOGGED TABLE mailbox_slots (
  mailbox text NOT NULL,
  slot smallint NOT NULL,
  -- One call; whoever comes too late to give its slot back must not free another's.
  holder uuid NOT NULL,
  held_until timestamptz NOT NULL,
  PRIMARY KEY (mailbox, slot)
);

-- Down Migration

DROP TABLE mailbox_slots;
ALTER TABLE external_calendar_connections
  ALTER COLUMN token_version SET DEFAULT 0,
  ALTER COLUMN lease_token SET DEFAULT 0;
