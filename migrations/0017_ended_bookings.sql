-- Bookings that ended long ago are forgotten, and found without reading those that did not.

-- Up Migration

-- Rows are written in the order of time, so a summary of each range of pages is enough, and an update touches no tree.
CREATE INDEX booking_intents_received_at ON booking_intents USING brin (received_at);

-- Down Migration

DROP INDEX booking_intents_received_at;
