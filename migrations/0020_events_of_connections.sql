-- That an event belongs to a connection is asked once per statement, not once per event. The foreign key took a row lock
-- by a query of its own for each of a page's 2,500 events, all of the same connection: a third of what a first sync asks of
-- the database. Triggers promise the same by the same lock; see docs/decisions/0028.

-- Up Migration

-- The order in which a sync takes them.
LOCK TABLE external_calendar_events, external_calendar_connections IN ACCESS EXCLUSIVE MODE;

-- One that is being deleted is waited for; one that is there stays until the transaction that asked has ended.
CREATE FUNCTION hold_connection(wanted uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM external_calendar_connections c WHERE c.id = wanted FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE foreign_key_violation USING
      MESSAGE = format('an event of connection %s, which does not exist', wanted),
      TABLE = 'external_calendar_events',
      CONSTRAINT = 'external_calendar_events_connection';
  END IF;
END
$$;

CREATE FUNCTION hold_connections_of_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted uuid;
BEGIN
  FOR wanted IN SELECT DISTINCT a.connection_id FROM added a ORDER BY 1 LOOP
    PERFORM hold_connection(wanted);
  END LOOP;
  RETURN NULL;
END
$$;

CREATE FUNCTION hold_connection_of_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM hold_connection(NEW.connection_id);
  RETURN NULL;
END
$$;

-- What others added before they let go of the connection is seen here: each statement of a function looks anew.
CREATE FUNCTION delete_events_of_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM external_calendar_events e USING gone WHERE e.connection_id = gone.id;
  RETURN NULL;
END
$$;

CREATE FUNCTION truncate_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE external_calendar_events;
  RETURN NULL;
END
$$;

CREATE FUNCTION refuse_other_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE foreign_key_violation USING MESSAGE = 'a connection keeps its id: events may belong to it';
END
$$;

CREATE TRIGGER external_calendar_events_added AFTER INSERT ON external_calendar_events
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION hold_connections_of_added();
CREATE TRIGGER external_calendar_events_moved AFTER UPDATE OF connection_id ON external_calendar_events
  FOR EACH ROW WHEN (NEW.connection_id <> OLD.connection_id) EXECUTE FUNCTION hold_connection_of_moved();
CREATE TRIGGER external_calendar_connections_gone AFTER DELETE ON external_calendar_connections
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION delete_events_of_gone();
CREATE TRIGGER external_calendar_connections_truncated AFTER TRUNCATE ON external_calendar_connections
  FOR EACH STATEMENT EXECUTE FUNCTION truncate_events();
CREATE TRIGGER external_calendar_connections_kept_id BEFORE UPDATE OF id ON external_calendar_connections
  FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION refuse_other_id();

ALTER TABLE external_calendar_events DROP CONSTRAINT external_calendar_events_connection_fkey;

-- Down Migration

LOCK TABLE external_calendar_events, external_calendar_connections IN ACCESS EXCLUSIVE MODE;
ALTER TABLE external_calendar_events
  ADD CONSTRAINT external_calendar_events_connection_fkey FOREIGN KEY (connection_id)
    REFERENCES external_calendar_connections (id) ON DELETE CASCADE;
DROP TRIGGER external_calendar_events_added ON external_calendar_events;
DROP TRIGGER external_calendar_events_moved ON external_calendar_events;
DROP TRIGGER external_calendar_connections_gone ON external_calendar_connections;
DROP TRIGGER external_calendar_connections_truncated ON external_calendar_connections;
DROP TRIGGER external_calendar_connections_kept_id ON external_calendar_connections;
DROP FUNCTION hold_connections_of_added, hold_connection_of_moved, hold_connection, delete_events_of_gone, truncate_events,
  refuse_other_id;
