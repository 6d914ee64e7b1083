-- Channels that fall silent without ending, and upkeep that is not tried again at once when it failed.

-- Up Migration

-- Since when changes are found that this channel should have announced and did not; void once a notification comes.
-- A channel that was ended for it keeps it, so that one whose successor is silent too is replaced ever more rarely.
ALTER TABLE channels ADD COLUMN unannounced_at timestamptz;
-- When upkeep was last tried; null asks for it at once.
ALTER TABLE channels ADD COLUMN looked_after_at timestamptz;

-- Down Migration

ALTER TABLE channels DROP COLUMN looked_after_at, DROP COLUMN unannounced_at;
