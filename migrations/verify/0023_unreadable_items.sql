-- Violations of what 0023 promises; every count must be 0.
SELECT 'an unreadable item without a reason' AS check, count(*)::int AS violations
  FROM unreadable_items WHERE reason = '';
