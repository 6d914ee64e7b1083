import type { RemoteEvent } from '@bookiji/providers/contract';
import { describe, expect, test } from '@jest/globals';
import { type KnownEvent, planWrite } from './plan-write.ts';

const startAt = new Date('2026-11-24T09:00:00Z');
const endAt = new Date('2026-11-24T10:00:00Z');
const later = new Date('2026-11-24T11:00:00Z');
const live = { state: 'live' as const, version: 3, startAt, endAt };
const cancelled = { ...live, state: 'cancelled' as const };
const remote = (version: number, over: Partial<RemoteEvent> = {}): KnownEvent => ({
  state: 'read',
  event: {
    eventId: 'e',
    seriesId: null,
    creationKey: null,
    etag: '"7"',
    startAt,
    endAt,
    marker: { bookingId: 'b', connectionId: 'c', generation: 0, version },
    ...over,
  },
});

describe('[O-1] a live booking', () => {
  test.each<[string, KnownEvent, object]>([
    ['never written is created', { state: 'never_written' }, { action: 'create', nextGeneration: false }],
    ['found absent is created under the same key', { state: 'absent' }, { action: 'create', nextGeneration: false }],
    [
      'whose key is burnt is created in the next generation',
      { state: 'key_burnt' },
      { action: 'create', nextGeneration: true },
    ],
    ['maybe written is looked for first', { state: 'unclear' }, { action: 'find' }],
    [
      'written before is updated against the known etag',
      { state: 'written', eventId: 'e', etag: '"1"' },
      { action: 'update', eventId: 'e', etag: '"1"' },
    ],
    [
      'read at an older version is updated against the etag just read',
      remote(2),
      { action: 'update', eventId: 'e', etag: '"7"' },
    ],
    ['read at this version is adopted', remote(3), { action: 'adopt' }],
    ['read at this version but moved is updated', remote(3, { endAt: later }), { action: 'update' }],
    [
      'read at this version, off by less than a second, is adopted',
      remote(3, { startAt: new Date('2026-11-24T09:00:00.001Z'), endAt: new Date('2026-11-24T10:00:00.999Z') }),
      { action: 'adopt' },
    ],
    [
      'read at this version but some seconds off is updated',
      remote(3, { startAt: new Date('2026-11-24T09:00:45Z') }),
      { action: 'update' },
    ],
    [
      'read at this version but a minute off is updated',
      remote(3, { startAt: new Date('2026-11-24T08:59:00Z') }),
      { action: 'update' },
    ],
    ['read without a marker is updated', remote(3, { marker: null }), { action: 'update' }],
    ['read at a newer version leaves it alone', remote(4), { action: 'superseded' }],
    [
      'read as a whole series, even at this version, is created in the next generation',
      remote(3, { seriesId: 'e' }),
      { action: 'create', nextGeneration: true },
    ],
    [
      'read as an occurrence of a series is updated like any event',
      remote(2, { seriesId: 's' }),
      { action: 'update', eventId: 'e' },
    ],
  ])('%s', (_, known, plan) => {
    expect(planWrite(live, known)).toMatchObject(plan);
  });
});

describe('[O-1] a cancelled booking', () => {
  test.each<[string, KnownEvent, object]>([
    ['never written needs nothing', { state: 'never_written' }, { action: 'none' }],
    ['found absent needs nothing', { state: 'absent' }, { action: 'none' }],
    ['maybe written is looked for first', { state: 'unclear' }, { action: 'find' }],
    [
      'written before is deleted against the known etag',
      { state: 'written', eventId: 'e', etag: '"1"' },
      { action: 'delete', etag: '"1"' },
    ],
    ['that its owner changed is deleted all the same', remote(2, { endAt: later }), { action: 'delete', etag: '"7"' }],
    ['that lives again in a newer version is left alone', remote(4), { action: 'superseded' }],
    ['read as a whole series leaves it to its owner', remote(2, { seriesId: 'e' }), { action: 'none' }],
    ['read as an occurrence of a series is deleted', remote(2, { seriesId: 's' }), { action: 'delete', eventId: 'e' }],
  ])('%s', (_, known, plan) => {
    expect(planWrite(cancelled, known)).toMatchObject(plan);
  });
});
