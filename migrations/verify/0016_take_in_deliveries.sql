-- Violations of what 0016 promises; every count must be 0.
SELECT 'a receipt without a key' AS check, count(*)::int AS violations FROM deliveries WHERE delivery_key = '';
