/** What calendar providers do wrong all along, each with its own chance; the sandbox counts how often each struck. */
import type { Stage } from '../stage/open-stage.ts';

interface StandingFault {
  readonly name: string;
  readonly order: Readonly<Record<string, unknown>>;
}

/** Longer than the fleet waits for an answer (2.5 s) and than its leases (5 s): it takes effect after somebody else's. */
const LATE_MS = 6_000;

const CALLS: readonly StandingFault[] = [
  { name: 'status 500', order: { operation: 'events.*', status: 500, probability: 0.02 } },
  {
    name: 'status 503 with Retry-After',
    order: { operation: 'events.*', status: 503, retry_after: 1, probability: 0.01 },
  },
  {
    name: 'status 429 with Retry-After',
    order: { operation: 'events.*', status: 429, retry_after: 1, probability: 0.01 },
  },
  { name: 'connection reset', order: { operation: 'events.*', reset: true, probability: 0.01 } },
  { name: 'slow answer', order: { operation: 'events.*', latency_ms: 300, probability: 0.02 } },
  { name: 'lost answer of a create', order: { operation: 'events.insert', lost_answer: true, probability: 0.04 } },
  { name: 'lost answer of an update', order: { operation: 'events.patch', lost_answer: true, probability: 0.04 } },
  { name: 'lost answer of a delete', order: { operation: 'events.delete', lost_answer: true, probability: 0.04 } },
  {
    name: 'create that takes effect late',
    order: { operation: 'events.insert', latency_ms: LATE_MS, probability: 0.01 },
  },
  {
    name: 'update that takes effect late',
    order: { operation: 'events.patch', latency_ms: LATE_MS, probability: 0.01 },
  },
];

/** What a fleet without its defences must stumble over: most of the time nothing, but often late and unanswered. */
const HARSH_CALLS: readonly StandingFault[] = [
  { name: 'lost answer of a create', order: { operation: 'events.insert', lost_answer: true, probability: 0.15 } },
  {
    name: 'create that takes effect late',
    order: { operation: 'events.insert', latency_ms: LATE_MS, probability: 0.1 },
  },
  {
    name: 'update that takes effect late',
    order: { operation: 'events.patch', latency_ms: LATE_MS, probability: 0.3 },
  },
];

const NOTIFICATIONS: readonly StandingFault[] = [
  { name: 'dropped notification', order: { action: 'drop', probability: 0.03 } },
  { name: 'doubled notification', order: { action: 'duplicate', probability: 0.5 } },
  { name: 'overtaken notification', order: { action: 'reorder', probability: 0.1, delay_ms: 300 } },
  { name: 'late notification', order: { action: 'delay', probability: 0.05, delay_ms: 1_500 } },
];

export class StandingFaults {
  readonly #stage: Stage;
  readonly #calls = new Map<number, string>();
  readonly #notifications = new Map<number, string>();
  readonly #kinds: readonly StandingFault[];
  #struck: Record<string, number> = {};

  constructor(stage: Stage, isHarsh: boolean) {
    this.#stage = stage;
    this.#kinds = isHarsh ? HARSH_CALLS : CALLS;
  }

  async order(seed: number): Promise<void> {
    for (const [at, { name, order }] of this.#kinds.entries())
      this.#calls.set(await this.#add('/faults', order, seed + at), name);
    for (const [at, { name, order }] of NOTIFICATIONS.entries()) {
      this.#notifications.set(await this.#add('/notification-faults', order, seed + 100 + at), name);
    }
  }

  async #add(path: string, order: object, seed: number): Promise<number> {
    return (await this.#stage.sandbox.order<{ id: number }>('POST', path, { ...order, seed })).id;
  }

  /** No notification is lost or late any more; what is still held back goes out. */
  async endNotificationFaults(): Promise<void> {
    await this.#count();
    this.#notifications.clear();
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    await this.#stage.sandbox.order('DELETE', '/faults');
    for (const name of calls) {
      const fault = this.#kinds.find((one) => one.name === name) as StandingFault;
      this.#calls.set(await this.#add('/faults', fault.order, this.#kinds.indexOf(fault)), name);
    }
  }

  /** From here on the providers are well. */
  async end(): Promise<void> {
    await this.#count();
    this.#calls.clear();
    await this.#stage.sandbox.order('DELETE', '/faults');
  }

  async #count(): Promise<void> {
    const listed = await this.#stage.sandbox.order<{ faults: Standing[]; notification_faults: Standing[] }>(
      'GET',
      '/faults',
    );
    const add = (name: string | undefined, fired: number) => {
      if (name !== undefined) this.#struck[name] = (this.#struck[name] ?? 0) + fired;
    };
    for (const { id, fired } of listed.faults) add(this.#calls.get(id), fired);
    for (const { id, fired } of listed.notification_faults) add(this.#notifications.get(id), fired);
  }

  get struck(): Readonly<Record<string, number>> {
    return this.#struck;
  }
}

interface Standing {
  readonly id: number;
  readonly fired: number;
}
