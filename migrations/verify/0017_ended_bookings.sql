-- Violations of what 0017 promises; every count must be 0.
SELECT 'the index of bookings by age is missing or broken' AS check,
       (NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('booking_intents_received_at') AND indisvalid))::int AS violations;
