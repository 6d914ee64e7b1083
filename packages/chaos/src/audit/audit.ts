/**
 * The auditor. It knows what people did, what the calendars hold and ever held, and the rows that others read; it knows
 * nothing of how the fleet works. Its words are Jepsen's for a queue, said of calendars:
 *
 * - lost: somebody's wish that shows nowhere
 * - duplicated: the same thing twice
 * - unexpected: something that nobody wished for
 * - stale: an older state than the newest
 * - regressed: a calendar that went back to an older version, whatever it shows now
 * - unfinished: work that the tables still hold
 */
import { type HistoryEntry, readBookingTitle } from '../history.ts';
import { type Ledger, type LedgerBooking, newestOf } from './ledger.ts';
import type { Evidence, StoredRow } from './read-evidence.ts';

export const FINDING_KINDS = ['lost', 'duplicated', 'unexpected', 'stale', 'regressed', 'unfinished'] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface Finding {
  readonly kind: FindingKind;
  /** The booking's, event's or connection's id, or a table. */
  readonly subject: string;
  readonly what: string;
}

export interface Verdict {
  readonly counts: Readonly<Record<FindingKind, number>>;
  readonly findings: readonly Finding[];
  readonly audited: { readonly bookings: number; readonly ownerEvents: number; readonly writes: number };
}

export function audit(ledger: Ledger, evidence: Evidence): Verdict {
  const calendars = reconstruct(evidence.history);
  const ownerEvents = [...calendars.values()].filter(({ first }) => first.author === 'owner').map(({ last }) => last);
  const findings = [
    ...auditBookings(ledger, evidence, calendars),
    ...auditStrangers(ledger, calendars),
    ...auditHistory(evidence.history),
    ...auditBusyTime(ownerEvents, evidence),
    ...auditLeftovers(ledger, evidence),
  ];
  const count = (kind: FindingKind) => findings.filter((finding) => finding.kind === kind).length;
  return {
    counts: Object.fromEntries(FINDING_KINDS.map((kind) => [kind, count(kind)])) as Record<FindingKind, number>,
    findings,
    audited: {
      bookings: ledger.bookings.length,
      ownerEvents: ownerEvents.length,
      writes: evidence.history.length,
    },
  };
}

interface EventStory {
  readonly first: HistoryEntry;
  last: HistoryEntry;
}

/** Each event by calendar and id, as it began and as it is now. */
function reconstruct(history: readonly HistoryEntry[]): Map<string, EventStory> {
  const stories = new Map<string, EventStory>();
  for (const entry of history) {
    const key = `${entry.calendar_provider} ${entry.calendar} ${entry.event_id}`;
    const story = stories.get(key);
    if (story === undefined) stories.set(key, { first: entry, last: entry });
    else story.last = entry;
  }
  return stories;
}

function auditBookings(ledger: Ledger, evidence: Evidence, calendars: Map<string, EventStory>): Finding[] {
  const shown = new Map<string, HistoryEntry[]>();
  for (const { last } of calendars.values()) {
    const booking = readBookingTitle(last.title);
    if (booking === null || last.status !== 'live') continue;
    shown.set(booking.bookingId, [...(shown.get(booking.bookingId) ?? []), last]);
  }
  const mapped = new Map<string, StoredRow[]>();
  for (const row of evidence.rows) {
    if (row.bookingId !== null) mapped.set(row.bookingId, [...(mapped.get(row.bookingId) ?? []), row]);
  }
  return ledger.bookings.flatMap((booking) => [
    ...auditIntent(booking, evidence.intents),
    ...auditShown(booking, shown.get(booking.bookingId) ?? []),
    ...auditMapping(booking, mapped.get(booking.bookingId) ?? [], shown.get(booking.bookingId) ?? []),
  ]);
}

function auditIntent(booking: LedgerBooking, intents: ReadonlyMap<string, number>): Finding[] {
  const { version } = newestOf(booking);
  const stored = intents.get(booking.bookingId) ?? 0;
  if (stored === version) return [];
  const about = { subject: booking.bookingId, what: `version ${version} was accepted, version ${stored} is stored` };
  if (stored > version) return [{ kind: 'unexpected', ...about }];
  return [{ kind: stored === 0 ? 'lost' : 'stale', ...about }];
}

function auditShown(booking: LedgerBooking, events: readonly HistoryEntry[]): Finding[] {
  const newest = newestOf(booking);
  const subject = booking.bookingId;
  if (newest.state === 'cancelled') {
    return events.map(() => ({ kind: 'unexpected', subject, what: 'it is cancelled, and an event shows it' }));
  }
  if (events.length === 0) return [{ kind: 'lost', subject, what: `version ${newest.version} is shown nowhere` }];
  const findings: Finding[] = [];
  for (const one of events) {
    const version = readBookingTitle(one.title)?.version;
    const isAtItsTime = Date.parse(one.start) === newest.startMs && Date.parse(one.end) === newest.endMs;
    if (version !== newest.version || !isAtItsTime) {
      findings.push({
        kind: 'stale',
        subject,
        what: `version ${newest.version} is shown as ${version} at ${one.start}`,
      });
    }
  }
  return findings;
}

