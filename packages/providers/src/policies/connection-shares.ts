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
  readonly bucket: TokenBucket | null;
}

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
    const share: Share = { running: 0, pausedUntilMs: Number.NEGATIVE_INFINITY, bucket };
    this.#shares.set(connectionId, share);
    return share;
  }

  /** What is forgotten starts as it would have gone on: nothing under way, no pause, a full budget. */
  #forgetIdle(nowMs: number): void {
    for (const [id, { running, pausedUntilMs, bucket }] of this.#shares) {
      if (running === 0 && pausedUntilMs <= nowMs && (bucket?.isFull(nowMs) ?? true)) this.#shares.delete(id);
    }
  }
}
