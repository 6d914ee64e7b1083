/**
 * The auditor. It knows what people did, what the calendar holds and ever held, and the rows that others read; it knows
 * nothing of how the fleet works.
 */
import type { ModelCalendar } from './calendar.ts';
import type { Tables } from './store/tables.ts';
import { type Announcement, DAY_MS, type Doing, START, WINDOW } from './workload.ts';

export interface AuditedRun {
  readonly workload: readonly Doing[];
  readonly calendar: ModelCalendar;
  readonly tables: () => Tables;
}

/** Whether every booking is shown and mapped as last announced. Each finding names the requirement it breaks. */
export function auditBookings(run: AuditedRun): string[] {
  return newestAnnouncements(run.workload).flatMap((announced) => auditBooking(announced, run));
}

/** Everything else: what was ever shown, the owner's busy time, and that nothing is left to do. */
export function auditRest(run: AuditedRun): string[] {
  return [...auditHistory(run.calendar), ...auditBusyTime(run), ...auditLeftovers(run.tables())];
}

function newestAnnouncements(workload: readonly Doing[]): Announcement[] {
  const newest = new Map<string, Announcement>();
  for (const doing of workload) {
    if (doing.kind !== 'publish') continue;
    const held = newest.get(doing.bookingId);
    if (held === undefined || held.version < doing.version) newest.set(doing.bookingId, doing);
  }
  return [...newest.values()];
}

function auditBooking(announced: Announcement, { calendar, tables }: AuditedRun): string[] {
  const { bookingId, version, state } = announced;
  const shown = [...calendar.events.values()].filter(
    (event) => !event.isDeleted && event.marker?.bookingId === bookingId,
  );
  const name = `booking ${bookingId.slice(-1)} at version ${version}`;
  const findings: string[] = [];
  if (state === 'cancelled' && shown.length > 0)
    findings.push(`[O-3] ${name} is cancelled and shown ${shown.length} times`);
  if (state === 'live' && shown.length !== 1) findings.push(`[O-3] ${name} is live and shown ${shown.length} times`);
  const [event] = shown;
  if (state === 'live' && event !== undefined) {
    if (event.marker?.version !== version) findings.push(`[O-3] ${name} is shown as version ${event.marker?.version}`);
    else if (!isSameTime(event, announced)) findings.push(`[O-1] ${name} is shown at another time`);
  }
  const mappings = tables().events.filter((row) => row.bookingId === bookingId);
  if (state === 'live') {
    const [mapping] = mappings;
    const isRight =
      mappings.length === 1 &&
      mapping?.externalEventId === event?.eventId &&
      (mapping?.syncStatus === 'CREATED' || mapping?.syncStatus === 'UPDATED') &&
      isSameTime(mapping, announced);
    if (!isRight) findings.push(`[O-1] ${name} has the mapping ${JSON.stringify(mappings)}`);
  } else if (mappings.some((row) => row.isBusy || row.syncStatus !== 'CANCELLED')) {
    findings.push(`[O-1] ${name} is cancelled and mapped as ${mappings.map((row) => row.syncStatus).join()}`);
  }
  return findings;
}

function isSameTime(shown: { startAt: Date; endAt: Date }, announced: Announcement): boolean {
  return shown.startAt.getTime() === announced.startAt.getTime() && shown.endAt.getTime() === announced.endAt.getTime();
}

/** No event ever went back to an older version. */
function auditHistory(calendar: ModelCalendar): string[] {
  const last = new Map<string, number>();
  const findings: string[] = [];
  for (const { eventId, bookingId, version } of calendar.history) {
    const before = last.get(eventId) ?? 0;
    if (version < before)
      findings.push(`[O-3] booking ${bookingId.slice(-1)} went from version ${before} to ${version}`);
    last.set(eventId, version);
  }
  return findings;
}

/** The stored busy time is the owner's events that block and lie in the window, and nothing else. */
function auditBusyTime(run: AuditedRun): string[] {
  const { calendar } = run;
  const tables = run.tables();
  const [connection] = tables.connections.values();
  const from = connection?.syncWindowStart ?? new Date(START - WINDOW.pastDays * DAY_MS);
  const to = connection?.syncWindowEnd ?? new Date(START + WINDOW.futureDays * DAY_MS);
  const line = (id: string | null, startAt: Date, endAt: Date) =>
    `${id} ${startAt.toISOString()}/${endAt.toISOString()}`;
  const truth = [...calendar.events.values()]
    .filter((event) => event.marker === null && !event.isDeleted && event.blocks)
    .filter((event) => event.startAt < to && event.endAt > from)
    .map((event) => line(event.eventId, event.startAt, event.endAt));
  const stored = tables.events
    .filter((row) => row.bookingId === null && row.isBusy)
    .map((row) => line(row.externalEventId, row.startAt, row.endAt));
  const isSame = JSON.stringify(truth.sort()) === JSON.stringify(stored.sort());
  return isSame ? [] : [`[I-2] the calendar says [${truth.join(', ')}], the table says [${stored.join(', ')}]`];
}

/** Nothing waits, nothing is held, nothing was given up, no error is left standing. */
function auditLeftovers(tables: Tables): string[] {
  const findings: string[] = [];
  for (const connection of tables.connections.values()) {
    const { requested, applied, lastError, errorCount, leaseUntil, status, lastSyncedAt } = connection;
    const left = { requested: requested - applied, lastError, errorCount, leaseUntil, status };
    const isClean = requested === applied && lastError === null && errorCount === 0 && leaseUntil === null;
    if (!isClean || status !== 'active' || lastSyncedAt === null) {
      findings.push(`[I-5] the connection is left with ${JSON.stringify(left)}`);
    }
  }
  for (const effect of tables.effects.values()) {
    const { version, appliedVersion, inspectRequested, inspected, lastError, leaseUntil, deadAt } = effect;
    const isDone = appliedVersion === version && inspected === inspectRequested && deadAt === null;
    if (!isDone || lastError !== null || leaseUntil !== null) {
      const left = { version, appliedVersion, inspectRequested, inspected, lastError, leaseUntil };
      findings.push(`[R-2] a booking is left with ${JSON.stringify(left)}`);
    }
  }
  if (tables.deadLetters.length > 0) findings.push('[R-1] work was given up that could be done');
  if (tables.staged.length > 0) findings.push('[I-5] staged pages are left behind');
  return findings;
}
