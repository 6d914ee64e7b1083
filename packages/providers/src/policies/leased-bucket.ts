import type { TokenBucket } from './token-bucket.ts';

/** A budget that several processes share: each takes a few requests at a time out of a common bucket. */
export interface SharedBudget {
  /** @returns how many of the wanted requests may go out; 0 when there is none now. */
  take(wanted: number): Promise<number>;
  /** Of all who share it. */
  readonly perSecond: number;
}

/** What was taken and not used by then is let go: it would add to somebody's burst later. */
const KEPT_MS = 1_000;
/** So many times a second a busy process asks. */
const ASKS_PER_SECOND = 20;
/** Nobody answers: work can hardly go on without the database, so little is lost by asking seldom. */
const RETRY_MS = 500;
/** Who has not answered by then is asked again, before those who wait for the answer have waited too long. */
const ASK_AT_MOST_MS = 2_000;

/** @param onChange called when what was asked for has come, or has not. */
export function createLeasedBucket(budget: SharedBudget, now: () => number, onChange: () => void): TokenBucket {
  const wanted = Math.max(1, Math.ceil(budget.perSecond / ASKS_PER_SECOND));
  let tokens = 0;
  let takenAt = 0;
  let askAgainAt = 0;
  /** Null while nothing is asked. */
  let askedAt: number | null = null;

  const dropStale = (nowMs: number) => {
    if (nowMs - takenAt > KEPT_MS) tokens = 0;
  };
  const ask = async (nowMs: number) => {
    askedAt = nowMs;
    let granted = 0;
    let waitMs = 1_000 / budget.perSecond;
    try {
      granted = await budget.take(wanted);
    } catch {
      waitMs = RETRY_MS;
    }
    // Too late: another question took this one's place.
    if (askedAt !== nowMs) return;
    askedAt = null;
    takenAt = now();
    tokens = granted;
    askAgainAt = granted > 0 ? 0 : takenAt + waitMs;
    onChange();
  };

  return {
    take(nowMs) {
      dropStale(nowMs);
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    giveBack() {
      tokens += 1;
    },
    waitMs(nowMs) {
      dropStale(nowMs);
      if (tokens >= 1) return 0;
      if (askedAt !== null && nowMs < askedAt + ASK_AT_MOST_MS) return Math.ceil(askedAt + ASK_AT_MOST_MS - nowMs);
      if (nowMs < askAgainAt) return Math.ceil(askAgainAt - nowMs);
      void ask(nowMs);
      return ASK_AT_MOST_MS;
    },
    isFull: () => false,
  };
}
