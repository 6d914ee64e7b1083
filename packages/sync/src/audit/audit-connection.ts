/**
 * Holding one calendar against the database. A first look only suspects: a change may be on its way, so the connection
 * is synced and its bookings are read as if a notification had said so. What a second look finds again is a mismatch,
 * counted and put right where it is ours; a third sees that it is gone.
 *
 * What its owner deleted or moved is found by the reads that a suspicion asks for, and told as an external change; it is
 * no mismatch. Nothing is deleted here without a read that proves whose it is.
 */
import {
  type AuditFindings,
  type Connection,
  type Database,
  findConnection,
  type Mismatch,
  type OwnBooking,
  readFindings,
  readOwnBookings,
  readStoredChecksums,
  recordAudit,
  requestFullSync,
  requestInspection,
  requestSync,
  restoreMapping,
  rewriteBookings,
} from '@bookiji/db';
import { type CalendarPort, type Change, ProviderError, type SyncWindow } from '@bookiji/providers/contract';
import { checksumOf } from '../inbound/fold-changes.ts';
import { icalUidOf } from '../outbound/event-identity.ts';
import { compareCalendar, findOwner, type MismatchKind, settleListing } from './compare-calendar.ts';

export interface AuditDependencies {
  readonly db: Database;
  readonly openCalendar: (connection: Connection) => CalendarPort;
  /** False while operators want nothing written into calendars: strays are reported and stay where they are. */
  readonly mayWrite: () => boolean;
  /** From one look without findings to the next. */
  readonly intervalSeconds: number;
  /** From a look that found something new to the next: long enough for a sync and a read. */
  readonly settleSeconds: number;
}

export type AuditOutcome =
  | {
      readonly outcome: 'audited';
      readonly connection: Connection;
      readonly suspects: readonly Mismatch[];
      readonly mismatches: readonly Mismatch[];
    }
  /** Changes are on their way already; it is looked at once they are through. */
  | { readonly outcome: 'put_off' }
  | { readonly outcome: 'failed'; readonly connection: Connection; readonly error: ProviderError }
  | { readonly outcome: 'nothing_due' };

/**
 * One look at one calendar: compares, puts right what two looks have found, records the findings and when to look again.
 *
 * A failure of the calendar provider is returned, and the findings of the look before stay. A database failure is thrown;
 * the turn that was taken for this look then brings the next one. What was put right until then stays so.
 */
export async function auditConnection(
  deps: AuditDependencies,
  connectionId: string,
  signal: AbortSignal,
): Promise<AuditOutcome> {
  const connection = await findConnection(deps.db, connectionId);
  if (connection === null || connection.status !== 'active') return { outcome: 'nothing_due' };
  const earlier = await readFindings(deps.db, connectionId);
  const { syncWindowStart: startAt, syncWindowEnd: endAt } = connection;
  if (startAt === null || endAt === null || connection.requested > connection.applied) {
    await leave(deps, connectionId, earlier, deps.settleSeconds);
    return { outcome: 'put_off' };
  }
  try {
    const { db, mayWrite } = deps;
    const audit: Audit = { db, mayWrite, connection, port: deps.openCalendar(connection), signal };
    const seen = await look(audit, { startAt, endAt });
    const known = new Set([...earlier.suspects, ...earlier.mismatches].map(nameOf));
    const mismatches = seen.found.filter((mismatch) => known.has(nameOf(mismatch)));
    const suspects = seen.found.filter((mismatch) => !known.has(nameOf(mismatch)));
    if (suspects.length > 0) await askAgain(deps.db, connectionId, seen.bookingsOf(suspects));
    // Once: a calendar that does not keep what was written would be written to at every look. It stays a mismatch instead.
    const rewritten = new Set(earlier.mismatches.filter(({ kind }) => kind === 'stale_event').map(nameOf));
    const toRepair = mismatches.filter((mismatch) => !rewritten.has(nameOf(mismatch)));
    await repair(audit, toRepair, seen);
    const confirmed = new Set(earlier.mismatches.map(nameOf));
    const nextLookSeconds = secondsToNextLook(deps, {
      isClean: seen.found.length === 0,
      isNew: seen.found.some((mismatch) => !confirmed.has(nameOf(mismatch))),
    });
    await recordAudit(deps.db, { connectionId, suspects, mismatches, nextLookSeconds });
    return { outcome: 'audited', connection, suspects, mismatches };
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    await leave(deps, connectionId, earlier, deps.settleSeconds * 5);
    return { outcome: 'failed', connection, error };
  }
}

/** Times the settling: what a repair did not end will hardly end within a minute, and each look reads a whole calendar. */
const LASTING = 15;

function secondsToNextLook(
  { intervalSeconds, settleSeconds }: AuditDependencies,
  { isClean, isNew }: { readonly isClean: boolean; readonly isNew: boolean },
): number {
  if (isClean) return intervalSeconds;
  return isNew ? settleSeconds : Math.min(settleSeconds * LASTING, intervalSeconds);
}

const nameOf = ({ kind, subject }: Mismatch) => `${kind} ${subject}`;

