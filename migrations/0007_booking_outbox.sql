-- Booking events of a booking service that shares this database: written in its own transaction, taken in by the sweep.

-- Up Migration

CREATE TABLE booking_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Writing the same event again asks for it to be taken in again, which is harmless: the highest version wins.
  event_id uuid NOT NULL UNIQUE,
  booking_id uuid NOT NULL,
  -- The booking event as the queue carries it; validated where it is written and again where it is taken in.
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Set in the transaction that stores the desired state, so that no queue stands between the two.
  relayed_at timestamptz
);
CREATE INDEX booking_outbox_waiting ON booking_outbox (id) WHERE relayed_at IS NULL;
CREATE INDEX booking_outbox_relayed_at ON booking_outbox (relayed_at) WHERE relayed_at IS NOT NULL;

-- Down Migration

DROP TABLE booking_outbox;
