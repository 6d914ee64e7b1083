/**
 * Who may call a calendar provider now, of all the connections of a process.
 *
 * Three limits hold at once: the provider's budget per minute, each connection's own budget, and each connection's calls
 * at a time. Connections take turns, so one large calendar delays nobody by more than one call of its own. What the
 * provider itself refused for a connection is remembered here, so that nothing of that connection goes out before its
 * time while all others go on.
 *
 * The provider's budget may be one that several processes share; the rest counts for one process.
 */
import { ConnectionShares } from './connection-shares.ts';
import { createLeasedBucket, type SharedBudget } from './leased-bucket.ts';
import { systemTimers, type Timers } from './timers.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';
import { type Lane, WaitingLine } from './waiting-line.ts';

export interface LimiterSettings {
  /**
   * Of this process, below its part of the provider's documented quota. With a shared budget, the fleet's: it then only
   * says when one who is sent away shall come again.
   */
  readonly requestsPerMinute: number;
  /** Shared with other processes; limits them in place of `requestsPerMinute` and `burst`. */
  readonly sharedBudget?: SharedBudget;
  /** How many may go out at once after a silence. Default: a second's part of the budget. */
  readonly burst?: number;
  /** Of one connection. Default: no budget of its own. */
  readonly connectionRequestsPerMinute?: number;
  /** Of one connection, in this process. Default 1. */
  readonly callsPerConnection?: number;
  /** Of the whole process. Default 1000. */
  readonly waitingAtMost?: number;
  /**
   * Of one connection; more are sent away at once, each with a later time to come back. For a process whose work waits
   * in places that all connections share. Default: as many as of the whole process.
   */
  readonly waitingPerConnection?: number;
  /** Longer than this nobody waits. Default 5 s. */
  readonly waitAtMostMs?: number;
  readonly timers?: Timers;
}

export interface Turn {
  readonly connectionId: string;
  readonly lane: Lane;
  readonly signal: AbortSignal;
}

export type Admission =
  /** Goes ahead, and says when it is done; `isUnused` when the provider was not asked after all. */
  | { readonly isAdmitted: true; readonly release: (isUnused: boolean) => void }
  | { readonly isAdmitted: false; readonly reason: 'limiter_full' | 'connection_paused'; readonly retryAfterMs: number }
  | { readonly isAdmitted: false; readonly reason: 'aborted'; readonly retryAfterMs: null };

export interface Limiter {
  enter(turn: Turn): Promise<Admission>;
  /** Nothing of this connection for so long; what it has waiting is sent away. */
  pause(connectionId: string, ms: number): void;
  /** How many wait now. */
  readonly waitingCount: number;
}

interface Waiter {
  readonly connectionId: string;
  readonly lane: Lane;
  readonly settle: (admission: Admission) => void;
}

export function createLimiter(settings: LimiterSettings): Limiter {
  return new CallLimiter(settings);
}

class CallLimiter implements Limiter {
  readonly #settings: LimiterSettings;
  readonly #timers: Timers;
  readonly #bucket: TokenBucket;
  readonly #shares: ConnectionShares;
  readonly #line = new WaitingLine<Waiter>();
  #callOffWake: (() => void) | null = null;

  constructor(settings: LimiterSettings) {
    this.#settings = settings;
    this.#timers = settings.timers ?? systemTimers;
    const { requestsPerMinute, burst, sharedBudget } = settings;
    this.#bucket =
      sharedBudget === undefined
        ? createTokenBucket(requestsPerMinute, this.#timers.now(), burst)
        : createLeasedBucket(sharedBudget, this.#timers.now, () => this.#pump());
    this.#shares = new ConnectionShares({
      callsPerConnection: settings.callsPerConnection ?? 1,
      requestsPerMinute: settings.connectionRequestsPerMinute ?? null,
    });
  }

  get waitingCount(): number {
    return this.#line.size;
  }

  async enter(turn: Turn): Promise<Admission> {
    if (turn.signal.aborted) return { isAdmitted: false, reason: 'aborted', retryAfterMs: null };
    const pausedMs = this.#shares.pausedMs(turn.connectionId, this.#timers.now());
    if (pausedMs > 0) return paused(pausedMs);
    if (this.#line.size >= (this.#settings.waitingAtMost ?? 1_000)) return this.#full();
    if (this.#line.countOf(turn.connectionId) >= (this.#settings.waitingPerConnection ?? Number.POSITIVE_INFINITY)) {
      const retryAfterMs = this.#shares.appoint(turn.connectionId, this.#timers.now());
      return { isAdmitted: false, reason: 'limiter_full', retryAfterMs };
    }
    return this.#wait(turn);
  }

  pause(connectionId: string, ms: number): void {
    const now = this.#timers.now();
    this.#shares.pause(connectionId, now + ms, now);
    for (const waiter of this.#line.takeAllOf(connectionId)) waiter.settle(paused(ms));
  }

  #wait({ connectionId, lane, signal }: Turn): Promise<Admission> {
    return new Promise((resolve) => {
      const sendAway = (admission: Admission) => {
        if (this.#line.remove(waiter)) waiter.settle(admission);
      };
      const onAbort = () => sendAway({ isAdmitted: false, reason: 'aborted', retryAfterMs: null });
      const callOffExpiry = this.#timers.schedule(this.#settings.waitAtMostMs ?? 5_000, () => sendAway(this.#full()));
      const waiter: Waiter = {
        connectionId,
        lane,
        settle(admission) {
          callOffExpiry();
          signal.removeEventListener('abort', onAbort);
          resolve(admission);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#line.add(waiter);
      this.#pump();
    });
  }

  /** Lets in whoever may go, and wakes up again when time alone lets the next one in. */
  #pump(): void {
    this.#callOffWake?.();
    this.#callOffWake = null;
    while (this.#line.size > 0) {
      const now = this.#timers.now();
      const budgetMs = this.#bucket.waitMs(now);
      const mayGo = (connectionId: string) => this.#shares.readyInMs(connectionId, now) === 0;
      const next = budgetMs > 0 ? null : this.#line.takeNext(mayGo);
      if (next === null) {
        this.#wakeIn(Math.max(budgetMs, this.#readyInMs(now)));
        return;
      }
      this.#admit(next, now);
    }
  }

  #admit({ connectionId, settle }: Waiter, now: number): void {
    this.#bucket.take(now);
    this.#shares.start(connectionId, now);
    settle({
      isAdmitted: true,
      release: (isUnused) => {
        this.#shares.end(connectionId, isUnused);
        if (isUnused) this.#bucket.giveBack();
        this.#pump();
      },
    });
  }

  /** Infinite when all that wait do so for a call to end: its end looks again. */
  #readyInMs(now: number): number {
    const waits = this.#line.connectionIds().map((connectionId) => this.#shares.readyInMs(connectionId, now));
    return Math.min(...waits);
  }

  #wakeIn(ms: number): void {
    if (Number.isFinite(ms)) this.#callOffWake = this.#timers.schedule(ms, () => this.#pump());
  }

  /** Come back when those who wait now have gone out. */
  #full(): Admission {
    const drainMs = (this.#line.size * 60_000) / this.#settings.requestsPerMinute;
    return { isAdmitted: false, reason: 'limiter_full', retryAfterMs: Math.max(1_000, Math.ceil(drainMs)) };
  }
}

function paused(ms: number): Admission {
  return { isAdmitted: false, reason: 'connection_paused', retryAfterMs: Math.ceil(ms) };
}
