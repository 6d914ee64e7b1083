/**
 * Which parts of the asked slots are free, and how far that can be relied on. Fails closed: `trusted` is false as soon
 * as one connection is stale, revoked, never synced, shows something that cannot be read, or a slot lies outside the window
 * in sync.
 */
import { type Connection, type Database, listBusyIntervals, listConnectionsOf, readDatabaseTime } from '@bookiji/db';
import { type Interval, intersectBusy, subtractBusy } from './intervals.ts';
import { type Evidence, isCurable, judgeEvidence } from './judge-evidence.ts';

export interface AvailabilityQuestion {
  readonly providerId: string;
  readonly slots: readonly Interval[];
  readonly maxAgeSeconds: number;
}

export interface Availability {
  readonly free: readonly Interval[];
  /** The parts of the slots that are taken by the provider's own busy time, and nothing about by what. */
  readonly busy: readonly Interval[];
  readonly trusted: boolean;
  readonly evidence: readonly Evidence[];
}

/**
 * @param refresh syncs these connections within its own bound and returns those whose sync began after it was called and
 *   succeeded; called at most once.
 */
export async function answerAvailability(
  db: Database,
  question: AvailabilityQuestion,
  refresh: (connections: readonly Connection[]) => Promise<readonly string[]>,
): Promise<Availability> {
  const first = await judge(db, question, new Set());
  const curable = new Set(
    first.availability.evidence.filter((item) => isCurable(item.reason)).map((item) => item.connectionId),
  );
  if (curable.size === 0) return first.availability;
  const synced = await refresh(first.connections.filter(({ id }) => curable.has(id)));
  return (await judge(db, question, new Set(synced))).availability;
}

/**
 * Everything from one moment: between two readings a reconnect may empty the intervals that were fresh a moment before.
 *
 * @param synced whose sync began after the question was asked: as fresh as can be, however young the caller wants it.
 */
function judge(db: Database, question: AvailabilityQuestion, synced: ReadonlySet<string>) {
  return db.transaction((tx) => judgeNow(tx, question, synced), {
    isolationLevel: 'repeatable read',
    accessMode: 'read only',
  });
}

async function judgeNow(
  tx: Database,
  { providerId, slots, maxAgeSeconds }: AvailabilityQuestion,
  synced: ReadonlySet<string>,
): Promise<{ availability: Availability; connections: readonly Connection[] }> {
  const connections = await listConnectionsOf(tx, providerId);
  if (connections.length === 0) {
    return { availability: { free: slots, busy: [], trusted: false, evidence: [] }, connections };
  }
  const now = await readDatabaseTime(tx);
  const span = spanOf(slots, now);
  const evidence = connections.map((connection) =>
    judgeEvidence(connection, span, synced.has(connection.id) ? Number.POSITIVE_INFINITY : maxAgeSeconds, now),
  );
  const taken = await listBusyIntervals(tx, providerId, span.startAt, span.endAt);
  const [free, busy] = [subtractBusy(slots, taken), intersectBusy(slots, taken)];
  return { availability: { free, busy, trusted: evidence.every((item) => item.isFresh), evidence }, connections };
}

/** Who asks about no slot asks how things stand now. */
function spanOf(slots: readonly Interval[], now: Date): Interval {
  if (slots.length === 0) return { startAt: now, endAt: now };
  return {
    startAt: new Date(Math.min(...slots.map((slot) => slot.startAt.getTime()))),
    endAt: new Date(Math.max(...slots.map((slot) => slot.endAt.getTime()))),
  };
}
