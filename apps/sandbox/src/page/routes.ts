/** The page where a person plays the owner of every calendar: a week at a glance, changed by hand, live. */
import { fileURLToPath } from 'node:url';
import express, { type Response, Router } from 'express';
import { describeRow } from '../admin/events.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { rowsBetween } from '../calendars/event-row.ts';
import { DAY_MS, parseInstant } from '../calendars/zone-time.ts';
import type { SandboxState } from '../state.ts';

const ASSETS = fileURLToPath(new URL('../../assets/', import.meta.url));
const LONGEST_SPAN_MS = 62 * DAY_MS;
/** More than a person can look at; a filled calendar has thousands. */
const MOST_EVENTS = 500;
const PAUSE_MS = 50;

export function pageRoutes(state: SandboxState): Router {
  const router = Router();
  router.use((_request, response, next) => {
    response.setHeader('content-security-policy', "default-src 'self'; frame-ancestors 'none'; base-uri 'none'");
    next();
  });
  router.get('/', (_request, response) => response.sendFile('week.html', { root: ASSETS }));
  router.get('/page/week', (request, response) => {
    const [from, to] = [parseInstant(String(request.query.from)), parseInstant(String(request.query.to))];
    if (from === null || to === null || to <= from || to - from > LONGEST_SPAN_MS) {
      response.status(400).json({ error: { code: 'invalid', message: 'from, to: must be instants, 62 days at most' } });
      return;
    }
    response.setHeader('cache-control', 'no-store');
    response.json(showSpan(state, from, to));
  });
  router.get('/page/live', (_request, response) => streamChanges(state, response));
  router.use('/page', express.static(ASSETS));
  return router;
}

function showSpan(state: SandboxState, from: number, to: number) {
  const stores = state.directory.accounts().flatMap(({ calendars }) => calendars);
  return {
    last_sequence: state.history.sequence,
    now: new Date(state.clock.now()).toISOString(),
    calendars: stores.map((store) => showCalendar(store, from, to)),
  };
}

function showCalendar(store: CalendarStore, from: number, to: number) {
  const { provider, ownerEmail, id, summary, isPrimary, timeZone, accessRole } = store.details;
  const events = [];
  for (const row of rowsBetween(store, from, to)) {
    if (events.length === MOST_EVENTS) break;
    events.push(describeRow(store, row));
  }
  return {
    calendar_provider: provider,
    email: ownerEmail,
    calendar_id: id,
    summary,
    primary: isPrimary,
    time_zone: timeZone,
    access_role: accessRole,
    events,
  };
}

/** Says that something changed, not what; many changes at once are said once. */
function streamChanges(state: SandboxState, response: Response): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write('retry: 1000\n\n');
  let pause: NodeJS.Timeout | null = null;
  const stop = state.history.onEntry(() => {
    pause ??= setTimeout(() => {
      pause = null;
      response.write(`event: change\ndata: ${state.history.sequence}\n\n`);
    }, PAUSE_MS);
  });
  response.once('close', () => {
    stop();
    if (pause !== null) clearTimeout(pause);
  });
}
