-- Calendars held against the database, each in its turn.

-- Up Migration

CREATE TABLE connection_audits (
  connection_id uuid PRIMARY KEY REFERENCES external_calendar_connections (id) ON DELETE CASCADE,
  due_at timestamptz NOT NULL DEFAULT now(),
  audited_at timestamptz,
  -- What the last look saw and no second one has confirmed: [{"kind", "subject"}].
  suspects jsonb NOT NULL DEFAULT '[]',
  -- What two looks in a row have seen; empty once it was put right and looked at again.
  mismatches jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX connection_audits_due ON connection_audits (due_at);

-- Operators let held deletions go, which tells them anew.
GRANT INSERT ON external_changes TO calsync_ops;
GRANT SELECT ON connection_audits TO calsync_ops;

-- Down Migration

REVOKE INSERT ON external_changes FROM calsync_ops;
DROP TABLE connection_audits;
