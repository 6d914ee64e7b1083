/** So many per minute, and so many at once after a silence. Time is an argument, in milliseconds. */
export interface TokenBucket {
  /** Takes one if there is one. */
  take(nowMs: number): boolean;
  /** Puts one back that was taken for nothing. */
  giveBack(): void;
  /** Until there is one; 0 when there is. */
  waitMs(nowMs: number): number;
  /** Nothing was taken that has not come back: the bucket may be forgotten. */
  isFull(nowMs: number): boolean;
}

/** @param burst what is there after a silence; by default a second's share. */
export function createTokenBucket(
  perMinute: number,
  nowMs: number,
  burst: number = Math.max(1, Math.floor(perMinute / 60)),
): TokenBucket {
  const perMs = perMinute / 60_000;
  let tokens = burst;
  let filledAt = nowMs;
  const fill = (now: number) => {
    tokens = Math.min(burst, tokens + Math.max(0, now - filledAt) * perMs);
    filledAt = Math.max(filledAt, now);
  };
  // A share of a token short of one is rounding, not waiting.
  const isReady = () => tokens > 1 - 1e-6;
  return {
    take(now) {
      fill(now);
      if (!isReady()) return false;
      tokens -= 1;
      return true;
    },
    giveBack() {
      tokens = Math.min(burst, tokens + 1);
    },
    waitMs(now) {
      fill(now);
      return isReady() ? 0 : Math.ceil((1 - tokens) / perMs);
    },
    isFull(now) {
      fill(now);
      return tokens > burst - 1e-6;
    },
  };
}
