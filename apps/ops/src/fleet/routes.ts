import { listProcesses } from '@bookiji/db';
import { Router } from 'express';
import { operatorOf } from '../access/session.ts';
import type { OpsDeps } from '../deps.ts';
import { sumMetrics } from './fleet-metrics.ts';
import { renderFleet } from './fleet-page.ts';
import type { LagWindow } from './lag-window.ts';
import { readGlance } from './read-glance.ts';

/** `GET /`: the fleet at a glance. */
export function createFleetPage(deps: OpsDeps): Router {
  const router = Router();
  router.get('/', async (_request, response) => {
    response.type('html').send(renderFleet(await readGlance(deps, deps.lagWindow), operatorOf(response)));
  });
  return router;
}

/** One reading for the window, taken every few seconds whether or not anybody looks. */
export async function noteLags(deps: Pick<OpsDeps, 'db' | 'now'>, lagWindow: LagWindow): Promise<void> {
  lagWindow.note(await sumMetrics(await listProcesses(deps.db), []), deps.now().getTime());
}
