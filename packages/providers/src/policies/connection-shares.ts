import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

export interface ShareSettings {
  /** At a time. */
  readonly callsPerConnection: number;
  /** Null for no budget of its own. */
  readonly requestsPerMinute: number | null;
}

interface Share {
  running: number;
  pausedUntilMs: number;
  /** When the last one that was sent away shall come back. */
  appointedAtMs: number;
  readonly bucket: TokenBucket | null;
}

/** The first that is sent away comes back after this. */
const SOONEST_MS = 1_000;
/** Where a connection has no budget of its own. */
const APPOINTED_EVERY_MS = 100;
/** Shares that are remembered although nothing of their connection is under way. */
const IDLE_KEPT = 5_000;

/** What each connection may do by itself: calls at a time, a budget, and the pause that the provider asked for. */
export class ConnectionShares {
  readonly #settings: ShareSettings;
  readonly #shares = new Map<string, Share>();

  constructor(settings: ShareSettings) {
    this.#settings = settings;
  }

  start(connectionId: string, nowMs: number): void {
    const share = this.#of(connectionId, nowMs);
    share.running += 1;
    share.bucket?.take(nowMs);
  }

  end(connectionId: string, isUnused: boolean): void {
    const share = this.#shares.get(connectionId);
    if (share === undefined) return;
    share.running -= 1;
    if (isUnused) share.bucket?.giveBack();
  }

  pause(connectionId: string, untilMs: number, nowMs: number): void {
    const share = this.#of(connectionId, nowMs);
    share.pausedUntilMs = Math.max(share.pausedUntilMs, untilMs);
  }

  /** Milliseconds that the pause still lasts; 0 when there is none. */
  pausedMs(connectionId: string, nowMs: number): number {
    return Math.max(0, (this.#shares.get(connectionId)?.pausedUntilMs ?? nowMs) - nowMs);
  }

  /**
   * When one that finds too many waiting may come back, milliseconds from now: one after the other as the connection's
   * budget lets them out, so that they do not all come back together.
   */
  appoint(connectionId: string, nowMs: number): number {
    const share = this.#of(connectionId, nowMs);
    const { requestsPerMinute } = this.#settings;
    const everyMs = requestsPerMinute === null ? APPOINTED_EVERY_MS : 60_000 / requestsPerMinute;
    share.appointedAtMs = Math.max(nowMs + SOONEST_MS, share.appointedAtMs + everyMs);
    return Math.ceil(share.appointedAtMs - nowMs);
  }

  /** Milliseconds until time alone lets the next call in; infinite when a call has to end first. */
  readyInMs(connectionId: string, nowMs: number): number {
    const share = this.#of(connectionId, nowMs);
    if (share.running >= this.#settings.callsPerConnection) return Number.POSITIVE_INFINITY;
    return share.bucket?.waitMs(nowMs) ?? 0;
  }

  #of(connectionId: string, nowMs: number): Share {
    const known = this.#shares.get(connectionId);
    if (known !== undefined) return known;
    if (this.#shares.size >= IDLE_KEPT) this.#forgetIdle(nowMs);
    const perMinute = this.#settings.requestsPerMinute;
    const bucket = perMinute === null ? null : createTokenBucket(perMinute, nowMs);
    const never = Number.NEGATIVE_INFINITY;
    const share: Share = { running: 0, pausedUntilMs: never, appointedAtMs: never, bucket };
    this.#shares.set(connectionId, share);
    return share;
  }

  /** What is forgotten starts as it would have gone on: nothing under way, no pause, a full budget. */
  #forgetIdle(nowMs: number): void {
    for (const [id, { running, pausedUntilMs, appointedAtMs, bucket }] of this.#shares) {
      const isIdle = running === 0 && Math.max(pausedUntilMs, appointedAtMs) <= nowMs;
      if (isIdle && (bucket?.isFull(nowMs) ?? true)) this.#shares.delete(id);
    }
  }
}
