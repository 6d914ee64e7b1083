/**
 * A process of the fleet as far as calendar calls go. For each order, a line of JSON on its standard input, so many
 * workers make so many calls, each with a pool, a limiter and a token source of its own; another line tells what came of
 * them.
 */
import { createInterface } from 'node:readline';
import { openDatabase } from '@bookiji/db';
import { createMetrics } from '@bookiji/observability';
import { createProviderEdges } from '@bookiji/providers/adapters';
import { ProviderError } from '@bookiji/providers/contract';
import { createCalendarOpener } from '../src/index.ts';
import { type CallOrder, providerSettings } from './call-order.ts';

const never = new AbortController().signal;

async function work(order: CallOrder): Promise<string[]> {
  const { databaseUrl, sandboxUrl, key, timeoutMs, connection, missing } = order;
  const database = openDatabase(databaseUrl, { applicationName: 'caller', max: 1 });
  const openCalendar = createCalendarOpener({
    edges: createProviderEdges(providerSettings(sandboxUrl)),
    db: database.db,
    keys: [{ id: 'k1', key: Buffer.from(key, 'base64') }],
    metrics: createMetrics('caller'),
    timeoutMs,
    breakerResetMs: 30_000,
    requestsPerMinute: 9_000,
  });
  const port = openCalendar({ ...connection, externalCalendarId: 'primary' });
  const outcomes: string[] = [];
  for (let call = 0; call < order.calls; call += 1) outcomes.push(await nameOutcome(port.findEvent(missing, never)));
  await database.close();
  return outcomes;
}

async function nameOutcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    return error instanceof ProviderError ? `${error.kind}/${error.reason}` : String(error);
  }
}

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as CallOrder;
  const outcomes = await Promise.all(Array.from({ length: order.workers }, () => work(order)));
  process.stdout.write(`${JSON.stringify(outcomes.flat())}\n`);
}
