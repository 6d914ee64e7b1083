-- Deletions by owners wait a moment before they are told, and many at once wait for a person.

-- Up Migration

ALTER TABLE external_changes
  -- Told to nobody: the event came back, or a newer version of the booking was written, before its time.
  ADD COLUMN withdrawn_at timestamptz,
  -- Of a held deletion: when a person decided about it.
  ADD COLUMN settled_at timestamptz,
  -- A deletion that a person let go is not held again.
  ADD COLUMN is_released boolean NOT NULL DEFAULT false;
DROP INDEX external_changes_unpublished;
CREATE INDEX external_changes_unpublished ON external_changes (observed_at)
  WHERE published_at IS NULL AND withdrawn_at IS NULL;
CREATE INDEX external_changes_held ON external_changes (connection_id) WHERE kind = 'held' AND settled_at IS NULL;

ALTER TABLE dead_letters
  DROP CONSTRAINT dead_letters_kind_check,
  ADD CONSTRAINT dead_letters_kind_check CHECK (kind IN ('booking_event', 'outbound_sync', 'held_deletions'));

-- Down Migration

DELETE FROM dead_letters WHERE kind = 'held_deletions';
ALTER TABLE dead_letters
  DROP CONSTRAINT dead_letters_kind_check,
  ADD CONSTRAINT dead_letters_kind_check CHECK (kind IN ('booking_event', 'outbound_sync'));

DROP INDEX external_changes_held, external_changes_unpublished;
-- Without the columns what was never told would be told now.
DELETE FROM external_changes WHERE published_at IS NULL AND withdrawn_at IS NOT NULL;
CREATE INDEX external_changes_unpublished ON external_changes (observed_at) WHERE published_at IS NULL;
ALTER TABLE external_changes DROP COLUMN is_released, DROP COLUMN settled_at, DROP COLUMN withdrawn_at;
