-- An event that a late writer creates under the key of an earlier generation is recognised by that key.

-- Up Migration

-- The newest first, a handful: Graph's feed shows a stray's key and nothing else that tells whose it is.
ALTER TABLE booking_effects ADD COLUMN former_keys text[] NOT NULL DEFAULT '{}';

-- Down Migration

ALTER TABLE booking_effects DROP COLUMN former_keys;
