/**
 * The booking service of a run. It hands every booking event over until it is accepted, through the door that the plan
 * says, and after the queue has lost its jobs it says again what it had put there: a queue keeps nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBookingEvent, requestJson } from '@bookiji/local-fleet';
import { type BookingEventMessage, insertIntoOutbox, republishBookings } from '@bookiji/queues';
import { withDeadline } from '@bookiji/runtime';
import type { Ledger } from '../audit/ledger.ts';
import { bookingTitle } from '../history.ts';
import type { PlannedIntent, RunPlan } from '../plan/plan-run.ts';
import type { Stage } from '../stage/open-stage.ts';
import { HOUR_MS } from './hours.ts';

export interface DoorCounts {
  accepted: number;
  /** Tries that failed since something was away; each was followed by another. */
  triedAgain: number;
}

const AGAIN_AFTER_MS = 150;
const HTTP_AT_ONCE = 8;

export class BookingService {
  readonly doors: Record<PlannedIntent['door'], DoorCounts> = {
    queue: { accepted: 0, triedAgain: 0 },
    http: { accepted: 0, triedAgain: 0 },
    outbox: { accepted: 0, triedAgain: 0 },
  };
  republished = 0;
  readonly #stage: Stage;
  readonly #plan: RunPlan;
  readonly #ledger: Ledger;
  readonly #firstHourMs: number;
  /** Put on the queue and not known to be taken in. */
  #unconfirmed: BookingEventMessage[] = [];
  readonly #underway = new Set<Promise<void>>();
  readonly #http: (() => Promise<void>)[] = [];
  #httpRunning = 0;

  constructor(stage: Stage, plan: RunPlan, ledger: Ledger, firstHourMs: number) {
    this.#stage = stage;
    this.#plan = plan;
    this.#ledger = ledger;
    this.#firstHourMs = firstHourMs;
  }

  /** Starts handing these over; does not wait. */
  handIn(intents: readonly PlannedIntent[]): void {
    const byDoor = { queue: [], http: [], outbox: [] } as Record<PlannedIntent['door'], BookingEventMessage[]>;
    for (const intent of intents) {
      const event = this.#write(intent);
      for (let copy = 0; copy < intent.copies; copy += 1) byDoor[intent.door].push(event);
    }
    if (byDoor.queue.length > 0) this.#track(this.#enqueue(byDoor.queue));
    if (byDoor.outbox.length > 0) this.#track(this.#writeOut(byDoor.outbox));
    for (const event of byDoor.http) this.#track(this.#queueHttp(event));
  }

  #write(intent: PlannedIntent): BookingEventMessage {
    const { id, connection } = this.#plan.bookings[intent.booking] as RunPlan['bookings'][number];
    const providerId = this.#plan.providerIds[connection] as string;
    const startMs = this.#firstHourMs + intent.startHour * HOUR_MS;
    const endMs = startMs + HOUR_MS;
    const state = intent.type === 'booking.cancelled' ? 'cancelled' : 'live';
    this.#ledger.note(id, providerId, { version: intent.version, state, startMs, endMs });
    return makeBookingEvent({
      bookingId: id,
      providerId,
      version: intent.version,
      type: intent.type,
      slot: { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() },
      title: bookingTitle(id, intent.version),
    });
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#underway.delete(tracked));
    this.#underway.add(tracked);
  }

  async #untilAccepted(door: PlannedIntent['door'], count: number, hand: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await hand();
        this.doors[door].accepted += count;
        return;
      } catch {
        this.doors[door].triedAgain += 1;
        await sleep(AGAIN_AFTER_MS);
      }
    }
  }

  async #enqueue(events: readonly BookingEventMessage[]): Promise<void> {
    // An attempt that failed may have arrived all the same, so it counts from the first one on.
    this.#unconfirmed.push(...events);
    await this.#untilAccepted('queue', events.length, () => this.#stage.desk.publish(...events));
  }

  #writeOut(events: readonly BookingEventMessage[]): Promise<void> {
    return this.#untilAccepted('outbox', events.length, () =>
      this.#stage.sql.begin(async (tx) => {
        for (const event of events) await insertIntoOutbox(tx, event);
      }),
    );
  }

  /** A few requests at a time, as a service with a pool has them. */
  #queueHttp(event: BookingEventMessage): Promise<void> {
    return new Promise((resolve) => {
      this.#http.push(() => this.#untilAccepted('http', 1, () => this.#post(event)).then(resolve));
      this.#nextHttp();
    });
  }

  #nextHttp(): void {
    if (this.#httpRunning >= HTTP_AT_ONCE) return;
    const work = this.#http.shift();
    if (work === undefined) return;
    this.#httpRunning += 1;
    void work().finally(() => {
      this.#httpRunning -= 1;
      this.#nextHttp();
    });
  }

  async #post(event: BookingEventMessage): Promise<void> {
    const request = requestJson(`${this.#stage.ingress.url}/api/calendar/booking-events`, {
      headers: { authorization: `Bearer ${this.#stage.environment.API_TOKENS}` },
      body: event,
    });
    const { status } = await withDeadline(request, 3_000, 'no answer');
    if (status !== 200 && status !== 202) throw new Error(`answered ${status}`);
  }

  /** After Redis lost everything: what is not in the books of the other side is said again. */
  async sayAgain(): Promise<void> {
    const waiting = await this.#dropConfirmed();
    await this.#untilAccepted('queue', 0, async () => {
      this.republished += await republishBookings(waiting, (batch) => this.#stage.desk.publish(...batch));
    });
  }

  async #dropConfirmed(): Promise<readonly BookingEventMessage[]> {
    for (;;) {
      const asked = this.#unconfirmed;
      const ids = [...new Set(asked.map((event) => event.booking_id))];
      try {
        const rows = await this.#stage.sql<{ booking_id: string; version: number }[]>`
          SELECT booking_id, version::float8 AS version FROM booking_intents WHERE booking_id IN ${this.#stage.sql(ids.length === 0 ? [NOBODY] : ids)}`;
        const stored = new Map(rows.map((row) => [row.booking_id, row.version]));
        this.#unconfirmed = this.#unconfirmed.filter((event) => (stored.get(event.booking_id) ?? 0) < event.version);
        return this.#unconfirmed;
      } catch {
        await sleep(AGAIN_AFTER_MS);
      }
    }
  }

  /** Everything was accepted. */
  async done(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }
}

const NOBODY = '00000000-0000-4000-8000-000000000000';
