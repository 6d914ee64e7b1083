-- What operators see and turn: runs, dead letters, switches, their audit, and the sweeps' clocks.

-- Up Migration

CREATE TABLE sync_runs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  connection_id uuid NOT NULL REFERENCES external_calendar_connections (id) ON DELETE CASCADE,
  requested_by text NOT NULL,
  -- incremental | full
  mode text NOT NULL,
  outcome text NOT NULL,
  pages integer NOT NULL DEFAULT 0,
  put_count integer NOT NULL DEFAULT 0,
  dropped_count integer NOT NULL DEFAULT 0,
  unreadable_count integer NOT NULL DEFAULT 0,
  error jsonb,
  started_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sync_runs_connection ON sync_runs (connection_id, finished_at DESC);
CREATE INDEX sync_runs_finished_at ON sync_runs (finished_at);

-- Work we stopped trying, with everything needed to understand and replay it.
CREATE TABLE dead_letters (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind text NOT NULL CHECK (kind IN ('booking_event', 'outbound_sync')),
  reason text NOT NULL,
  -- What it is about (a booking and connection, a job); the same trouble is one open letter, however often it is met.
  subject text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  replayed_at timestamptz
);
CREATE UNIQUE INDEX dead_letters_open ON dead_letters (kind, subject) WHERE replayed_at IS NULL;
CREATE INDEX dead_letters_created_at ON dead_letters (created_at);

-- What operators switched off. The environment is the ceiling: a row here can only narrow it.
CREATE TABLE operator_switches (
  name text PRIMARY KEY,
  is_on boolean NOT NULL,
  changed_by text NOT NULL,
  reason text,
  changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  details jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_created_at ON audit_log (created_at);

-- When each sweep is next due. Whoever moves the time forward does the sweep, so more workers do not mean more sweeps.
CREATE TABLE sweeps (
  name text PRIMARY KEY,
  next_at timestamptz NOT NULL DEFAULT now(),
  last_at timestamptz,
  last_owner text
);

-- Connect links that were used; a link is good once.
CREATE TABLE used_connect_links (
  link_id text PRIMARY KEY,
  expires_at timestamptz NOT NULL
);

-- Down Migration

DROP TABLE used_connect_links;
DROP TABLE sweeps;
DROP TABLE audit_log;
DROP TABLE operator_switches;
DROP TABLE dead_letters;
DROP TABLE sync_runs;
