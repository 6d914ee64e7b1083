/** Traces of a whole fleet, as a collector receives them over OTLP/HTTP. */
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../src/index.ts';
import {
  bookingAt,
  type ConnectedProvider,
  type RunningFleet,
  slotAt,
  startTestFleet,
  untilShown,
} from './fleet-harness.ts';

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface ReceivedSpan {
  readonly role: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly Attribute[] }[];
}

interface Receiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Everything that was sent, as written. */
  readonly bodies: readonly string[];
  readonly server: Server;
}

/** A collector that only remembers. */
async function startReceiver(): Promise<Receiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      bodies.push(text);
      if (request.url === '/v1/traces') spans.push(...readSpans(text));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, bodies, server };
}

function readSpans(text: string): ReceivedSpan[] {
  const { resourceSpans } = JSON.parse(text) as {
    resourceSpans: {
      resource: { attributes: Attribute[] };
      scopeSpans: { spans: (Omit<ReceivedSpan, 'role' | 'events'> & { events?: ReceivedSpan['events'] })[] }[];
    }[];
  };
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const role = String(readAttribute(resource.attributes, 'service.name'));
    return scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ events: [], ...span, role })));
  });
}

function readAttribute(attributes: readonly Attribute[], key: string): unknown {
  return Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0];
}

let receiver: Receiver;
let fleet: RunningFleet;
let provider: ConnectedProvider;
beforeAll(async () => {
  receiver = await startReceiver();
  // No sweep rings before ingress does: the trace would begin with whoever rang first.
  fleet = await startTestFleet({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, SWEEP_INTERVAL_MS: '600000' });
  provider = await fleet.connect('google');
}, 180_000);
afterAll(async () => {
  await fleet?.close();
  receiver?.server.closeAllConnections();
  receiver?.server.close();
}, 180_000);

/** From the span up to the beginning of its trace, as `role: name`. */
function pathTo(span: ReceivedSpan): string[] {
  const parent = receiver.spans.find((one) => one.traceId === span.traceId && one.spanId === span.parentSpanId);
  return [...(parent === undefined ? [] : pathTo(parent)), `${span.role}: ${span.name}`];
}
const untilSpan = (what: string, matches: (span: ReceivedSpan) => boolean) =>
  waitUntil(what, () => receiver.spans.find(matches), 90_000, 100);

describe('[B-3] with an endpoint for traces', () => {
  test('one trace leads from the notification to the committed interval, with the calls in between', async () => {
    // A ring that is still on its way would find the change before its notification does.
    await waitUntil('the queues to be empty', async () => {
      const counts = await Promise.all(
        ['calendar-retry', 'calendar-inbound-sync'].map((name) => fleet.desk.queues.queue(name).getJobCounts()),
      );
      return counts.every(({ waiting, active, delayed }) => waiting === 0 && active === 0 && delayed === 0);
    });
    await fleet.sandbox.addEvent(provider.calendar, { title: 'Dentist', ...slotAt(0) });
    const committed = await untilSpan('the commit', ({ events }) =>
      events.some(
        ({ name, attributes }) => name === 'changes committed' && Number(readAttribute(attributes, 'put_count')) === 1,
      ),
    );
    const [first] = await waitUntil('the whole trace', () => {
      const path = pathTo(committed);
      return path[0]?.startsWith('ingress: ') === true ? path : null;
    });
    expect(first).toBe('ingress: POST /api/webhooks/calendar/google');
    expect(committed.role).toBe('inbound-worker');
    expect(committed.name).toContain('calendar-inbound-sync');
    const call = await untilSpan(
      'the call to the calendar',
      ({ traceId, name }) => traceId === committed.traceId && name === 'GET /calendar/v3/calendars/primary/events',
    );
    expect(pathTo(call).slice(0, -1)).toEqual(pathTo(committed));
  }, 180_000);

  test('and one from the booking event to the event in the calendar', async () => {
    const bookingId = randomUUID();
    // A ring that takes too long is given up, and no sweep repeats it here; a newer version rings again.
    const bookUntilShown = async (version: number): Promise<void> => {
      const type = version === 1 ? 'booking.created' : 'booking.updated';
      await fleet.desk.publish(bookingAt(provider, bookingId, version, type, slotAt(3)));
      await untilShown(fleet, provider.calendar, bookingId, slotAt(3), 15_000).catch((error: unknown) => {
        if (version === 3) throw error;
        return bookUntilShown(version + 1);
      });
    };
    await bookUntilShown(1);
    const call = await untilSpan('the write', ({ name }) => name === 'POST /calendar/v3/calendars/primary/events');
    const path = await waitUntil('the whole trace', () => {
      const known = pathTo(call);
      return known.length >= 4 ? known : null;
    });
    expect(path[0]).toContain('outbound-worker: process calendar-booking-events');
    expect(path.at(-2)).toContain('outbound-worker: process calendar-outbound-sync');
  }, 180_000);

  test('what is sent holds no secret, no address, no title and no cursor', async () => {
    const tokens = await fleet.database
      .sql`SELECT sync_cursor FROM external_calendar_connections WHERE sync_cursor IS NOT NULL`;
    const sent = receiver.bodies.join('\n');
    const secrets = [
      'API_TOKENS',
      'OPS_TOKENS',
      'CHANNEL_SECRETS',
      'GOOGLE_CLIENT_SECRET',
      'TOKEN_ENCRYPTION_KEYS',
      'DATABASE_URL',
    ]
      .map((name) => fleet.environment[name] ?? '')
      .filter((value) => value !== '');
    expect(secrets.length).toBeGreaterThan(4);
    expect(tokens.length).toBeGreaterThan(0);
    const cursors = tokens.map(({ sync_cursor }) => String(sync_cursor));
    for (const secret of [...secrets, ...cursors, provider.calendar.email, 'Dentist', 'syncToken', 'Bearer ']) {
      expect([secret.slice(0, 12), sent.includes(secret)]).toEqual([secret.slice(0, 12), false]);
    }
  });
});
