-- How many requests the whole fleet may still send to a calendar provider.

-- Up Migration

-- Unlogged: after a crash of the database a full bucket is the worst that can be forgotten.
CREATE UNLOGGED TABLE provider_budgets (
  calendar_provider text PRIMARY KEY,
  tokens double precision NOT NULL,
  filled_at timestamptz NOT NULL DEFAULT now(),
  -- What the last asker got, so that one statement can take and tell.
  granted integer NOT NULL
);
GRANT SELECT ON provider_budgets TO calsync_ops;

-- Down Migration

DROP TABLE provider_budgets;
