-- Violations of what 0018 promises; every count must be 0.
SELECT 'the index of bookings by keys of earlier generations is missing or broken' AS check,
       (NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('booking_effects_former_keys') AND indisvalid))::int AS violations;