function auditMapping(booking: LedgerBooking, rows: readonly StoredRow[], events: readonly HistoryEntry[]): Finding[] {
  const newest = newestOf(booking);
  const subject = booking.bookingId;
  const findings: Finding[] = rows
    .slice(1)
    .map(() => ({ kind: 'duplicated', subject, what: 'it has another mapping as well' }));
  const [row] = rows;
  if (newest.state === 'cancelled') {
    if (row !== undefined && (row.isBusy || row.syncStatus !== 'CANCELLED'))
      findings.push({ kind: 'stale', subject, what: `it is cancelled and mapped as ${row.syncStatus}` });
    return findings;
  }
  if (row === undefined) return [...findings, { kind: 'lost', subject, what: 'it has no mapping' }];
  const isRight =
    row.isBusy &&
    (row.syncStatus === 'CREATED' || row.syncStatus === 'UPDATED') &&
    row.startMs === newest.startMs &&
    row.endMs === newest.endMs &&
    events.some((event) => event.item_id === row.externalEventId);
  if (!isRight) findings.push({ kind: 'stale', subject, what: `its mapping is ${JSON.stringify(row)}` });
  return findings;
}

/** Events that say they show a booking, or a version of one, that nobody ever booked. */
function auditStrangers(ledger: Ledger, calendars: Map<string, EventStory>): Finding[] {
  const findings: Finding[] = [];
  for (const { first, last } of calendars.values()) {
    if (first.author === 'owner') continue;
    const shown = readBookingTitle(last.title);
    const booking = shown === null ? undefined : ledger.find(shown.bookingId);
    const isKnown = booking?.versions.some(({ version }) => version === shown?.version);
    if (!isKnown) findings.push({ kind: 'unexpected', subject: last.event_id, what: `nobody booked ${last.title}` });
  }
  return findings;
}

/**
 * At every moment, not only at the end: a booking's version never goes down, it never stands there twice, and what a
 * person wrote is left alone.
 */
function auditHistory(history: readonly HistoryEntry[]): Finding[] {
  const reached = new Map<string, number>();
  const standing = new Map<string, Set<string>>();
  const findings: Finding[] = [];
  const owned = new Set<string>();
  for (const entry of history) {
    if (entry.author === 'owner') owned.add(entry.event_id);
    else if (owned.has(entry.event_id))
      findings.push({ kind: 'unexpected', subject: entry.event_id, what: `${entry.operation} of an owner's event` });
    const shown = readBookingTitle(entry.title);
    if (shown === null) continue;
    const events = standing.get(shown.bookingId) ?? new Set();
    standing.set(shown.bookingId, events);
    if (entry.status === 'live') events.add(entry.event_id);
    else events.delete(entry.event_id);
    if (entry.operation === 'create' && events.size > 1)
      findings.push({ kind: 'duplicated', subject: shown.bookingId, what: 'it was written a second time' });
    if (entry.operation === 'delete') continue;
    const before = reached.get(shown.bookingId) ?? 0;
    if (shown.version < before) {
      const what = `the calendar went from version ${before} to ${shown.version}`;
      findings.push({ kind: 'regressed', subject: shown.bookingId, what });
    }
    reached.set(shown.bookingId, Math.max(before, shown.version));
  }
  return findings;
}

/** The stored busy time is the owners' living events and nothing else. */
function auditBusyTime(ownerEvents: readonly HistoryEntry[], { connections, rows }: Evidence): Finding[] {
  const byCalendar = new Map(connections.map((one) => [`${one.calendarProvider} ${one.email}`, one.id]));
  const busy = new Map<string, StoredRow>();
  for (const row of rows) {
    if (row.bookingId === null && row.isBusy) busy.set(`${row.connectionId} ${row.externalEventId}`, row);
  }
  const findings: Finding[] = [];
  for (const event of ownerEvents) {
    const connectionId = byCalendar.get(`${event.calendar_provider} ${event.calendar}`);
    if (connectionId === undefined) continue;
    const key = `${connectionId} ${event.item_id}`;
    const row = busy.get(key);
    busy.delete(key);
    const subject = event.event_id;
    if (event.status !== 'live') {
      if (row !== undefined) findings.push({ kind: 'stale', subject, what: 'its owner deleted it, and it blocks' });
    } else if (row === undefined) {
      findings.push({ kind: 'lost', subject, what: 'it stands in the calendar and blocks nothing' });
    } else if (row.startMs !== Date.parse(event.start) || row.endMs !== Date.parse(event.end)) {
      findings.push({ kind: 'stale', subject, what: 'its owner moved it, and it blocks the old time' });
    }
  }
  for (const key of busy.keys())
    findings.push({ kind: 'unexpected', subject: key, what: 'it blocks, and nobody wrote it' });
  return findings;
}

function auditLeftovers(ledger: Ledger, evidence: Evidence): Finding[] {
  const many = (kind: FindingKind, subject: string, what: string, count: number): Finding[] =>
    Array.from({ length: count }, () => ({ kind, subject, what }));
  const believed = [...ledger.forgeries].filter(([status]) => status >= 200 && status < 300);
  return [
    ...many('unexpected', 'external_changes', 'a change that no owner made', evidence.externalChanges),
    ...many('unexpected', 'dead_letters', 'work was given up that could be done', evidence.deadLetters),
    ...believed.flatMap(([status, count]) => many('unexpected', 'ingress', `a forgery was answered ${status}`, count)),
    ...evidence.connections
      .filter(({ status }) => status !== 'active')
      .map(({ id, status }): Finding => ({ kind: 'unexpected', subject: id, what: `the connection is ${status}` })),
    ...evidence.unfinished.map((work): Finding => ({ kind: 'unfinished', ...work })),
  ];
}
