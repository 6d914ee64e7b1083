import type { ExternalChangeMessage, RetryJob } from '@bookiji/queues';
import { describe, expect, test } from '@jest/globals';
import { hidePersonal } from './hide-personal.ts';

const PRIVATE = ['Haircut with Ann', 'ann@example.com', 'Ann Example', 'ring twice', '12 High Street', '+1 555 0100'];
const [title, email, name, notes, location, phone] = PRIVATE;

/** Every one, or it does not compile. */
const TASKS: Readonly<Record<RetryJob['task'], true>> = { audit: true, keep_channel: true, disconnect: true };
const KINDS: Readonly<Record<ExternalChangeMessage['kind'], true>> = { moved: true, deleted: true, held: true };

describe('[B-3] what operators see of a payload', () => {
  test.each(Object.keys(TASKS))('is the task of the retry queue: %s', (task) => {
    const job = { task, connection_id: '1b0f4a52-4c5e-4b8c-9a44-111111111111' };
    expect(hidePersonal(job)).toEqual(job);
  });

  test.each(Object.keys(KINDS))('is the kind of a change that an owner made: %s', (kind) => {
    expect(hidePersonal({ kind })).toEqual({ kind });
  });

  test('is its ids, times and numbers, and of other text the length', () => {
    const event = {
      schema: 1,
      event_id: '1b0f4a52-4c5e-4b8c-9a44-111111111111',
      type: 'booking.created',
      occurred_at: '2026-11-20T10:00:00Z',
      booking: { start: '2026-11-24', time_zone: 'America/Toronto', title, notes: '', attendee: { name, email } },
    };
    expect(hidePersonal(event)).toEqual({
      ...event,
      booking: {
        start: '2026-11-24',
        time_zone: 'America/Toronto',
        title: '(hidden text, 16 characters)',
        notes: '(empty text)',
        attendee: { name: '(hidden text, 11 characters)', email: '(hidden text, 15 characters)' },
      },
    });
  });

  test('holds nothing private wherever it stands, names of fields included', () => {
    const odd = {
      [email ?? '']: 1,
      version: notes,
      type: title,
      start: `2026-11-24 ${location}`,
      list: [phone, { deep: { deeper: { and: { on: { still: { further: name } } } } } }],
      booking_id: `1b0f4a52-4c5e-4b8c-9a44-111111111111 ${name}`,
    };
    const shown = JSON.stringify([hidePersonal(odd), ...PRIVATE.map((text) => hidePersonal(text))]);
    for (const text of PRIVATE) expect(shown).not.toContain(text);
  });
});
