/** Which database role each process works under; see `migrations/0012_roles.sql`. */
import type { Environment } from '@bookiji/runtime';
import postgres from 'postgres';

/** Process → the variable that names its own way into the database, and the role meant for it. */
const DOORS: Readonly<Record<string, readonly [variable: string, databaseRole: string]>> = {
  ingress: ['DATABASE_URL_INGRESS', 'calsync_ingress'],
  'inbound-worker': ['DATABASE_URL_WORKER', 'calsync_worker'],
  'outbound-worker': ['DATABASE_URL_WORKER', 'calsync_worker'],
  'retry-worker': ['DATABASE_URL_WORKER', 'calsync_worker'],
  ops: ['DATABASE_URL_OPS', 'calsync_ops'],
};

/** A process's environment: its own `DATABASE_URL` where there is one, and nobody else's. */
export function environmentOf(role: string, environment: Environment): Environment {
  const own = environment[DOORS[role]?.[0] ?? ''];
  const variables = new Set(Object.values(DOORS).map(([variable]) => variable));
  const rest = Object.fromEntries(Object.entries(environment).filter(([name]) => !variables.has(name)));
  return own ? { ...rest, DATABASE_URL: own } : rest;
}

/** The variables for a server that trusts whoever comes from this machine: each process is its role. */
export function localDoors(databaseUrl: string): Record<string, string> {
  return Object.fromEntries(
    Object.values(DOORS).map(([variable, databaseRole]) => {
      const url = new URL(databaseUrl);
      url.username = databaseRole;
      url.password = '';
      return [variable, url.href];
    }),
  );
}

/** Lets the roles log in, which a production server leaves to logins of their own. */
export async function openLocalDoors(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    const wanted = [...new Set(Object.values(DOORS).map(([, databaseRole]) => databaseRole))];
    const closed = await sql`SELECT rolname FROM pg_roles WHERE NOT rolcanlogin AND rolname = ANY(${wanted})`;
    for (const { rolname } of closed) await sql`ALTER ROLE ${sql(String(rolname))} LOGIN`;
  } finally {
    await sql.end();
  }
}
