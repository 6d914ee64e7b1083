-- Violations of what 0014 promises; every count must be 0.
SELECT 'a budget that was overdrawn' AS check, count(*)::int AS violations FROM provider_budgets WHERE tokens < 0;
