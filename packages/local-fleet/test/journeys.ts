import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedis } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type CalendarProvider, waitUntil } from '../src/index.ts';
import {
  bookedEvents,
  bookingAt,
  type ConnectedProvider,
  type RunningFleet,
  slotAt,
  startTestFleet,
  untilFree,
  untilShown,
} from './fleet-harness.ts';

const WORKERS = ['inbound-worker', 'outbound-worker', 'retry-worker'] as const;
const SLOTS = [slotAt(0), slotAt(1), slotAt(2)];

/** Both stories on real processes, while whatever can be killed is killed. */
export function describeJourneys(transport: 'PostgreSQL' | 'Redis', calendarProvider: CalendarProvider): void {
  // Left out where no Redis can be had; CI fails there instead (`scripts/test.ts`).
  const suite = transport === 'Redis' && process.env.CALSYNC_TEST_REDIS === undefined ? describe.skip : describe;
  suite(`a fleet with its queues on ${transport} and a calendar at ${calendarProvider}`, () => {
    let redis: RedisServer | null = null;
    let fleet: RunningFleet;
    let dana: ConnectedProvider;

    beforeAll(async () => {
      redis = transport === 'Redis' ? await startRedis() : null;
      fleet = await startTestFleet({ REDIS_URL: redis?.url ?? '' });
      dana = await fleet.connect(calendarProvider);
    }, 180_000);

    afterAll(async () => {
      await fleet?.close();
      await redis?.stop();
    }, 180_000);

    /** The inbound story: an event blocks a slot, its deletion gives it back. */
    async function playChange(during: () => void | Promise<void> = () => undefined): Promise<void> {
      const event = await fleet.sandbox.addEvent(dana.calendar, { title: 'Dentist', ...slotAt(1) });
      await during();
      await untilFree(fleet, dana.providerId, SLOTS, [slotAt(0), slotAt(2)]);
      await fleet.sandbox.deleteEvent(dana.calendar, event.id);
      await during();
      await untilFree(fleet, dana.providerId, SLOTS, SLOTS);
    }

    /** The outbound story: booked, moved, cancelled; one event, then none. */
    async function playBooking(during: () => void | Promise<void> = () => undefined): Promise<string> {
      const bookingId = randomUUID();
      const steps = [
        ['booking.created', slotAt(4), slotAt(4)],
        ['booking.updated', slotAt(6), slotAt(6)],
        ['booking.cancelled', slotAt(6), null],
      ] as const;
      for (const [index, [type, slot, shown]] of steps.entries()) {
        await fleet.desk.publish(bookingAt(dana, bookingId, index + 1, type, slot));
        await during();
        await untilShown(fleet, dana.calendar, bookingId, shown);
      }
      return bookingId;
    }

    test('[I-2] [I-3] [I-4] a change in the calendar blocks the time, and its deletion frees it', async () => {
      await playChange();
    });

    test('[O-1] a booking becomes one event, moves and disappears', async () => {
      const bookingId = await playBooking();
      // The mapping follows the calendar: it is stored after the provider has answered.
      await waitUntil('the mapping to be cancelled', async () => {
        const [mapping] = await fleet.database.sql`
        SELECT sync_status, is_busy FROM external_calendar_events WHERE booking_id = ${bookingId}`;
        return mapping?.sync_status === 'CANCELLED' && mapping.is_busy === false;
      });
    });

    test.each(WORKERS)(
      '[R-2] both stories finish once although %s is killed at every step',
      async (role) => {
        const kill = () => fleet.kill(role, 'SIGKILL');
        await playChange(kill);
        const bookingId = await playBooking(kill);
        expect(await creationsOf(bookingId)).toBe(1);
      },
      90_000,
    );

    test('[R-2] both stories finish once although ingress is killed at every step', async () => {
      const kill = () => fleet.kill('ingress', 'SIGKILL');
      // Availability is asked over ingress, which the supervisor brings back.
      await playBooking(kill);
      await fleet.ready();
      await playChange();
    }, 180_000);

    if (transport === 'Redis') {
      test('[W-7] [R-2] both stories finish once although Redis forgets everything at every step', async () => {
        const client = new Redis(redis?.url ?? '');
        const flush = async () => {
          await client.flushall();
        };
        await playChange(flush);
        // A booking event that only lived in Redis is published again by its service, as the outbox does.
        const bookingId = randomUUID();
        await fleet.desk.publish(bookingAt(dana, bookingId, 1, 'booking.created', slotAt(4)));
        await untilShown(fleet, dana.calendar, bookingId, slotAt(4));
        await flush();
        await fleet.desk.publish(bookingAt(dana, bookingId, 2, 'booking.cancelled', slotAt(4)));
        await untilShown(fleet, dana.calendar, bookingId, null);
        client.disconnect();
        expect(await creationsOf(bookingId)).toBe(1);
      }, 180_000);
    }

    test('[B-3] no process logged a secret, a title or an address', () => {
      const text = fleet.lines.map(({ line }) => line).join('\n');
      const { API_TOKENS, OPS_TOKENS, CHANNEL_SECRETS, TOKEN_ENCRYPTION_KEYS } = fleet.environment;
      for (const secret of [API_TOKENS, OPS_TOKENS, CHANNEL_SECRETS, TOKEN_ENCRYPTION_KEYS?.split(':')[1]]) {
        expect(text).not.toContain(secret);
      }
      expect(text).not.toContain('Dentist');
      expect(text).not.toContain(dana.calendar.email);
      expect(text).toContain(dana.connectionId);
    });

    /** How many events were ever written for a booking, living or not. */
    async function creationsOf(bookingId: string): Promise<number> {
      expect(await bookedEvents(fleet, dana.calendar, bookingId)).toHaveLength(0);
      const { entries } = await fleet.sandbox.order<{ entries: { operation: string; title: string | null }[] }>(
        'GET',
        `/history?calendar=${encodeURIComponent(dana.calendar.email)}`,
      );
      return entries.filter(({ operation, title }) => operation === 'create' && title === bookingId).length;
    }
  });
}
