import {
  CONNECTION_STATES,
  type Connection,
  type ConnectionSearch,
  findConnection,
  listChannelsOf,
  listDeliveriesOf,
  listOperatorLog,
  listRunsOf,
  listTroubledBookings,
  listUnreadableItems,
  searchConnections,
} from '@bookiji/db';
import { findObstacle, switchName } from '@bookiji/flags';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { operatorOf } from '../access/session.ts';
import type { OpsDeps } from '../deps.ts';
import { sendError } from '../errors.ts';
import { DONE, isAction, takeAction } from './actions.ts';
import { renderConnection } from './connection-page.ts';
import { PER_PAGE, renderConnections, type SearchWish } from './connections-page.ts';
import { judgeConnection } from './judge-connection.ts';
import { readWeek } from './week.ts';

const WEEK_MS = 7 * 86_400_000;
const LONGEST_SPAN_MS = 62 * 86_400_000;
const SHOWN_RUNS = 8;
const SHOWN_ROWS = 8;

const searchQuery = z.object({
  q: z.string().trim().max(64).catch(''),
  state: z.enum(CONNECTION_STATES).nullable().catch(null),
  calendar_provider: z.enum(['google', 'microsoft']).nullable().catch(null),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
});
const spanQuery = z.object({ from: z.coerce.date(), to: z.coerce.date() });
const reasonBody = z.object({ reason: z.string().trim().max(300).optional() });

/** `/connections`, `/connections/{id}`, its week as JSON, and `POST /connections/{id}/{action}`. */
export function createConnectionPages(deps: OpsDeps): Router {
  const router = Router();
  router.get('/', async (request, response) => {
    const { q, state, calendar_provider, page } = searchQuery.parse(request.query);
    const wish: SearchWish = { text: q, state, calendarProvider: calendar_provider, pageNumber: page };
    const found = await searchConnections(deps.db, toSearch(wish), { limit: PER_PAGE, offset: (page - 1) * PER_PAGE });
    const now = deps.now();
    const connections = found.connections.map((connection) => ({
      connection,
      judgement: judge(deps, connection, now, connection.hasDoubts),
    }));
    response.type('html').send(renderConnections({ wish, total: found.total, connections, now }, operatorOf(response)));
  });
  router.get('/:id', async (request, response) => {
    const connection = await find(deps, request, response);
    if (connection === null) return;
    const done = String(request.query.done ?? '');
    const view = await readView(deps, connection);
    response.type('html').send(renderConnection(view, operatorOf(response), isAction(done) ? DONE[done] : null));
  });
  router.get('/:id/week', async (request, response) => {
    const connection = await find(deps, request, response);
    if (connection === null) return;
    const span = spanQuery.safeParse(request.query);
    if (!span.success || !(span.data.to.getTime() - span.data.from.getTime() <= LONGEST_SPAN_MS)) {
      return sendError(response, 400, 'invalid_span', 'from and to are instants, 62 days apart at most');
    }
    response.json({ pieces: await readWeek(deps.db, connection, span.data) });
  });
  router.post('/:id/:action', async (request, response) => {
    const connection = await find(deps, request, response);
    if (connection === null) return;
    const { action } = request.params;
    const { reason } = reasonBody.catch({}).parse(request.body);
    if (action === undefined || !isAction(action)) return sendError(response, 404, 'not_found', 'no such action');
    if (action === 'disconnect' && !reason)
      return sendError(response, 400, 'reason_missing', 'disconnecting cannot be undone: say why');
    const actor = operatorOf(response).name;
    await takeAction(deps, { action, connectionId: connection.id, actor, reason: reason || null });
    response.redirect(303, `/connections/${connection.id}?done=${action}`);
  });
  return router;
}

/** Answers itself when there is none. */
async function find(deps: OpsDeps, request: Request, response: Response): Promise<Connection | null> {
  const id = z.guid().safeParse(request.params.id);
  const connection = id.success ? await findConnection(deps.db, id.data.toLowerCase()) : null;
  if (connection === null)
    sendError(response, 404, 'unknown_connection', 'there is no such connection. It may have been disconnected');
  return connection;
}

function toSearch({ text, state, calendarProvider }: SearchWish): ConnectionSearch {
  return {
    ...(text === '' ? {} : { idPrefix: text }),
    ...(state === null ? {} : { state }),
    ...(calendarProvider === null ? {} : { calendarProvider }),
  };
}

function judge(deps: OpsDeps, connection: Connection, now: Date, hasDoubts: boolean) {
  const { id: connectionId, providerId, calendarProvider } = connection;
  const obstacle = findObstacle(deps.flags, { connectionId, providerId, calendarProvider });
  return judgeConnection(connection, { now, obstacle, reconcileSeconds: deps.reconcileSeconds, hasDoubts });
}

async function readView(deps: OpsDeps, connection: Connection) {
  const { db } = deps;
  const now = deps.now();
  const { id } = connection;
  const [channels, runs, deliveries, bookings, operatorLog, unreadable, week] = await Promise.all([
    listChannelsOf(db, id),
    listRunsOf(db, id, SHOWN_RUNS),
    listDeliveriesOf(db, id, SHOWN_ROWS),
    listTroubledBookings(db, id, SHOWN_ROWS),
    listOperatorLog(db, SHOWN_ROWS, [id, switchName('connection', id)]),
    listUnreadableItems(db, id),
    readWeek(db, connection, { from: now, to: new Date(now.getTime() + WEEK_MS) }),
  ]);
  const isPaused = !deps.flags.isSwitchOn(switchName('connection', id));
  return {
    now,
    connection,
    judgement: judge(deps, connection, now, unreadable.length > 0),
    isPaused,
    channels,
    runs,
    deliveries,
    bookings,
    operatorLog,
    unreadable,
    week,
  };
}
