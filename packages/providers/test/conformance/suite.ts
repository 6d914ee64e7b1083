/** What every adapter must do, whoever hosts the calendar. Run against the sandbox, over HTTP. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CalendarProvider, type ChangePage, type EventChange, ProviderError } from '../../src/contract/index.ts';
import { never, type SandboxedCalendar, type SandboxStage, startStage } from './sandboxed-calendar.ts';

const WINDOW = { startAt: new Date('2026-11-20T00:00:00Z'), endAt: new Date('2027-02-20T00:00:00Z') };
const LATER = { startAt: new Date('2026-12-02T15:00:00Z'), endAt: new Date('2026-12-02T16:00:00Z') };

/** Where the calendar providers themselves differ, each with its reason. */
export interface Peculiarities {
  /** Google has no call that extends a channel: a new one is opened instead. */
  readonly canRenewChannels: boolean;
  /** Google has no list of channels. */
  readonly canListChannels: boolean;
  /** Microsoft has no call that ends one application's grant. */
  readonly canRevoke: boolean;
}

export function describeConformance(calendarProvider: CalendarProvider, can: Peculiarities): void {
  let stage: SandboxStage;
  let calendar: SandboxedCalendar;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage.close());
  beforeEach(async () => {
    calendar = await stage.openCalendar(calendarProvider);
    await calendar.order('DELETE', '/faults');
  });

  const strike = (fault: object) =>
    calendar.order('POST', '/faults', { provider: calendarProvider, user: calendar.email, times: 1, ...fault });
  const failureOf = async (call: Promise<unknown>): Promise<ProviderError> => {
    const error = await call.then(
      () => new Error('it did not fail'),
      (reason: unknown) => reason,
    );
    if (!(error instanceof ProviderError)) throw error;
    return error;
  };
  const kindOf = async (call: Promise<unknown>) => (await failureOf(call)).kind;

  async function readRound(cursor: string | null): Promise<ChangePage[]> {
    const pages: ChangePage[] = [];
    let page: string | null = null;
    do {
      const read: ChangePage = await calendar.port.listChanges({ cursor, page, window: WINDOW }, never);
      pages.push(read);
      page = read.nextPage;
    } while (page !== null);
    return pages;
  }
  const cursorOf = (pages: readonly ChangePage[]) => pages.at(-1)?.cursor ?? '';
  const eventsOf = (pages: readonly ChangePage[]) =>
    pages.flatMap(({ changes }) => changes).filter((change): change is EventChange => change.kind === 'event');
  const spansOf = (pages: readonly ChangePage[]) =>
    [
      ...new Set(
        eventsOf(pages)
          .filter(({ blocks }) => blocks)
          .map(({ startAt, endAt }) => `${iso(startAt)}/${iso(endAt)}`),
      ),
    ].sort();

  describe(`a booking’s event at ${calendarProvider}`, () => {
    test('[O-1] is created, found by its key, read by its id, changed and deleted', async () => {
      const draft = calendar.draft();
      const made = await calendar.port.createEvent(draft, never);
      const found = await calendar.port.findEvent(draft.key, never);
      expect(found).toEqual(await calendar.port.getEvent(made.eventId, never));
      expect(found).toMatchObject({
        state: 'live',
        event: { ...made, seriesId: null, startAt: draft.startAt, endAt: draft.endAt, marker: draft.marker },
      });
      const moved = await calendar.port.updateEvent(made, { ...draft, ...LATER }, never);
      expect(moved.eventId).toBe(made.eventId);
      expect(moved.etag).not.toBe(made.etag);
      expect(await calendar.port.getEvent(made.eventId, never)).toMatchObject({
        event: { ...LATER, etag: moved.etag },
      });
      await calendar.port.deleteEvent(moved, never);
      expect(await calendar.port.getEvent(made.eventId, never)).toEqual({ state: 'gone' });
      expect(await calendar.port.findEvent(draft.key, never)).toEqual({ state: 'gone' });
    });

    test('[O-3] stays one event when it is created again under its key', async () => {
      const draft = calendar.draft();
      const made = await calendar.port.createEvent(draft, never);
      const again = await calendar.port.createEvent(draft, never).then(
        ({ eventId }) => eventId,
        (error: ProviderError) => error.kind,
      );
      expect(['conflict', made.eventId]).toContain(again);
      const { events } = await calendar.own<{ events: unknown[] }>('GET');
      expect(events).toHaveLength(1);
    });

    test('[O-3] is a conflict when its key holds another state of it', async () => {
      const draft = calendar.draft();
      await calendar.port.createEvent(draft, never);
      expect(await kindOf(calendar.port.createEvent({ ...draft, ...LATER }, never))).toBe('conflict');
    });

    test('[O-3] whose creation was not answered may be there, and is found', async () => {
      const draft = calendar.draft();
      await strike({ operation: 'events.insert', lost_answer: true });
      const lost = await failureOf(calendar.port.createEvent(draft, never));
      expect([lost.kind, lost.outcomeUnknown]).toEqual(['transient', true]);
      expect(await calendar.port.findEvent(draft.key, never)).toMatchObject({ state: 'live' });
    });

    test('[O-3] whose creation was refused is not there, and nobody doubts it', async () => {
      const draft = calendar.draft();
      await strike({ operation: 'events.insert', status: 429, retry_after: 7 });
      const refused = await failureOf(calendar.port.createEvent(draft, never));
      expect([refused.kind, refused.outcomeUnknown, refused.retryAfterMs]).toEqual(['rate_limited', false, 7_000]);
      expect(await calendar.port.findEvent(draft.key, never)).toEqual({ state: 'gone' });
    });

    test('[O-3] is written over by nobody who knows an older state of it', async () => {
      const draft = calendar.draft();
      const made = await calendar.port.createEvent(draft, never);
      await calendar.port.updateEvent(made, { ...draft, title: 'newer' }, never);
      expect(await kindOf(calendar.port.updateEvent(made, { ...draft, ...LATER }, never))).toBe('conflict');
      expect(await kindOf(calendar.port.deleteEvent(made, never))).toBe('conflict');
      expect(await calendar.own('GET', `/${encodeURIComponent(made.eventId)}`)).toMatchObject({ title: 'newer' });
      await calendar.port.updateEvent({ ...made, etag: null }, { ...draft, ...LATER }, never);
      await calendar.port.deleteEvent({ ...made, etag: null }, never);
    });

    test('[O-1] that its owner deleted is gone, cannot be changed, and may be deleted again', async () => {
      const draft = calendar.draft();
      const made = await calendar.port.createEvent(draft, never);
      await calendar.own('DELETE', `/${encodeURIComponent(made.eventId)}`);
      expect(await calendar.port.getEvent(made.eventId, never)).toEqual({ state: 'gone' });
      expect(await kindOf(calendar.port.updateEvent({ ...made, etag: null }, draft, never))).toBe('not_found');
      await calendar.port.deleteEvent({ ...made, etag: null }, never);
    });

    test('[O-1] that its owner made a series is the occurrence that the series begins with, and no other', async () => {
      const draft = calendar.draft();
      const made = await calendar.port.createEvent(draft, never);
      const recurrence = ['RRULE:FREQ=WEEKLY;COUNT=3'];
      await calendar.own('PATCH', `/${encodeURIComponent(made.eventId)}`, { recurrence });
      const { startAt, endAt, marker } = draft;
      const reading = await calendar.port.getEvent(made.eventId, never);
      expect(reading).toMatchObject({ state: 'live', event: { seriesId: made.eventId, startAt, endAt, marker } });
      if (reading.state === 'gone') throw new Error('the event is gone');
      const { eventId } = reading.event;
      expect(eventId).not.toBe(made.eventId);
      expect(await calendar.port.findEvent(draft.key, never)).toEqual(reading);
      expect(await calendar.port.getEvent(eventId, never)).toMatchObject(reading);

      // What is done to it is done to it alone.
      const moved = await calendar.port.updateEvent({ eventId, etag: null }, { ...draft, ...LATER }, never);
      expect(await calendar.port.getEvent(eventId, never)).toMatchObject({
        event: { ...LATER, seriesId: made.eventId },
      });
      await calendar.port.deleteEvent({ ...moved, etag: null }, never);
      expect(await calendar.port.getEvent(eventId, never)).toEqual({ state: 'gone' });
      expect(await calendar.port.getEvent(made.eventId, never)).toEqual({ state: 'gone' });
      expect(await calendar.port.findEvent(draft.key, never)).toEqual({ state: 'gone' });
      const week = 7 * 24 * 3_600_000;
      const span = `?from=${iso(startAt)}&to=${iso(new Date(startAt.getTime() + 5 * week))}`;
      const { events } = await calendar.own<{ events: { start_at: string }[] }>('GET', span);
      expect(events.map((event) => Date.parse(event.start_at) - startAt.getTime())).toEqual([week, 2 * week]);
    });

    test('[O-3] lives again under the key of its next generation', async () => {
      const first = calendar.draft();
      const made = await calendar.port.createEvent(first, never);
      await calendar.port.deleteEvent(made, never);
      const next = calendar.draft({ generation: 1 });
      const remade = await calendar.port.createEvent(next, never);
      expect(remade.eventId).not.toBe(made.eventId);
      expect(await calendar.port.findEvent(first.key, never)).toEqual({ state: 'gone' });
      expect(await calendar.port.findEvent(next.key, never)).toMatchObject({
        state: 'live',
        event: { marker: next.marker },
      });
    });

    test('[O-1] sends no mail to anybody, whatever is done to it', async () => {
      const { count: before } = await calendar.order<{ count: number }>('GET', '/mail');
      const draft = calendar.draft();
      const made = await calendar.port.createEvent(draft, never);
      await calendar.port.deleteEvent(await calendar.port.updateEvent(made, { ...draft, ...LATER }, never), never);
      expect(await calendar.order('GET', '/mail')).toMatchObject({ count: before });
    });

    test('[O-2] comes back in the feed as ours, at the times it was written for', async () => {
      const cursor = cursorOf(await readRound(null));
      const draft = calendar.draft();
      const made = await calendar.port.createEvent(draft, never);
      const [echo] = eventsOf(await readRound(cursor));
      expect(echo).toMatchObject({ eventId: made.eventId, startAt: draft.startAt, endAt: draft.endAt });
      const isOurs =
        echo?.marker?.bookingId === draft.marker.bookingId || echo?.creationKey === draft.key.transactionId;
      expect(isOurs).toBe(true);
    });
  });

  describe(`the feed of a calendar at ${calendarProvider}`, () => {
    const add = (event: object) => calendar.own('POST', '', event);

    test('[I-1] [I-3] tells a baseline of every kind of event, in the zone of the calendar', async () => {
      await add({ start: '2026-12-01T09:00', end: '2026-12-01T10:00', time_zone: 'Europe/Berlin' });
      await add({ start: '2026-12-03', end: '2026-12-04' });
      await add({ start: '2026-12-04T15:00:00Z', end: '2026-12-04T16:00:00Z', show_as: 'free' });
      await add({ start: '2026-12-05T15:00:00Z', end: '2026-12-05T16:00:00Z', response_status: 'declined' });
      await add({
        start: '2026-12-06T15:00:00Z',
        end: '2026-12-06T16:00:00Z',
        status: 'tentative',
        show_as: 'tentative',
      });
      await add({ start: '2026-12-07T15:00:00Z', end: '2026-12-07T15:00:00Z' });
      await add({ start: '2026-11-19T20:00:00Z', end: '2026-11-20T03:00:00Z' });
      await add({ start: '2027-03-19T20:00:00Z', end: '2027-03-20T03:00:00Z' });
      expect(spansOf(await readRound(null))).toEqual([
        '2026-11-19T20:00:00Z/2026-11-20T03:00:00Z',
        '2026-12-01T08:00:00Z/2026-12-01T09:00:00Z',
        '2026-12-03T05:00:00Z/2026-12-04T05:00:00Z',
        '2026-12-06T15:00:00Z/2026-12-06T16:00:00Z',
      ]);
    });

    test('[I-3] keeps a series at its hour on the wall over a change of the clocks, exceptions apart', async () => {
      await add({
        title: 'weekly',
        start: '2027-01-04T09:00',
        end: '2027-01-04T10:00',
        time_zone: 'America/Toronto',
        recurrence: ['RRULE:FREQ=WEEKLY;COUNT=12'],
      });
      const { events } = await calendar.own<{ events: { id: string; title: string }[] }>(
        'GET',
        '?from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z',
      );
      const [, second, third] = events.filter(({ title }) => title === 'weekly');
      await calendar.own('PATCH', `/${encodeURIComponent(second?.id ?? '')}`, { start: '2027-01-12T18:00:00Z' });
      await calendar.own('DELETE', `/${encodeURIComponent(third?.id ?? '')}`);
      expect(spansOf(await readRound(null))).toEqual([
        '2027-01-04T14:00:00Z/2027-01-04T15:00:00Z',
        '2027-01-12T18:00:00Z/2027-01-12T19:00:00Z',
        '2027-01-25T14:00:00Z/2027-01-25T15:00:00Z',
        '2027-02-01T14:00:00Z/2027-02-01T15:00:00Z',
        '2027-02-08T14:00:00Z/2027-02-08T15:00:00Z',
        '2027-02-15T14:00:00Z/2027-02-15T15:00:00Z',
      ]);
    });

    test('[I-1] tells only what changed since, deletions too, and nothing when nothing did', async () => {
      const kept = await add({ start: '2026-12-01T15:00:00Z', end: '2026-12-01T16:00:00Z' });
      const dropped = await add({ start: '2026-12-02T15:00:00Z', end: '2026-12-02T16:00:00Z' });
      const cursor = cursorOf(await readRound(null));
      expect((await readRound(cursor)).flatMap(({ changes }) => changes)).toEqual([]);
      await calendar.own('PATCH', `/${encodeURIComponent(kept.id)}`, { start: '2026-12-01T17:00:00Z' });
      await calendar.own('DELETE', `/${encodeURIComponent(dropped.id)}`);
      const pages = await readRound(cursor);
      expect(spansOf(pages)).toEqual(['2026-12-01T17:00:00Z/2026-12-01T18:00:00Z']);
      const tombstones = pages.flatMap(({ changes }) => changes).filter(({ kind }) => kind === 'tombstone');
      expect(tombstones.map((change) => ('eventId' in change ? change.eventId : ''))).toContain(dropped.id);
    });

    test('[I-1] tells a calendar of many pages exactly', async () => {
      const count = calendarProvider === 'google' ? 2_600 : 260;
      await calendar.own('POST', '/fill', {
        count,
        from: '2026-11-21T00:00:00Z',
        spacing_minutes: 40,
        duration_minutes: 30,
      });
      const pages = await readRound(null);
      expect(pages.length).toBeGreaterThan(1);
      expect(new Set(eventsOf(pages).map(({ eventId }) => eventId)).size).toBe(count);
      expect(pages.map(({ cursor, nextPage }) => [cursor === null, nextPage === null])).toEqual([
        ...Array(pages.length - 1).fill([true, false]),
        [false, true],
      ]);
    });

    test('[I-1] says that its place was lost, whenever it is', async () => {
      const cursor = cursorOf(await readRound(null));
      await calendar.order('POST', '/cursors/expire', { email: calendar.email });
      expect(await kindOf(readRound(cursor))).toBe('cursor_expired');
    });

    test('[I-5] fails with a page that fails, and says for how long', async () => {
      await strike({ operation: 'events.*', status: 503, retry_after: 5 });
      const failure = await failureOf(readRound(null));
      expect([failure.kind, failure.retryAfterMs, failure.outcomeUnknown]).toEqual(['transient', 5_000, false]);
    });
  });

  describe(`grant and channels at ${calendarProvider}`, () => {
    const wish = (channelId: string) => ({
      channelId,
      secret: 'secret',
      notificationUrl: `${stage.url}/sandbox/echo`,
      expiresAt: new Date(Date.now() + 86_400_000),
    });

    test('[A-1] a refused token is told to its source and named', async () => {
      await calendar.order('POST', '/tokens/expire', { email: calendar.email });
      const failure = await failureOf(readRound(null));
      expect([failure.kind, failure.status]).toEqual(['auth_revoked', 401]);
      expect(calendar.rejected).toHaveLength(1);
    });

    test('[A-1] a refresh brings a token, until the grant is taken back', async () => {
      const grant = await calendar.oauth.refresh(calendar.refreshToken, never);
      expect(grant.accessToken).not.toBe('');
      await calendar.order('POST', '/grants/revoke', { email: calendar.email });
      expect(await kindOf(calendar.oauth.refresh(calendar.refreshToken, never))).toBe('auth_revoked');
    });

    test('[A-1] revoking ends the grant where that can be done, and twice is as good as once', async () => {
      await calendar.oauth.revoke(calendar.refreshToken, never);
      await calendar.oauth.revoke(calendar.refreshToken, never);
      const after = calendar.oauth.refresh(calendar.refreshToken, never);
      if (can.canRevoke) expect(await kindOf(after)).toBe('auth_revoked');
      else expect((await after).accessToken).not.toBe('');
    });

    test('[W-2] a channel that cannot be reached or watched is refused for good or for now, never silently', async () => {
      await calendar.order('PUT', '/users', {
        calendar_provider: calendarProvider,
        email: calendar.email,
        watchable: false,
      });
      const failure = await failureOf(calendar.port.openChannel(wish('c-unwatchable'), never));
      expect(['permanent', 'transient']).toContain(failure.kind);
    });

    test('[W-2] a channel that is not there is closed already, and is not renewed', async () => {
      const channel = { channelId: 'c-none', resourceId: 'res', subscriptionId: 'sub' };
      await calendar.port.closeChannel(channel, never);
      const kind = await kindOf(calendar.port.renewChannel(channel, new Date(Date.now() + 86_400_000), never));
      expect(kind).toBe(can.canRenewChannels ? 'not_found' : 'permanent');
      const listed = await calendar.port.listChannels(never);
      expect(listed).toEqual(can.canListChannels ? [] : null);
    });
  });
}

function iso(instant: Date): string {
  return instant.toISOString().replace('.000Z', 'Z');
}