/** Nothing was seen, so nothing is forgotten. */
function leave({ db }: AuditDependencies, connectionId: string, earlier: AuditFindings, nextLookSeconds: number) {
  return recordAudit(db, { connectionId, ...earlier, nextLookSeconds });
}

/** One connection under audit. */
interface Audit extends Pick<AuditDependencies, 'db' | 'mayWrite'> {
  readonly connection: Connection;
  readonly port: CalendarPort;
  readonly signal: AbortSignal;
}

interface Sight {
  readonly found: readonly Mismatch[];
  readonly bookings: ReadonlyMap<string, OwnBooking>;
  /** Event id → booking. */
  readonly bookingOfEvent: (eventId: string) => string | null;
  /** Those that are named, or whose event is; none of busy intervals. */
  readonly bookingsOf: (mismatches: readonly Mismatch[]) => readonly string[];
}

/** The records are read after the calendar: what was written meanwhile is not settled, or seen by neither. */
async function look({ db, connection, port, signal }: Audit, window: SyncWindow): Promise<Sight> {
  const listing = await listAll(port, window, signal);
  const calendar = settleListing(listing.changes);
  const own = await readOwnBookings(db, connection.id);
  const stored = await readStoredChecksums(db, connection.id);
  const found = compareCalendar({
    connectionId: connection.id,
    calendar,
    unreadIds: listing.unreadIds,
    window,
    own,
    stored,
  });
  const bookings = new Map(own.map((booking) => [booking.bookingId, booking]));
  const ownerOf = findOwner({ connectionId: connection.id, own });
  const bookingOfEvent = (eventId: string) => {
    const event = calendar.get(eventId);
    return event === undefined ? null : (ownerOf(event)?.own.bookingId ?? null);
  };
  return {
    found,
    bookings,
    bookingOfEvent,
    bookingsOf: (mismatches) =>
      mismatches.flatMap(({ subject }) => (bookings.has(subject) ? subject : (bookingOfEvent(subject) ?? []))),
  };
}

async function listAll(
  port: CalendarPort,
  window: SyncWindow,
  signal: AbortSignal,
): Promise<{ changes: readonly Change[]; unreadIds: ReadonlySet<string> }> {
  const changes: Change[] = [];
  const unreadIds = new Set<string>();
  let page: string | null = null;
  do {
    const answer = await port.listChanges({ cursor: null, page, window }, signal);
    changes.push(...answer.changes);
    for (const { eventId } of answer.unreadable) if (eventId !== null) unreadIds.add(eventId);
    page = answer.nextPage;
  } while (page !== null);
  return { changes, unreadIds };
}

/** As if a notification had come for the calendar, and a hint for each of these bookings. */
async function askAgain(db: Database, connectionId: string, bookingIds: readonly string[]): Promise<void> {
  await requestInspection(db, connectionId, bookingIds);
  await requestSync(db, [connectionId], 'schedule');
}

async function repair(audit: Audit, mismatches: readonly Mismatch[], sight: Sight): Promise<void> {
  const { db, mayWrite, connection } = audit;
  const subjects = (...kinds: MismatchKind[]) =>
    mismatches.filter(({ kind }) => kinds.includes(kind as MismatchKind)).map(({ subject }) => subject);
  await requestInspection(db, connection.id, subjects('missing_event', 'moved_event'));
  await rewriteBookings(db, connection.id, subjects('stale_event'));
  for (const bookingId of subjects('missing_mapping')) await putMappingBack(audit, sight.bookings.get(bookingId));
  for (const eventId of subjects('duplicate_event', 'leftover_event')) {
    if (mayWrite()) await removeStray(audit, eventId, sight.bookingOfEvent(eventId));
  }
  if (subjects('missing_interval', 'surplus_interval', 'wrong_interval').length > 0) {
    await requestFullSync(db, connection.id);
  }
}

async function putMappingBack({ db, connection }: Audit, booking: OwnBooking | undefined): Promise<void> {
  if (booking === undefined || booking.externalEventId === null) return;
  const { bookingId, startAt, endAt, externalEventId, appliedVersion } = booking;
  if (startAt === null || endAt === null) return;
  const { providerId, calendarProvider } = connection;
  const icalUid = icalUidOf(bookingId, providerId, calendarProvider);
  await restoreMapping(
    db,
    { bookingId, connectionId: connection.id, externalEventId, appliedVersion },
    {
      providerId,
      calendarProvider,
      icalUid,
      startAt,
      endAt,
      checksum: checksumOf(null, icalUid, startAt, endAt),
      status: appliedVersion > 1 ? 'UPDATED' : 'CREATED',
    },
  );
}

/** Only what says of itself, read just now, that we wrote it for this booking. A series was made by the calendar's owner. */
async function removeStray(
  { connection, port, signal }: Audit,
  eventId: string,
  bookingId: string | null,
): Promise<void> {
  const reading = await port.getEvent(eventId, signal);
  if (reading.state === 'gone') return;
  const { marker, etag, seriesId } = reading.event;
  if (seriesId !== null || marker === null || marker.bookingId !== bookingId || marker.connectionId !== connection.id)
    return;
  await port.deleteEvent({ eventId, etag }, signal);
}
