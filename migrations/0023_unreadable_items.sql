-- Items of a calendar's feed that could not be understood and may block: as long as one is there, nobody knows when its owner
-- is busy with it.

-- Up Migration

CREATE TABLE unreadable_items (
  connection_id uuid NOT NULL REFERENCES external_calendar_connections (id) ON DELETE CASCADE,
  -- Empty for all items that named no id.
  external_event_id text NOT NULL,
  series_id text,
  reason text NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (connection_id, external_event_id)
);
-- Workers may do everything with it by the default privileges of 0012.
-- Whoever connects another account has ingress forget what the former one's calendar held.
GRANT SELECT, DELETE ON unreadable_items TO calsync_ingress;
GRANT SELECT ON unreadable_items TO calsync_ops;

-- Down Migration

DROP TABLE unreadable_items;
