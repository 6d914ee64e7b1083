SELECT 'channels were silent after they were made' AS check, count(*) AS violations
  FROM channels WHERE unannounced_at < created_at
UNION ALL
SELECT 'channels were looked after after they were made', count(*) FROM channels WHERE looked_after_at < created_at;
