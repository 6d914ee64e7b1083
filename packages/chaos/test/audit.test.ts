/** The auditor itself: for each kind of finding a world that has it, and one that is clean. */
import { describe, expect, test } from '@jest/globals';
import { audit, FINDING_KINDS } from '../src/audit/audit.ts';
import { Ledger } from '../src/audit/ledger.ts';
import type { Evidence, StoredRow } from '../src/audit/read-evidence.ts';
import { bookingTitle, type HistoryEntry } from '../src/history.ts';

const BOOKING = '11111111-1111-4111-8111-111111111111';
const START = Date.UTC(2027, 0, 4, 9);
const HOUR = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();

let sequence = 0;
function entry(over: Partial<HistoryEntry>): HistoryEntry {
  sequence += 1;
  return {
    sequence,
    at: iso(0),
    calendar_provider: 'google',
    calendar: 'dana@google.example',
    author: 'client',
    operation: 'create',
    event_id: 'event',
    item_id: over.event_id ?? 'event',
    status: 'live',
    start: iso(START),
    end: iso(START + HOUR),
    title: bookingTitle(BOOKING, 1),
    ...over,
  };
}

function row(over: Partial<StoredRow>): StoredRow {
  return {
    connectionId: 'connection',
    calendarProvider: 'google',
    externalEventId: 'event',
    bookingId: BOOKING,
    startMs: START,
    endMs: START + HOUR,
    isBusy: true,
    syncStatus: 'CREATED',
    icalUid: 'uid',
    ...over,
  };
}

const owners = (over: Partial<HistoryEntry> = {}) =>
  entry({ author: 'owner', event_id: 'own', item_id: 'own', title: 'Own time', ...over });
const blocks = (over: Partial<StoredRow> = {}) =>
  row({ externalEventId: 'own', bookingId: null, syncStatus: null, ...over });

/** One booking at version 1 and one event of the owner, as it should be; `over` spoils it. */
function judge(over: Partial<Evidence> = {}, versions: readonly ('live' | 'cancelled')[] = ['live']) {
  const ledger = new Ledger();
  for (const [at, state] of versions.entries())
    ledger.note(BOOKING, 'provider', { version: at + 1, state, startMs: START, endMs: START + HOUR });
  const { counts } = audit(ledger, {
    history: [entry({}), owners()],
    connections: [
      {
        id: 'connection',
        providerId: 'provider',
        calendarProvider: 'google',
        email: 'dana@google.example',
        status: 'active',
      },
    ],
    rows: [row({}), blocks()],
    intents: new Map([[BOOKING, versions.length]]),
    externalChanges: 0,
    deadLetters: 0,
    unfinished: [],
    ...over,
  });
  return FINDING_KINDS.filter((kind) => counts[kind] > 0).join(' ');
}

const v2 = (over: Partial<HistoryEntry> = {}) =>
  entry({ operation: 'update', title: bookingTitle(BOOKING, 2), ...over });
const v1Again = () => entry({ operation: 'update' });
const gone = (over: Partial<HistoryEntry> = {}) => entry({ operation: 'delete', status: 'cancelled', ...over });

describe('the auditor', () => {
  test('finds nothing where all is well', () => {
    expect(judge()).toBe('');
    expect(judge({ history: [entry({}), v2(), owners()] }, ['live', 'live'])).toBe('');
    const mapping = row({ syncStatus: 'CANCELLED', isBusy: false });
    expect(judge({ history: [entry({}), gone(), owners()], rows: [mapping, blocks()] }, ['live', 'cancelled'])).toBe(
      '',
    );
  });

  test.each<[string, Partial<Evidence>, string]>([
    ['a booking that no calendar shows', { history: [owners()] }, 'lost stale'],
    ['a booking without a mapping', { rows: [blocks()] }, 'lost'],
    ['a booking that was accepted and is stored nowhere', { intents: new Map() }, 'lost'],
    ['a second event', { history: [entry({}), entry({ event_id: 'other' }), owners()] }, 'duplicated'],
    [
      'a second event that was removed again',
      { history: [entry({}), entry({ event_id: 'other' }), gone({ event_id: 'other' }), owners()] },
      'duplicated',
    ],
    ['a second mapping', { rows: [row({}), row({}), blocks()] }, 'duplicated'],
    ['another time than booked', { history: [entry({ start: iso(START + 1) }), owners()] }, 'stale'],
    ['a mapping at another time', { rows: [row({ endMs: START + 1 }), blocks()] }, 'stale'],
    ['an owner’s event that does not block', { rows: [row({})] }, 'lost'],
    ['an owner’s event that blocks the old time', { rows: [row({}), blocks({ startMs: START - HOUR })] }, 'stale'],
    [
      'an owner’s deleted event that blocks',
      { history: [entry({}), owners(), owners({ operation: 'delete', status: 'cancelled' })] },
      'stale',
    ],
    ['busy time that nobody wrote', { rows: [row({}), blocks(), blocks({ externalEventId: 'ghost' })] }, 'unexpected'],
    [
      'an owner’s event that a client changed',
      { history: [entry({}), owners(), owners({ author: 'client', operation: 'update' })] },
      'unexpected',
    ],
    ['a change that no owner made', { externalChanges: 1 }, 'unexpected'],
    ['work given up', { deadLetters: 1 }, 'unexpected'],
    ['work left over', { unfinished: [{ subject: BOOKING, what: 'left' }] }, 'unfinished'],
  ])('finds %s', (_name, over, found) => {
    expect(judge(over)).toBe(found);
  });

  test('finds an older version, and one that came back for a while', () => {
    expect(judge({}, ['live', 'live'])).toBe('stale');
    expect(judge({ history: [entry({}), v2(), v1Again(), owners()] }, ['live', 'live'])).toBe('stale regressed');
    expect(judge({ history: [entry({}), v2(), v1Again(), v2(), owners()] }, ['live', 'live'])).toBe('regressed');
  });

  test('finds the event of a cancelled booking, and of one that nobody booked', () => {
    expect(judge({}, ['live', 'cancelled'])).toBe('unexpected stale');
    const strange = entry({ event_id: 'strange', title: bookingTitle('22222222-2222-4222-8222-222222222222', 1) });
    expect(judge({ history: [entry({}), strange, owners()] })).toBe('unexpected');
  });

  test('finds a forgery that was believed', () => {
    const ledger = new Ledger();
    ledger.forgeries.set(200, 1);
    ledger.forgeries.set(401, 5);
    const empty = {
      history: [],
      connections: [],
      rows: [],
      intents: new Map(),
      externalChanges: 0,
      deadLetters: 0,
      unfinished: [],
    };
    expect(audit(ledger, empty).counts.unexpected).toBe(1);
  });
});
