/** The roles of `migrations/0012_roles.sql`, as logins of the test server, which trusts whoever names one. */
import { migrateUp } from '@bookiji/db/migrate';
import { prepareQueueSchema } from '@bookiji/queues';
import postgres from 'postgres';

const DATABASE_ROLES = ['calsync_ingress', 'calsync_worker', 'calsync_ops', 'calsync_cli'] as const;
export type DatabaseRole = (typeof DATABASE_ROLES)[number];

/** A database as a deployment prepares one: the schema, what the queues need, and the roles let in. */
export async function prepareTestDatabase(url: string): Promise<void> {
  await migrateUp(url);
  await prepareQueueSchema(url);
  await letRolesIn(url);
}

async function letRolesIn(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    for (const role of DATABASE_ROLES) await sql`ALTER ROLE ${sql(role)} LOGIN`;
  } finally {
    await sql.end();
  }
}

/** The same database under a role of its own. */
export function asRole(url: string, role: DatabaseRole): string {
  const own = new URL(url);
  own.username = role;
  own.password = '';
  return own.href;
}
