SELECT 'what faces the world can read no token' AS check, count(*) AS violations
  FROM unnest(ARRAY['calsync_ingress', 'calsync_ops']) AS role, unnest(ARRAY['access_token_sealed', 'refresh_token_sealed']) AS token
 WHERE has_column_privilege(role, 'external_calendar_connections', token, 'SELECT')
UNION ALL
SELECT 'no role owns a table or may make one', count(*)
  FROM unnest(ARRAY['calsync_ingress', 'calsync_worker', 'calsync_ops', 'calsync_cli']) AS role
 WHERE has_schema_privilege(role, 'public', 'CREATE')
    OR EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public' AND tableowner = role)
UNION ALL
SELECT 'workers may work on every table', count(*)
  FROM pg_tables, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
 WHERE schemaname = 'public' AND tablename <> 'schema_migrations'
   AND NOT has_table_privilege('calsync_worker', format('%I.%I', schemaname, tablename), privilege);
