SELECT 'marks are short' AS check, count(*) AS violations FROM channels WHERE length(secret_mark) <> 8;
