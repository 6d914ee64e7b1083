/**
 * Which parts of the asked slots are free, and how far that can be relied on. Fails closed: `trusted` is false as soon
 * as one connection is stale, revoked, never synced, or a slot lies outside the window in sync.
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
 * @param refresh syncs these connections within its own bound and returns when they are synced or the bound is over;
 *   called at most once.
 */
export async function answerAvailability(
  db: Database,
  question: AvailabilityQuestion,
  refresh: (connectionIds: readonly string[]) => Promise<void>,
): Promise<Availability> {
  const first = await judge(db, question);
  const curable = first.evidence.filter((item) => isCurable(item.reason)).map((item) => item.connectionId);
  if (curable.length === 0) return first;
  await refresh(curable);
  return judge(db, question);
}

/** Evidence before intervals: what is read later can only be newer than what it is judged by. */
async function judge(db: Database, question: AvailabilityQuestion): Promise<Availability> {
  const { providerId, slots, maxAgeSeconds } = question;
  const connections: Connection[] = await listConnectionsOf(db, providerId);
  if (connections.length === 0 || slots.length === 0) {
    return { free: slots, busy: [], trusted: false, evidence: [] };
  }
  const span = spanOf(slots);
  const now = await readDatabaseTime(db);
  const evidence = connections.map((connection) => judgeEvidence(connection, span, maxAgeSeconds, now));
  const busy = await listBusyIntervals(db, providerId, span.startAt, span.endAt);
  return {
    free: subtractBusy(slots, busy),
    busy: intersectBusy(slots, busy),
    trusted: evidence.every((item) => item.isFresh),
    evidence,
  };
}

function spanOf(slots: readonly Interval[]): Interval {
  return {
    startAt: new Date(Math.min(...slots.map((slot) => slot.startAt.getTime()))),
    endAt: new Date(Math.max(...slots.map((slot) => slot.endAt.getTime()))),
  };
}
