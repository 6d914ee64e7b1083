/**
 * Taking notifications in, many at a time. While one statement runs, what arrives gathers into the next: an idle server
 * answers a single delivery at once, a storm costs about as much as a few. An answer is given only after the commit.
 */
import type { DeliveryVerdict, ProvenNotification, RecordedDeliveries } from '@bookiji/db';

export interface IntakeOptions {
  /** Judges and stores a batch, in one statement. */
  readonly record: (notifications: readonly ProvenNotification[]) => Promise<RecordedDeliveries>;
  /** Rings for these connections; may fail, a sweep finds the work. */
  readonly ring: (connectionIds: readonly string[]) => Promise<void>;
  readonly onRingLost: (error: unknown) => void;
}

/** More than this waiting means that the database is not keeping up: 503, the calendar provider comes again. */
const WAITING_AT_MOST = 20_000;
const BATCH = 500;
/** Two, so that one is prepared while the other is on its way; never more, since what waits makes the next one cheaper. */
const STATEMENTS_AT_ONCE = 2;
/** A second statement is worth its round trip for so many; fewer are taken along by the next one. */
const WORTH_A_SECOND = 16;

/**
 * A database that is frozen or cut off says nothing at all; Graph gives up after three seconds. What is stored late all
 * the same makes the repeat a duplicate.
 */
const STORED_WITHIN_MS = 2_000;

interface Waiting {
  readonly notification: ProvenNotification;
  readonly resolve: (verdict: DeliveryVerdict) => void;
  readonly reject: (error: unknown) => void;
}

export class IntakeFullError extends Error {
  constructor() {
    super('too many notifications wait to be stored');
    this.name = 'IntakeFullError';
  }
}

class IntakeTimeoutError extends Error {
  constructor() {
    super(`the database did not store notifications within ${STORED_WITHIN_MS} ms`);
    this.name = 'IntakeTimeoutError';
  }
}

export interface Intake {
  /** Resolves after the commit. Throws when it could not be stored. */
  take(notification: ProvenNotification): Promise<DeliveryVerdict>;
  /** Waits for what is under way. */
  drain(): Promise<void>;
}

export function createIntake(options: IntakeOptions): Intake {
  let waiting: Waiting[] = [];
  let running = 0;
  let isScheduled = false;
  const dirty = new Set<string>();
  let ringing: Promise<void> | null = null;
  const underway = new Set<Promise<void>>();

  /**
   * After the answers and whatever else has arrived: the database begins on the core that woke it, so what would be done
   * after sending waits for it.
   */
  const schedule = () => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(flush);
  };

  const flush = () => {
    isScheduled = false;
    while (running < STATEMENTS_AT_ONCE && waiting.length >= (running === 0 ? 1 : WORTH_A_SECOND)) {
      const batch = waiting.slice(0, BATCH);
      waiting = waiting.slice(BATCH);
      running += 1;
      const done = store(batch, () => {
        running -= 1;
        schedule();
      }).finally(() => underway.delete(done));
      underway.add(done);
    }
  };

  /** @param onStored called when the database has answered */
  const store = async (batch: readonly Waiting[], onStored: () => void): Promise<void> => {
    let outcome: PromiseSettledResult<RecordedDeliveries>;
    try {
      outcome = {
        status: 'fulfilled',
        value: await inTime(options.record(batch.map(({ notification }) => notification))),
      };
    } catch (reason) {
      outcome = { status: 'rejected', reason };
    }
    onStored();
    if (outcome.status === 'rejected') return fail(batch, outcome.reason);
    for (const [index, { resolve }] of batch.entries()) resolve(outcome.value.verdicts[index] as DeliveryVerdict);
    for (const connectionId of outcome.value.toRing) dirty.add(connectionId);
    ring();
  };

  const fail = async (batch: readonly Waiting[], error: unknown): Promise<void> => {
    if (batch.length === 1 || isUnreachable(error)) {
      for (const { reject } of batch) reject(error);
      // Who came meanwhile would only wait as long once more.
      if (error instanceof IntakeTimeoutError) for (const { reject } of waiting.splice(0)) reject(error);
      return;
    }
    // One of them may be what the database cannot take; the others must not suffer for it.
    const middle = Math.ceil(batch.length / 2);
    await store(batch.slice(0, middle), () => undefined);
    await store(batch.slice(middle), () => undefined);
  };

  /** One ring at a time; what comes meanwhile is rung together. */
  const ring = () => {
    if (ringing !== null || dirty.size === 0) return;
    const ids = [...dirty];
    dirty.clear();
    ringing = options
      .ring(ids)
      .catch(options.onRingLost)
      .finally(() => {
        ringing = null;
        ring();
      });
  };

  return {
    take(notification) {
      if (waiting.length >= WAITING_AT_MOST) return Promise.reject(new IntakeFullError());
      return new Promise((resolve, reject) => {
        waiting.push({ notification, resolve, reject });
        schedule();
      });
    },
    async drain() {
      while (waiting.length > 0 || underway.size > 0 || ringing !== null) {
        await Promise.allSettled([...underway, ringing]);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new IntakeTimeoutError()), STORED_WITHIN_MS);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** The server is away, not the statement at fault: splitting would only ask it again. */
function isUnreachable(error: unknown): boolean {
  const code =
    (error as { cause?: { code?: unknown }; code?: unknown }).cause?.code ?? (error as { code?: unknown }).code;
  return typeof code !== 'string' || !/^(22|23|54)/.test(code);
}
