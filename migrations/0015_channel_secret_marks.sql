-- Channels that were made with a secret that is not the newest any more.

-- Up Migration

-- A few bits of a hash: enough to tell one secret from the next, too few to find one by. Null: made before this was kept.
ALTER TABLE channels ADD COLUMN secret_mark text;

-- Down Migration

ALTER TABLE channels DROP COLUMN secret_mark;
