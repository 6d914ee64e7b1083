/**
 * One session of the database and the statements on their way to it. The next one lies there when the server has done the
 * last, so that it need not wait for ingress, and the two of them do not compete for the cores that ingress needs.
 */
import { type DatabaseHandle, openDatabase, type ProvenNotification, type RecordedDeliveries } from '@bookiji/db';

/** Judges and stores a batch, in one statement. */
export type StoreBatch = (notifications: readonly ProvenNotification[]) => Promise<RecordedDeliveries>;

const STATEMENTS_AT_ONCE = 2;
/**
 * Statements take a few milliseconds; one that takes so long waits for a lock, and whatever came behind it would wait
 * with it.
 */
export const HELD_UP_MS = 50;

export class IntakeSession {
  readonly #storeBatch: StoreBatch;
  /** Of the statements without an answer, oldest first. */
  #sentAt: number[] = [];

  constructor(storeBatch: StoreBatch) {
    this.#storeBatch = storeBatch;
  }

  get isIdle(): boolean {
    return this.#sentAt.length === 0;
  }

  get hasRoom(): boolean {
    return this.#sentAt.length < STATEMENTS_AT_ONCE;
  }

  isHeldUp(now: number): boolean {
    const [oldest] = this.#sentAt;
    return oldest !== undefined && now - oldest > HELD_UP_MS;
  }

  /** @param onAnswer called when the database has answered, however late. */
  async store(notifications: readonly ProvenNotification[], onAnswer: () => void): Promise<RecordedDeliveries> {
    this.#sentAt.push(performance.now());
    try {
      return await this.#storeBatch(notifications);
    } finally {
      this.#sentAt.shift();
      onAnswer();
    }
  }
}

/** One does the work; the others are for when it is held up. */
const SESSIONS = 3;

export async function openIntakeSessions(url: string): Promise<{ all: DatabaseHandle[]; close(): Promise<void> }> {
  const all = Array.from({ length: SESSIONS }, () => openDatabase(url, { applicationName: 'ingress', max: 1 }));
  const close = async () => void (await Promise.all(all.map((session) => session.close())));
  try {
    await Promise.all(all.map((session) => session.prepareStatements()));
  } catch (error) {
    await close();
    throw error;
  }
  return { all, close };
}
