-- What each process of the fleet counts, so that the fleet's sum can be told wherever its processes run.

-- Up Migration

CREATE TABLE processes (
  -- One start of one process; a restart is another row, so that what the first one counted is kept.
  instance_id uuid PRIMARY KEY,
  role text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  metrics jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX processes_seen_at ON processes (seen_at);

-- Down Migration

DROP TABLE processes;
