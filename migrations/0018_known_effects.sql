-- A booking's event in the feed is recognised without reading all bookings.

-- Up Migration

-- Hardly any booking has keys of earlier generations, and those that do must be found by them.
CREATE INDEX booking_effects_former_keys ON booking_effects (connection_id) WHERE former_keys <> '{}';

-- Down Migration

DROP INDEX booking_effects_former_keys;
