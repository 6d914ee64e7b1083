import { runMigrations } from 'bullmq';
import pg from 'pg';

/** Whoever is there of them may use the queues; see `migrations/0012_roles.sql`. */
const ROLES = ['calsync_ingress', 'calsync_worker', 'calsync_ops', 'calsync_cli'];

/**
 * Makes or renews what BullMQ keeps in PostgreSQL, as the owner of the database, so that processes need no right to make
 * anything. Harmless when it is current.
 */
export async function prepareQueueSchema(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await runMigrations(client as never);
    const { rows } = await client.query<{ name: string }>(
      'SELECT quote_ident(rolname) AS name FROM pg_roles WHERE rolname = ANY($1)',
      [ROLES],
    );
    // biome-ignore lint/plugin: role names, quoted by the server
    if (rows.length > 0) await client.query(grantsTo(rows.map(({ name }) => name).join(', ')));
  } finally {
    await client.end();
  }
}

/** BullMQ makes a sequence for each queue when its first job comes; whoever makes it, all count on. */
function grantsTo(roles: string): string {
  return `
    GRANT USAGE, CREATE ON SCHEMA bullmq TO ${roles};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bullmq TO ${roles};
    GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA bullmq TO ${roles};
    ALTER DEFAULT PRIVILEGES IN SCHEMA bullmq GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO ${roles};
    ALTER DEFAULT PRIVILEGES FOR ROLE ${roles} IN SCHEMA bullmq GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO ${roles};`;
}
