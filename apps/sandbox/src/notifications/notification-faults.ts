/** Notifications that go astray on order: dropped, doubled, late or out of order; and channels that fall silent. */
import { seededRandom } from '@bookiji/runtime';
import { z } from 'zod';
import { PROVIDERS, type Provider } from '../provider.ts';

export const notificationFaultShape = z
  .object({
    action: z.enum(['drop', 'duplicate', 'delay', 'reorder']),
    provider: z.enum(PROVIDERS).optional(),
    /** Google's channel id or Graph's subscription id. */
    channel: z.string().optional(),
    user: z.string().optional(),
    /** `sync`, `exists`, `change` or `lifecycle`. */
    kind: z.enum(['sync', 'exists', 'change', 'lifecycle']).optional(),
    /** Strikes the n-th, the 2n-th and so on. */
    every_nth: z.number().int().min(1).optional(),
    probability: z.number().min(0).max(1).optional(),
    seed: z.number().int().optional(),
    times: z.number().int().min(1).optional(),
    /** For `delay`; for `reorder` the longest wait for a notification to be overtaken by. */
    delay_ms: z.number().int().min(0).optional(),
  })
  .strict();

export type NotificationFaultOrder = z.output<typeof notificationFaultShape>;
export type NotificationKind = NonNullable<NotificationFaultOrder['kind']>;

export interface NotificationTarget {
  readonly provider: Provider;
  readonly channel: string;
  readonly user: string;
  readonly kind: NotificationKind;
}

interface StandingFault {
  readonly id: number;
  readonly order: NotificationFaultOrder;
  readonly chance: () => number;
  matched: number;
  fired: number;
}

export type Fate = 'sent' | 'drop' | 'duplicate' | 'delay' | 'reorder' | 'silenced';

export class NotificationFaults {
  #standing: StandingFault[] = [];
  #lastId = 0;
  readonly #silent = new Set<string>();
  /** One notification per channel that waits to be overtaken. */
  readonly #overtaken = new Map<string, () => void>();
  readonly #timers = new Set<NodeJS.Timeout>();

  add(order: NotificationFaultOrder): number {
    this.#lastId += 1;
    const chance = seededRandom(order.seed ?? this.#lastId);
    this.#standing.push({ id: this.#lastId, order, chance, matched: 0, fired: 0 });
    return this.#lastId;
  }

  silence(channel: string): void {
    this.#silent.add(channel);
  }

  unsilence(channel: string): void {
    this.#silent.delete(channel);
  }

  isSilent(channel: string): boolean {
    return this.#silent.has(channel);
  }

  list() {
    return this.#standing.map(({ id, order, matched, fired }) => ({ id, order, matched, fired }));
  }

  clear(): void {
    this.#standing = [];
    this.#silent.clear();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    const waiting = [...this.#overtaken.values()];
    this.#overtaken.clear();
    for (const release of waiting) release();
  }

  /** Lets a notification through: at once, twice, later or never. */
  pass(target: NotificationTarget, release: () => void): Fate {
    if (this.#silent.has(target.channel)) return 'silenced';
    const fault = this.#standing.find((standing) => fires(standing, target));
    const action = fault?.order.action ?? null;
    const delayMs = fault?.order.delay_ms ?? 1000;
    if (action === 'drop') return 'drop';
    if (action === 'reorder' && !this.#overtaken.has(target.channel)) {
      this.#hold(target.channel, release, delayMs);
      return 'reorder';
    }
    if (action === 'delay') {
      this.#later(delayMs, release);
      return 'delay';
    }
    release();
    if (action === 'duplicate') release();
    this.#releaseOvertaken(target.channel);
    return action === 'duplicate' ? 'duplicate' : 'sent';
  }

  #hold(channel: string, release: () => void, longestMs: number): void {
    this.#overtaken.set(channel, release);
    this.#later(longestMs, () => this.#releaseOvertaken(channel));
  }

  #releaseOvertaken(channel: string): void {
    const waiting = this.#overtaken.get(channel);
    this.#overtaken.delete(channel);
    waiting?.();
  }

  #later(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    this.#timers.add(timer);
  }
}

function fires(fault: StandingFault, target: NotificationTarget): boolean {
  const { order } = fault;
  if (order.provider !== undefined && order.provider !== target.provider) return false;
  if (order.channel !== undefined && order.channel !== target.channel) return false;
  if (order.user !== undefined && order.user.toLowerCase() !== target.user) return false;
  if (order.kind !== undefined && order.kind !== target.kind) return false;
  fault.matched += 1;
  if (order.times !== undefined && fault.fired >= order.times) return false;
  if (order.every_nth !== undefined && fault.matched % order.every_nth !== 0) return false;
  if (order.probability !== undefined && fault.chance() >= order.probability) return false;
  fault.fired += 1;
  return true;
}
