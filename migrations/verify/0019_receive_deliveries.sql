-- Violations of what 0019 promises; every count must be 0.
SELECT 'a receipt without a key' AS check, count(*)::int AS violations FROM deliveries WHERE delivery_key = '';
