SELECT 'one open dead letter per subject' AS check, count(*) AS violations FROM (
  SELECT FROM dead_letters WHERE replayed_at IS NULL GROUP BY kind, subject HAVING count(*) > 1) d
UNION ALL
SELECT 'runs end after they start', count(*) FROM sync_runs WHERE finished_at < started_at;
