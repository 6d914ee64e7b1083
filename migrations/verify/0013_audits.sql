-- Violations of what 0013 promises; every count must be 0.
SELECT 'an audit whose findings are no lists' AS check, count(*)::int AS violations
  FROM connection_audits WHERE jsonb_typeof(suspects) <> 'array' OR jsonb_typeof(mismatches) <> 'array';
