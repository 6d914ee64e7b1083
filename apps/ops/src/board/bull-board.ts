/** Bull Board over the queues: pause, resume, empty, retry; what would lose facts is refused, every change stands in the operator log. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { writeOperatorLog } from '@bookiji/db';
import { QUEUE_NAMES } from '@bookiji/queues';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { type Express, type RequestHandler, Router } from 'express';
import { operatorOf } from '../access/session.ts';
import type { OpsDeps } from '../deps.ts';
import { nameChange, refuseChange } from './board-rules.ts';
import { drainBookingEvents } from './drain-booking-events.ts';
import { hidePersonal } from './hide-personal.ts';

const BASE = '/queues';
const UI = dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json'));
/** Set by us alone, over whatever a client sent. */
const OPERATOR = 'x-calsync-operator';

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  [QUEUE_NAMES.bookingEvents]: 'Bookings from the booking service. Carries facts: pause freely, nothing is lost.',
  [QUEUE_NAMES.inboundSync]: 'Rings: look at this connection. Losing them costs seconds.',
  [QUEUE_NAMES.outboundSync]: 'Rings: bring this booking into that calendar. Losing them costs seconds.',
  [QUEUE_NAMES.retry]: 'Rings: channel upkeep, disconnects and calendar audits.',
  [QUEUE_NAMES.externalChanges]: 'For the booking service: what owners did to events. Carries facts.',
};

export function createBoard(deps: OpsDeps): Router {
  const boards = { full: mountBoard(deps, false), readOnly: mountBoard(deps, true) };
  const router = Router();
  router.use((request, response, next) => {
    request.headers[OPERATOR] = encodeURIComponent(operatorOf(response).name);
    next();
  });
  router.put(`/api/queues/${QUEUE_NAMES.bookingEvents}/empty`, async (_request, response) => {
    const setAside = await drainBookingEvents(deps.db, deps.queues);
    await noteChange(deps, operatorOf(response).name, 'queue_empty', QUEUE_NAMES.bookingEvents, {
      set_aside: setAside,
    });
    response.json({});
  });
  router.use((request, response, next) => {
    const board = operatorOf(response).mayChange ? boards.full : boards.readOnly;
    board(request, response, next);
  });
  return router;
}

function mountBoard(deps: OpsDeps, readOnlyMode: boolean): RequestHandler {
  const adapter = new ExpressAdapter();
  adapter.setBasePath(BASE);
  createBullBoard({
    queues: Object.values(QUEUE_NAMES).map((name) => {
      const queue = new CountingAdapter(deps.queues.queue(name), {
        readOnlyMode,
        description: DESCRIPTIONS[name] ?? '',
      });
      queue.setFormatter('data', hidePersonal);
      return queue;
    }),
    serverAdapter: adapter,
    options: {
      uiBasePath: UI,
      uiConfig: {
        boardTitle: 'Calendar Sync',
        boardLogo: { path: '/assets/icon.svg', width: 22, height: 22 },
        favIcon: { default: '/assets/icon.svg', alternative: '/assets/icon.svg' },
        hideDocsLink: true,
        miscLinks: [{ text: 'Back to the console', url: '/' }],
      },
      handlerHooks: {
        before({ method, route, request }) {
          if (method === 'get') return;
          const { queueName: queue = null, queueStatus: status } = request.params;
          const message = refuseChange({ route, queue, status });
          return message === null ? undefined : { allow: false, status: 409, message };
        },
        async after({ method, route, request }, result) {
          if (method !== 'get' && (result.status ?? 200) < 300) {
            const subject = String(request.params.queueName ?? 'every queue');
            const operator = decodeURIComponent(request.headers[OPERATOR] ?? 'unknown');
            await noteChange(deps, operator, nameChange(route), subject, jobOf(request.params));
          }
          return result;
        },
      },
    },
  });
  const board = adapter.getRouter() as Express;
  board.disable('x-powered-by');
  return board;
}

/** PostgreSQL keeps the jobs of a paused queue in a state of its own, which Bull Board does not count: they wait. */
class CountingAdapter extends BullMQAdapter {
  readonly #queue: ReturnType<OpsDeps['queues']['queue']>;

  constructor(queue: ReturnType<OpsDeps['queues']['queue']>, options: ConstructorParameters<typeof BullMQAdapter>[1]) {
    super(queue, options);
    this.#queue = queue;
  }

  override async getJobCounts() {
    const names = ['paused'] as unknown as 'waiting'[];
    const [counts, apart] = await Promise.all([super.getJobCounts(), this.#queue.getJobCounts(...names)]);
    return { ...counts, waiting: (counts.waiting ?? 0) + (apart.paused ?? 0) };
  }
}

function jobOf(params: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return params.jobId === undefined ? {} : { job_id: String(params.jobId) };
}

/** The change is made already: that it could not be written down must not look like its failure. */
async function noteChange(
  deps: OpsDeps,
  actor: string,
  name: string,
  subject: string,
  details: Record<string, unknown>,
): Promise<void> {
  deps.logger.info({ operator: actor, action: name, subject, ...details }, 'queue changed by an operator');
  await writeOperatorLog(deps.db, { actor, action: name, subject, details }).catch((error: unknown) =>
    deps.logger.warn({ err: error }, 'a change could not be written into the operator log'),
  );
}
