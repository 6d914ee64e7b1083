/**
 * Taking notifications in, many at a time. While one statement runs, what arrives gathers into the next: an idle server
 * answers a single delivery at once, a storm costs about as much as a few. An answer is given only after the commit.
 */
import { classifyFailure, type DeliveryVerdict, type ProvenNotification, type RecordedDeliveries } from '@bookiji/db';
import { HELD_UP_MS, IntakeSession, type StoreBatch } from './intake-session.ts';

export interface IntakeOptions {
  /** Each judges and stores a batch in one statement, in a session of the database that is its own. */
  readonly sessions: readonly StoreBatch[];
  /** Rings for these connections; may fail, a sweep finds the work. */
  readonly ring: (connectionIds: readonly string[]) => Promise<void>;
  readonly onRingLost: (error: unknown) => void;
}

/** More than this waiting means that the database is not keeping up: 503, the calendar provider comes again. */
const WAITING_AT_MOST = 20_000;
const BATCH = 500;
/** A second statement is worth its set-up for so many; fewer are taken along by the next one. */
const WORTH_A_SECOND = 16;

/**
 * A database that is frozen or cut off says nothing at all; Graph gives up after three seconds. What is stored late all
 * the same makes the repeat a duplicate.
 */
const STORED_WITHIN_MS = 2_000;

interface Waiting {
  readonly since: number;
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
  const sessions = options.sessions.map((record) => new IntakeSession(record));
  let waiting: Waiting[] = [];
  let isScheduled = false;
  let watch: NodeJS.Timeout | null = null;
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
    while (waiting.length > 0) {
      // The first that is not held up, whether it has room or not: one session does for as long as it gets on.
      const now = performance.now();
      const session = sessions.find((one) => !one.isHeldUp(now));
      if (session === undefined || !session.hasRoom) break;
      if (!session.isIdle && waiting.length < WORTH_A_SECOND) break;
      const batch = waiting.slice(0, BATCH);
      waiting = waiting.slice(BATCH);
      const done = store(batch, session).finally(() => underway.delete(done));
      underway.add(done);
    }
    if (waiting.length > 0) watch ??= setTimeout(lookAgain, HELD_UP_MS);
  };

  /** A session may be held up by now, or nobody comes to the end of what they do. */
  const lookAgain = () => {
    watch = null;
    const oldest = performance.now() - STORED_WITHIN_MS;
    const expired = waiting.filter(({ since }) => since < oldest);
    waiting = waiting.slice(expired.length);
    for (const { reject } of expired) reject(new IntakeTimeoutError());
    flush();
  };

  const store = async (batch: readonly Waiting[], session: IntakeSession): Promise<void> => {
    let outcome: PromiseSettledResult<RecordedDeliveries>;
    try {
      const stored = session.store(
        batch.map(({ notification }) => notification),
        schedule,
      );
      outcome = { status: 'fulfilled', value: await inTime(stored, batch[0]?.since) };
    } catch (reason) {
      outcome = { status: 'rejected', reason };
    }
    if (outcome.status === 'rejected') return fail(batch, session, outcome.reason);
    for (const [index, { resolve }] of batch.entries()) resolve(outcome.value.verdicts[index] as DeliveryVerdict);
    for (const connectionId of outcome.value.toRing) dirty.add(connectionId);
    ring();
  };

  const fail = async (batch: readonly Waiting[], session: IntakeSession, error: unknown): Promise<void> => {
    // Only what is wrong with the content of one is another's luck: a server that is away would only be asked again.
    if (batch.length === 1 || classifyFailure(error) !== 'data') {
      for (const { reject } of batch) reject(error);
      return;
    }
    // One of them may be what the database cannot take; the others must not suffer for it.
    const middle = Math.ceil(batch.length / 2);
    await store(batch.slice(0, middle), session);
    await store(batch.slice(middle), session);
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
        waiting.push({ since: performance.now(), notification, resolve, reject });
        schedule();
      });
    },
    async drain() {
      while (waiting.length > 0 || underway.size > 0 || ringing !== null) {
        await Promise.allSettled([...underway, ringing]);
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (watch !== null) clearTimeout(watch);
    },
  };
}

/** @param since when the first of them came: that is how long its sender has waited. */
async function inTime<T>(work: Promise<T>, since = performance.now()): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    const left = STORED_WITHIN_MS - (performance.now() - since);
    timer = setTimeout(() => reject(new IntakeTimeoutError()), left);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
