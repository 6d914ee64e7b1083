import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const HEARD_WITHIN_MS = 2_000;

/**
 * BullMQ's PostgreSQL backend waits for work by LISTEN, which belongs to a session; behind a pooler that lends sessions
 * out by the transaction it would wait forever without an error.
 *
 * @throws Error, one line for the operator, when what is said on one connection is not heard on another.
 */
export async function requireSessions(databaseUrl: string, heardWithinMs = HEARD_WITHIN_MS): Promise<void> {
  const channel = `calsync_${randomUUID().replaceAll('-', '')}`;
  const clients = [connectTo(databaseUrl), connectTo(databaseUrl)] as const;
  const [listener, speaker] = clients;
  try {
    await Promise.all(clients.map((client) => client.connect()));
    const heard = new Promise<boolean>((resolve) => listener.once('notification', () => resolve(true)));
    // biome-ignore lint/plugin: a name made here; LISTEN takes no parameters
    await listener.query(`LISTEN ${channel}`);
    // biome-ignore lint/plugin: the text is ours
    await speaker.query('SELECT pg_notify($1, $2)', [channel, '']);
    if (await Promise.race([heard, sleep(heardWithinMs, false, { ref: false })])) return;
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
  throw new Error(
    'queues in PostgreSQL need a connection without a pooler in transaction mode; set REDIS_URL (docs/operating.md)',
  );
}

function connectTo(connectionString: string): pg.Client {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000, query_timeout: 5_000 });
  client.on('error', () => undefined);
  return client;
}
