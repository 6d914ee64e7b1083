-- Since when work has been due, so that its age is true whoever asked for it; and what belongs to one connection, found by
-- an index.

-- Up Migration

-- In the order in which a sync takes them.
LOCK TABLE external_calendar_events, external_calendar_connections, booking_effects IN ACCESS EXCLUSIVE MODE;

-- Connecting, a first sync's end, an audit and a disconnect ask for everything of one connection. The indexes that begin with
-- it are partial, so each of these read the whole table.
CREATE INDEX booking_effects_connection ON booking_effects (connection_id);
CREATE INDEX external_calendar_events_connection ON external_calendar_events (connection_id);

-- Since the last look, or the first wish after it, whichever is later. A trigger, since a dozen statements ask for looks.
ALTER TABLE external_calendar_connections ADD COLUMN due_since timestamptz NOT NULL DEFAULT now();
GRANT SELECT (due_since) ON external_calendar_connections TO calsync_ingress, calsync_ops;
CREATE FUNCTION note_due_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.due_since := now();
  RETURN NEW;
END
$$;
CREATE TRIGGER external_calendar_connections_due_since
  BEFORE UPDATE OF requested, applied ON external_calendar_connections FOR EACH ROW
  WHEN (NEW.requested > NEW.applied AND (OLD.requested <= OLD.applied OR NEW.applied > OLD.applied))
  EXECUTE FUNCTION note_due_since();

-- A read of a booking's event is asked for long after the booking was received.
ALTER TABLE booking_effects ADD COLUMN inspect_since timestamptz;
CREATE FUNCTION note_inspect_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.inspect_since := now();
  RETURN NEW;
END
$$;
CREATE TRIGGER booking_effects_inspect_since
  BEFORE UPDATE OF inspect_requested ON booking_effects FOR EACH ROW
  WHEN (NEW.inspect_requested > OLD.inspect_requested AND OLD.inspected >= OLD.inspect_requested)
  EXECUTE FUNCTION note_inspect_since();

-- Down Migration

LOCK TABLE external_calendar_events, external_calendar_connections, booking_effects IN ACCESS EXCLUSIVE MODE;
DROP TRIGGER booking_effects_inspect_since ON booking_effects;
DROP FUNCTION note_inspect_since;
ALTER TABLE booking_effects DROP COLUMN inspect_since;
DROP TRIGGER external_calendar_connections_due_since ON external_calendar_connections;
DROP FUNCTION note_due_since;
ALTER TABLE external_calendar_connections DROP COLUMN due_since;
DROP INDEX external_calendar_events_connection;
DROP INDEX booking_effects_connection;
