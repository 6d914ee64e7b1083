import { describe, expect, test } from '@jest/globals';
import { graphItem, occurrence, times } from '../../test/microsoft/session.ts';
import { type GraphEvent, readGraphEvent } from './graph-event.ts';
import { mapEvent } from './map-event.ts';

function read(item: Record<string, unknown>): GraphEvent {
  const event = readGraphEvent(item);
  if (event === null || 'removedId' in event) throw new Error('no event');
  return event;
}

function blocks(changes: Record<string, unknown>): boolean | string {
  const mapped = mapEvent(read(graphItem('e1', changes)), { master: null, mailboxZone: null });
  return 'kind' in mapped ? mapped.blocks : mapped.reason;
}

describe('whether an event blocks', () => {
  test.each([
    ['free', false],
    ['workingElsewhere', false],
    ['tentative', true],
    ['busy', true],
    ['oof', true],
    ['unknown', true],
    ['a value of tomorrow', true],
    [null, true],
    [undefined, true],
    [7, true],
  ])('[I-3] shown as %j: %s', (showAs, expected) => {
    expect(blocks({ showAs })).toBe(expected);
  });

  test.each([
    ['declined', false],
    ['none', true],
    ['organizer', true],
    ['accepted', true],
    ['tentativelyAccepted', true],
    ['notResponded', true],
  ])('[I-3] answered with %s: %s', (response, expected) => {
    expect(blocks({ responseStatus: { response } })).toBe(expected);
  });

  test.each([
    ['cancelled', { isCancelled: true }, false],
    ['a draft', { isDraft: true }, true],
    ['private', { sensitivity: 'private' }, true],
    ['without length', times('2026-11-24T09:00:00', '2026-11-24T09:00:00'), false],
    ['cancelled but oof', { isCancelled: true, showAs: 'oof' }, false],
    ['without a start', { start: undefined }, 'no_start'],
    ['with a start that is no time', { start: 'now' }, 'no_start'],
    ['without an end', { end: null }, 'no_end'],
    ['without a zone', { start: { dateTime: '2026-11-24T09:00:00' } }, 'unknown_time_zone'],
  ])('[I-3] %s', (_, changes, expected) => {
    expect(blocks(changes)).toBe(expected);
  });
});

describe('an occurrence', () => {
  const bare = read(occurrence('o1', 'm1', '2026-11-24'));
  const master = { isAllDay: false, isCancelled: false, showAs: 'free', response: null, originalZone: null };

  test('[I-3] is busy without a master, and as its master has it with one', () => {
    expect(mapEvent(bare, { master: null, mailboxZone: null })).toMatchObject({ blocks: true, seriesId: 'm1' });
    expect(mapEvent(bare, { master, mailboxZone: null })).toMatchObject({ blocks: false });
  });

  test('[I-3] lies, as a day, in the zone its master was made in', () => {
    const day = {
      ...bare,
      start: { dateTime: '2026-11-24T00:00:00', timeZone: 'UTC' },
      end: { dateTime: '2026-11-25T00:00:00', timeZone: 'UTC' },
    };
    const days = { ...master, isAllDay: true, originalZone: 'Tokyo Standard Time' };
    expect(mapEvent(day, { master: days, mailboxZone: null })).toMatchObject({
      startAt: new Date('2026-11-23T15:00:00Z'),
    });
  });

  test('[I-3] goes with a cancelled or declined series', () => {
    const busy = { ...master, showAs: 'busy' };
    expect(mapEvent(bare, { master: { ...busy, isCancelled: true }, mailboxZone: null })).toMatchObject({
      blocks: false,
    });
    expect(mapEvent(bare, { master: { ...busy, response: 'declined' }, mailboxZone: null })).toMatchObject({
      blocks: false,
    });
  });

  test('[I-3] speaks for itself where it says something', () => {
    expect(mapEvent({ ...bare, showAs: 'oof' }, { master, mailboxZone: null })).toMatchObject({ blocks: true });
  });
});

test('[I-3] an occurrence looks the same whichever call read it: only some of them name an iCalUId', () => {
  const bare = { ...occurrence('o1', 'm1', '2026-11-24'), iCalUId: undefined };
  const named = { ...occurrence('o1', 'm1', '2026-11-24'), iCalUId: 'ical-m1' };
  const [one, other] = [bare, named].map((item) => mapEvent(read(item), { master: null, mailboxZone: null }));
  expect(one).toEqual(other);
  expect(one).toMatchObject({ seriesId: 'm1', icalUid: null });
});
