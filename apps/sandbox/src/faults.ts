/** Faults on order: which requests go wrong, how, and how often. */
import { seededRandom } from '@bookiji/runtime';
import { z } from 'zod';
import { PROVIDERS, type Provider } from './provider.ts';

export const faultShape = z
  .object({
    // Which requests. What is left out matches everything.
    provider: z.enum(PROVIDERS).optional(),
    /** `events.insert`, or a family: `events.*`. */
    operation: z.string().min(1).optional(),
    user: z.string().min(1).optional(),
    /** Page of a listing, counted from 1. */
    page: z.number().int().min(1).optional(),

    // How often. Without any of these: until cleared.
    /** So many times, then never again. */
    times: z.number().int().min(1).optional(),
    /** The first so many that match go well. */
    skip: z.number().int().min(0).optional(),
    probability: z.number().min(0).max(1).optional(),
    seed: z.number().int().optional(),

    // What happens.
    /** Wait before anything is done. */
    latency_ms: z.number().int().min(0).optional(),
    /** Wait after the work is committed, before the answer. */
    answer_latency_ms: z.number().int().min(0).optional(),
    /** Refused with this status, nothing done. */
    status: z.number().int().min(100).max(599).optional(),
    /** Google's reason, Graph's code or OAuth's error, in the provider's shape. */
    reason: z.string().optional(),
    /** Seconds, or an HTTP date, as the header carries it. */
    retry_after: z.union([z.number().min(0), z.string()]).optional(),
    /** Sent in place of the provider's shape: a proxy's page, half a document. */
    body: z.string().optional(),
    content_type: z.string().optional(),
    /** The connection breaks before anything is done. */
    reset: z.boolean().optional(),
    /** Everything is done and committed, then the connection breaks. */
    lost_answer: z.boolean().optional(),
    /** Never answered. Nothing is done. */
    hang: z.boolean().optional(),
    /** A listing with status 200 shows only this share of its items (0: none), as if that were all. */
    keep_share: z.number().min(0).max(1).optional(),
  })
  .strict();

export type FaultOrder = z.output<typeof faultShape>;

export interface FaultTarget {
  readonly provider: Provider;
  readonly operation: string;
  readonly user: string | null;
  readonly page: number;
}

interface StandingFault {
  readonly id: number;
  readonly order: FaultOrder;
  readonly chance: () => number;
  matched: number;
  fired: number;
}

export class Faults {
  #standing: StandingFault[] = [];
  #lastId = 0;

  add(order: FaultOrder): number {
    this.#lastId += 1;
    const chance = seededRandom(order.seed ?? this.#lastId);
    this.#standing.push({ id: this.#lastId, order, chance, matched: 0, fired: 0 });
    return this.#lastId;
  }

  /** @returns the orders that strike this request, oldest first. */
  strike(target: FaultTarget): FaultOrder[] {
    if (this.#standing.length === 0) return [];
    return this.#standing.filter((fault) => fires(fault, target)).map(({ order }) => order);
  }

  remove(id: number): boolean {
    const before = this.#standing.length;
    this.#standing = this.#standing.filter((fault) => fault.id !== id);
    return this.#standing.length < before;
  }

  clear(): void {
    this.#standing = [];
  }

  list() {
    return this.#standing.map(({ id, order, matched, fired }) => ({ id, order, matched, fired }));
  }
}

function fires(fault: StandingFault, target: FaultTarget): boolean {
  const { order } = fault;
  if (!matches(order, target)) return false;
  fault.matched += 1;
  if (fault.matched <= (order.skip ?? 0)) return false;
  if (order.times !== undefined && fault.fired >= order.times) return false;
  if (order.probability !== undefined && fault.chance() >= order.probability) return false;
  fault.fired += 1;
  return true;
}

function matches(order: FaultOrder, target: FaultTarget): boolean {
  if (order.provider !== undefined && order.provider !== target.provider) return false;
  if (order.user !== undefined && order.user.toLowerCase() !== target.user) return false;
  if (order.page !== undefined && order.page !== target.page) return false;
  if (order.operation === undefined || order.operation === target.operation) return true;
  return order.operation.endsWith('*') && target.operation.startsWith(order.operation.slice(0, -1));
}
