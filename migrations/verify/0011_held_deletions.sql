-- Violations of what 0011 promises; every count must be 0.
SELECT 'a change that was both told and withdrawn' AS check, count(*)::int AS violations
  FROM external_changes WHERE published_at IS NOT NULL AND withdrawn_at IS NOT NULL
UNION ALL
SELECT 'a decision about something that was not held', count(*)::int
  FROM external_changes WHERE settled_at IS NOT NULL AND kind <> 'held';
